"""What allauth does differently here."""

from __future__ import annotations

import base64
import contextlib
import time
from typing import Any

from allauth.account import app_settings as account_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.core.internal.httpkit import clean_client_ip
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage
from allauth.mfa.totp.internal.auth import generate_totp_secret
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from careersite.signin import second_factor, sso
from careersite.signin.passwords import Attempts
from home.models import SiteSettings

_LIMITED = _(
    "There were too many wrong passwords or codes. Wait 5 minutes, then try again. If you have "
    "forgotten your password, ask for a new one."
)


class AccountAdapter(DefaultAccountAdapter):
    """Signing in with a password, and redirects afterwards."""

    error_messages = {  # noqa: RUF012 -- allauth's name
        **DefaultAccountAdapter.error_messages,
        "too_many_login_attempts": _LIMITED,
        "username_password_mismatch": _("Your username and password do not match."),
    }

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        self._attempts = Attempts(request, str(credentials.get("username") or ""))
        if not self._attempts.count():
            raise self.validation_error("too_many_login_attempts")

    def _rollback_login_failed_rl_usage(self) -> None:
        self._attempts.take_back()

    def get_client_ip(self, request: HttpRequest) -> str:
        # ``careersite.proxies`` has set it, from the headers of our own proxies only.
        # It is kept with sessions, where it must be an address.
        return clean_client_ip(request.META.get("REMOTE_ADDR", "")) or "::"

    def is_safe_url(self, url: str | None) -> bool:
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        # The request's host may be the name of a proxy, or made up.
        return f"{settings.SITE_URL}{path.replace('UID-KEY', key)}"

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("signin_security")

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Not within five minutes after signing in, so that setting up asks for no password."""
        records = get_authentication_records(self.request, self.request.user)
        if records and time.time() - records[-1]["at"] < account_settings.REAUTHENTICATION_TIMEOUT:
            return False
        return bool(super().is_reauthentication_required(app=app, **kwargs))

    def get_login_stages(self) -> list[str]:
        ours = {"allauth.mfa.stages.AuthenticateStage": "careersite.signin.adapters.SecondFactor"}
        return [ours.get(stage, stage) for stage in super().get_login_stages()]


class SecondFactor(AuthenticateStage):
    """Asks for the second factor, unless the single sign-on has vouched for it."""

    def handle(self) -> tuple[Any, bool]:
        if sso.has_vouched(self.request):
            record_authentication(self.request, self.login.user, "mfa", type="sso")
            return None, True
        answer: tuple[Any, bool] = super().handle()
        return answer


class FactorAdapter(DefaultMFAAdapter):
    """Second factors. Their secrets are encrypted with ``SECRET_KEY``."""

    error_messages = {  # noqa: RUF012 -- allauth's name
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": _(
            "This is your only second factor, and this site requires one. Add another one first."
        ),
    }

    def encrypt(self, text: str) -> str:
        return _ciphers().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return _ciphers().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            # SECRET_KEY has changed. No code fits a random secret; an administrator can reset it.
            return generate_totp_secret()

    def get_totp_issuer(self) -> str:
        return SiteSettings.of_default_site().company_name or str(super().get_totp_issuer())

    def get_totp_label(self, user: Any) -> str:
        return str(user.get_username())

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        others = Authenticator.objects.filter(
            user=authenticator.user, type__in=second_factor.FACTORS
        ).exclude(pk=authenticator.pk)
        return others.exists() or not second_factor.is_required()


def encrypted_anew(text: str) -> str:
    """An encrypted secret under the present ``SECRET_KEY``; unchanged when no key opens it."""
    try:
        _cipher(settings.SECRET_KEY).decrypt(text.encode())
    except InvalidToken:
        with contextlib.suppress(InvalidToken):
            return _ciphers().rotate(text.encode()).decode()
    return text


def _ciphers() -> MultiFernet:
    return MultiFernet(map(_cipher, [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]))


def _cipher(key: str) -> Fernet:
    derived = salted_hmac("careersite.signin.factors", "key", secret=key, algorithm="sha256")
    return Fernet(base64.urlsafe_b64encode(derived.digest()))
