"""Pages of signing in that allauth does not have, and the limits of those that it has."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from allauth.account.views import LoginView
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa import signals
from allauth.mfa.adapter import get_adapter as get_factor_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.views import RemoveWebAuthnView
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from wagtail.admin.views.account import AccountView

from careersite.signin import log, mails, sso

PROVIDER = "sso"


class SignInView(LoginView):
    """The first page of signing in, for Wagtail, Flower and everything else."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        target = self.get_success_url() or "/admin/"
        if target.startswith("/admin/") and not request.user.has_perm("wagtailadmin.access_admin"):
            # allauth would redirect a person without access to the admin, and Wagtail back.
            request.user = AnonymousUser()
        return super().dispatch(request, *args, **kwargs)

    def form_invalid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)
        if form.has_error("__all__", "too_many_login_attempts"):
            response.status_code = 429
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if settings.OIDC_ISSUER:
            context["single_sign_on"] = settings.OIDC_NAME
        return context


class RemovePasskeyView(RemoveWebAuthnView):
    """Removes a passkey, unless the site requires it."""

    def form_valid(self, form: Any) -> HttpResponse:
        adapter = get_factor_adapter()
        if not adapter.can_delete_authenticator(self.get_object()):
            messages.error(self.request, adapter.error_messages["cannot_delete_authenticator"])
            return HttpResponseRedirect(reverse("mfa_index"))
        answer: HttpResponse = super().form_valid(form)
        return answer


def closed(request: HttpRequest, **_kwargs: str) -> HttpResponse:
    """A page of allauth that this site does not have: sign-up, e-mail addresses, connections."""
    raise Http404


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """In place of a login page of Wagtail or Django."""
    query = request.META.get("QUERY_STRING", "")
    return HttpResponseRedirect(reverse("account_login") + (f"?{query}" if query else ""))


def to_reset(request: HttpRequest) -> HttpResponse:
    """In place of Wagtail's page for a forgotten password."""
    return HttpResponseRedirect(reverse("account_reset_password"))


@never_cache
def sso_begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Redirect to the OpenID provider, after a click on a page of this site.

    Another site could otherwise sign a person in without their doing anything.
    """
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        return to_sign_in(request)
    return _with_provider(request, OAuth2LoginView, provider_id)


@never_cache
def sso_return(request: HttpRequest, provider_id: str) -> HttpResponse:
    """The way back from the OpenID provider."""
    return _with_provider(request, OAuth2CallbackView, provider_id)


def _with_provider(request: HttpRequest, view: Any, provider_id: str) -> HttpResponse:
    try:
        answer: HttpResponse = view.adapter_view(sso.Protocol(request, provider_id))(request)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    except (OSError, KeyError, TypeError, ValueError) as error:
        # requests' exceptions are OSErrors; the others are answers that are not OpenID Connect.
        sso.logger.warning("The OpenID provider does not answer as it must: %s", type(error))
        words = _("The provider does not answer. Try again in a few minutes.")
        context = {"words": words}
        return render(request, "socialaccount/authentication_error.html", context, status=503)
    return answer


# ── Security of an account ──────────────────────────────────────────────────────────────


def account(request: HttpRequest) -> HttpResponseBase:
    """Wagtail's page of one's own account; another e-mail address needs the password again.

    Whoever has the address can have a new password.
    """
    user: Any = request.user
    if request.method == "POST":
        address = request.POST.get("name_email-email", user.email)
        if address != user.email and (refusal := _unless_confirmed(request)):
            return refusal
    answer: HttpResponseBase = AccountView.as_view()(request)
    return answer


@never_cache
@require_http_methods(["GET", "POST"])
def security(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Second factors, sessions and last sign-ins of one account: one's own, or another's.

    A POST ends sessions, or resets the second factors of somebody who has lost them.
    """
    subject: Any = request.user if pk is None else get_object_or_404(get_user_model(), pk=pk)
    is_own = subject == request.user
    if not is_own and not may_manage(request.user, subject):
        raise PermissionDenied
    if request.method == "POST":
        if not is_own and (refusal := _unless_confirmed(request)):
            return refusal
        _act(request, subject, is_own)
        return HttpResponseRedirect(request.path)
    sessions = UserSession.objects.purge_and_list(subject)
    context = {
        "subject": subject,
        "is_own": is_own,
        "factors": Authenticator.objects.filter(user=subject).order_by("type", "pk"),
        "sessions": sorted(sessions, key=lambda session: session.created_at, reverse=True),
        "entries": log.of(subject)[:20],
        "single_sign_on": subject.socialaccount_set.exists(),
        "header_icon": "lock",
        "page_title": _("Sign-in and security"),
        "page_subtitle": subject.get_username(),
    }
    return render(request, "careersite/signin/security.html", context)


def _unless_confirmed(request: HttpRequest) -> HttpResponse | None:
    """The answer for a person who has not shown lately who they are; None for one who has.

    Raises:
        ReauthenticationRequired: allauth asks for the password or a second factor, then goes on.
    """
    if not is_reauthentication_required(request, app="allauth.mfa"):
        return None
    if get_adapter().get_reauthentication_methods(request.user):
        raise ReauthenticationRequired
    # Somebody with single sign-on only has neither here.
    messages.error(
        request,
        _(
            "Nothing changed. Sign out and in again first: this needs a sign-in of the last five "
            "minutes."
        ),
    )
    return HttpResponseRedirect(request.path)


def may_manage(actor: Any, subject: Any) -> bool:
    """Whether a person may end another's sessions and reset their second factors."""
    if subject.is_superuser and not actor.is_superuser:
        return False
    return bool(actor.has_perm("auth.change_user"))


def _act(request: HttpRequest, subject: Any, is_own: bool) -> None:
    if "reset" in request.POST and not is_own:
        reset_factors(request, subject)
        messages.success(request, _("The second factors are reset, and all sessions are ended."))
        return
    chosen = request.POST.get("session", "")
    ended = 0
    for session in UserSession.objects.purge_and_list(subject):
        mine = session.session_key == request.session.session_key
        if not mine and chosen in ("all", str(session.pk)):
            session.end()
            ended += 1
    if ended:
        log.write("signin.sessions_ended", subject, request, sessions=ended)
    messages.success(request, ngettext("%d session ended.", "%d sessions ended.", ended) % ended)


def reset_factors(request: HttpRequest, subject: Any) -> None:
    """Delete another's second factors and end their sessions, with a trace and a mail to them."""
    with transaction.atomic():
        for factor in Authenticator.objects.filter(user=subject):
            factor.delete()
            signals.authenticator_removed.send(
                sender=Authenticator, request=request, user=subject, authenticator=factor
            )
        sso.end_sessions(subject)
        log.write("signin.factors_reset", subject, request)
    mails.factors_reset(subject, by=request.user)
