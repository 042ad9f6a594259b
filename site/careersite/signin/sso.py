"""Single sign-on with OpenID Connect (OpenID Connect Core 1.0, authorization code flow with PKCE).

allauth speaks the protocol. This module adds what it leaves out: the nonce, the signature of the ID
token, and that user info is about the same person. It decides who may come in: a claim maps to
groups, at every sign-in anew. Without a mapped claim there is no access.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from typing import Any, NoReturn

import jwt
from allauth.account.internal.userkit import filter_users_by_email
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from careersite.signin import log

logger = logging.getLogger(__name__)

#: Algorithms with which the provider may sign an ID token: those with a key pair. The token itself
#: names one of them.
ALGORITHMS = frozenset(
    f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)
) | {"EdDSA"}
_VOUCHED = "_careersite_second_factor_vouched"
#: What is kept of a person's claims, besides the groups.
_KEPT = (
    "sub",
    "email",
    "email_verified",
    "preferred_username",
    "given_name",
    "family_name",
    "name",
)


class Protocol(OpenIDConnectOAuth2Adapter):
    """The exchange with the provider."""

    def complete_login(
        self, request: HttpRequest, app: Any, token: Any, **kwargs: Any
    ) -> SocialLogin:
        config = self.openid_config
        if str(config["issuer"]).rstrip("/") != settings.OIDC_ISSUER:
            raise OAuth2Error("The provider has another name than OIDC_ISSUER.")
        id_token = kwargs["response"].get("id_token") or ""
        claims = jwtkit.verify_and_decode(
            credential=_with_known_algorithm(id_token),
            keys_url=config["jwks_uri"],
            issuer=config["issuer"],
            audience=app.client_id,
            lookup_kid=jwtkit.lookup_kid_jwk,
        )
        more = self._fetch_user_info(token.token) if "userinfo_endpoint" in config else {}
        if more and more.get("sub") != claims["sub"]:
            raise OAuth2Error("User info is about another person than the ID token.")
        found = {**more, **claims}
        kept = {name: found[name] for name in _KEPT if name in found}
        kept[settings.OIDC_GROUPS_CLAIM] = found.get(settings.OIDC_GROUPS_CLAIM, [])
        login: SocialLogin = self.get_provider().sociallogin_from_response(
            request, {"userinfo": kept}
        )
        login.signin_claims = claims  # type: ignore[attr-defined]
        return login


def _with_known_algorithm(id_token: str) -> str:
    """An ID token whose signature is checked by one of ``ALGORITHMS`` (RFC 8725, 3.1)."""
    try:
        algorithm = jwt.get_unverified_header(id_token).get("alg")
    except jwt.PyJWTError:
        algorithm = None
    if algorithm not in ALGORITHMS:
        raise OAuth2Error("The ID token is not signed in a known way.")
    return id_token


class Provider(OpenIDConnectProvider):
    """The provider that the environment names."""

    oauth2_adapter_class = Protocol

    def extract_uid(self, data: dict[str, Any]) -> str:
        """The person's name at this provider: another provider may give it to somebody else."""
        issuer = hashlib.sha256(settings.OIDC_ISSUER.encode()).hexdigest()[:16]
        return f"{issuer}:{super().extract_uid(data)}"

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, *_a: Any, **_k: Any
    ) -> HttpResponse:
        """Redirect to the provider; what the visitor adds to the address is ignored."""
        nonce = secrets.token_urlsafe(32)
        answer: HttpResponse = super().redirect(
            request, "login", next_url, auth_params={"nonce": nonce}, nonce=nonce
        )
        return answer


class SingleSignOnAdapter(DefaultSocialAccountAdapter):
    """Who may come in, and with which groups."""

    def get_provider(self, request: HttpRequest, provider: str, client_id: Any = None) -> Any:
        found = super().get_provider(request, provider, client_id)
        return Provider(request, app=found.app)

    def get_requests_session(self) -> Any:
        session = super().get_requests_session()
        # The configured provider answers itself; nothing is asked of another server.
        session.max_redirects = 0
        return session

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        # ``pre_social_login`` has refused everybody else.
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        claims = getattr(sociallogin, "signin_claims", {})
        if not claims or claims.get("nonce") != sociallogin.state.get("nonce"):
            _refuse(
                request,
                "nonce",
                _("The provider’s answer does not belong to this sign-in. Sign in again."),
            )
        groups = groups_of(sociallogin.account.extra_data["userinfo"])
        user = sociallogin.user if sociallogin.is_existing else None
        if not groups:
            if user is not None:
                set_groups(user, groups, request)
                end_sessions(user)
            _refuse(
                request,
                "no group",
                _(
                    "The provider knows you, but none of your groups there gives you access to "
                    "this site. Ask an administrator for access."
                ),
            )
        if user is None:
            self._check_address(request, sociallogin)
        else:
            if user.is_superuser and not user.socialaccount_set.exists():
                self._refuse_address(request)
            set_groups(user, groups, request)
        setattr(request, _VOUCHED, counts_as_both(claims))

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> Any:
        with transaction.atomic():
            user = super().save_user(request, sociallogin, form)
            set_groups(user, groups_of(sociallogin.account.extra_data["userinfo"]), request)
        return user

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Any = None,
        extra_context: Any = None,
    ) -> None:
        # The text of an exception may hold a code or an address.
        kind = type(exception).__name__ if exception else ""
        logger.warning("Single sign-on failed: %s %s", error or "error", kind)

    def _check_address(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        for address in sociallogin.email_addresses:
            if filter_users_by_email(address.email):
                self._refuse_address(request)

    def _refuse_address(self, request: HttpRequest) -> NoReturn:
        _refuse(
            request,
            "address in use",
            _(
                "An account of this site already has your e-mail address. Sign in with its "
                "password, or ask an administrator to delete that account."
            ),
        )


def has_vouched(request: HttpRequest) -> bool:
    """Whether this request is a single sign-on that counts as both factors."""
    return bool(getattr(request, _VOUCHED, False))


def counts_as_both(claims: dict[str, Any]) -> bool:
    """Whether a sign-in at the provider counts as both factors, by ``OIDC_SECOND_FACTOR``.

    With ``amr``, the provider must say so in the claim of that name (RFC 8176).
    """
    if settings.OIDC_SECOND_FACTOR == "amr":
        methods = claims.get("amr")
        return isinstance(methods, list) and "mfa" in methods
    return bool(settings.OIDC_SECOND_FACTOR == "always")


def groups_of(claims: dict[str, Any]) -> set[str]:
    """The names of the site's groups that the claims give."""
    claimed = claims.get(settings.OIDC_GROUPS_CLAIM)
    values = {claimed} if isinstance(claimed, str) else set()
    if isinstance(claimed, list):
        values = {value for value in claimed if isinstance(value, str)}
    return {group for value, group in settings.OIDC_GROUPS if value in values}


def set_groups(user: Any, names: set[str], request: HttpRequest) -> None:
    """Give exactly these of the groups in ``OIDC_GROUPS``; other groups stay as they are."""
    managed = {group for _value, group in settings.OIDC_GROUPS}
    before = set(user.groups.filter(name__in=managed).values_list("name", flat=True))
    if before == names:
        return
    there = {group.name: group for group in Group.objects.filter(name__in=managed)}
    if missing := sorted(names - there.keys()):
        logger.error("OIDC_GROUPS names groups that do not exist: %s", ", ".join(missing))
    user.groups.remove(*(there[name] for name in before - names))
    user.groups.add(*(there[name] for name in names & there.keys()))
    log.write("signin.groups", user, None, groups=sorted(names & there.keys()))


def end_sessions(user: Any) -> int:
    """End all sessions of a person; returns how many."""
    sessions = UserSession.objects.purge_and_list(user)
    for session in sessions:
        session.end()
    return len(sessions)


def _refuse(request: HttpRequest, reason: str, words: str) -> NoReturn:
    logger.warning("Single sign-on refused: %s", reason)
    raise ImmediateHttpResponse(
        render(request, "socialaccount/authentication_error.html", {"words": words}, status=403)
    )
