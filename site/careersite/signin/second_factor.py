"""A session counts only when both factors were shown, and for a fixed time.

Every view asks ``request.user``, whether it is ours, Wagtail's or Django's. So the rule is here, at
the one place that they all share, and not at the ways to sign in: a session that was begun in any
other way is anonymous.

Applicants have no accounts. Everybody with an account can change what others see or read what
applicants sent, so the rule has no exceptions by permission.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.middleware import get_user
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from home.models import SiteSettings

GetResponse = Callable[[HttpRequest], HttpResponseBase]

#: What counts as a second factor. Recovery codes replace one, but nobody has them alone.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


class Standing(Enum):
    """What a session counts as."""

    #: Nobody is signed in, or a factor was not shown.
    NOBODY = "nobody"
    #: The person must set up a second factor, and can do nothing else.
    SETTING_UP = "setting up"
    SIGNED_IN = "signed in"


def is_required() -> bool:
    """Whether the company settings require two factors."""
    return SiteSettings.of_default_site().two_factors


def has_factor(user: Any) -> bool:
    """Whether the person has set up a second factor."""
    return bool(is_mfa_enabled(user, FACTORS))


def standing_of(request: HttpRequest) -> Standing:
    """What the session of a request counts as; asked once per request."""
    known = getattr(request, "signin_standing", None)
    if known is None:
        known = _judge(request)
        request.signin_standing = known  # type: ignore[attr-defined]
    return known


def _judge(request: HttpRequest) -> Standing:
    user = get_user(request)
    if not user.is_authenticated:
        return Standing.NOBODY
    records = get_authentication_records(request, user)
    began = [record["at"] for record in records if not record.get("reauthenticated")]
    if began:
        # Django counts from the last change of a session, so one in use would never end.
        ends = max(began) + settings.SESSION_COOKIE_AGE
        if time.time() >= ends:
            request.session.flush()
            return Standing.NOBODY
        # No answer to a poll may count for longer (``careers.backoffice.polling``).
        request.signin_ends = ends  # type: ignore[attr-defined]
    shown = {record["method"] for record in records}
    if "mfa" in shown:
        return Standing.SIGNED_IN
    if has_factor(user):
        return Standing.NOBODY
    return Standing.SETTING_UP if is_required() else Standing.SIGNED_IN


def only_both_factors_count(get_response: GetResponse) -> GetResponse:
    """Middleware: make ``request.user`` anonymous unless both factors were shown.

    ``request.user`` stays lazy: a public page that does not ask for it stays cacheable.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        also = (Standing.SETTING_UP,) if _is_for_setting_up(request.path) else ()
        request.user = SimpleLazyObject(lambda: person_of(request, *also))  # type: ignore[assignment]
        request.auser = sync_to_async(lambda: person_of(request, *also))  # type: ignore[method-assign]
        is_admin = request.path.startswith("/admin/")
        if is_admin and not also and standing_of(request) is Standing.SETTING_UP:
            return HttpResponseRedirect(reverse("mfa_index"))
        return get_response(request)

    return middleware


def person_of(request: HttpRequest, *also: Standing) -> Any:
    """Who a request is from; anonymous unless the standing is full, or one of ``also``."""
    if standing_of(request) in (Standing.SIGNED_IN, *also):
        return get_user(request)
    return AnonymousUser()


def _is_for_setting_up(path: str) -> bool:
    """Whether a person without a second factor may use this address."""
    if not path.startswith("/admin/"):
        return False
    return path.startswith(reverse("mfa_index")) or path in (
        reverse("account_reauthenticate"),
        reverse("account_logout"),
        reverse("wagtailadmin_logout"),
    )
