"""What is written to the log, and what follows from a change of factors or e-mail address."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.internal.userkit import get_user_by_username
from allauth.account.models import EmailAddress
from allauth.mfa import signals as factors
from allauth.mfa.models import Authenticator
from django.contrib.auth import get_user_model, user_logged_out
from django.contrib.auth.signals import user_login_failed
from django.db.models.signals import post_save
from django.http import HttpRequest

from careersite.signin import log, passwords


def connect() -> None:
    """Connect all receivers; called once, when the apps are loaded."""
    account.user_logged_in.connect(_signed_in)
    account.password_changed.connect(_password_changed)
    account.password_reset.connect(_password_reset)
    user_logged_out.connect(_signed_out)
    user_login_failed.connect(_failed)
    factors.authenticator_added.connect(_factor_added)
    factors.authenticator_removed.connect(_factor_removed)
    factors.authenticator_reset.connect(_codes_renewed)
    factors.authentication_failed.connect(_code_wrong)
    post_save.connect(_forget_former_addresses, sender=get_user_model())


def _signed_in(sender: Any, request: HttpRequest, user: Any, **_more: Any) -> None:
    methods = [
        record.get("type") or record["method"]
        for record in get_authentication_records(request, user)
    ]
    log.write("signin.in", user, request, methods=list(dict.fromkeys(methods)))


def _signed_out(sender: Any, request: HttpRequest, user: Any, **_more: Any) -> None:
    if user is not None and user.is_authenticated:
        log.write("signin.out", user, request)


def _failed(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_more: Any
) -> None:
    """Written after the answer, which takes the same time without such an account."""
    user = get_user_by_username(str(credentials.get("username") or ""))
    if user is not None:
        passwords.later(lambda: log.write("signin.failed", user, request, method="password"))


def _code_wrong(sender: Any, request: HttpRequest, user: Any, **_more: Any) -> None:
    log.write("signin.failed", user, request, method="second factor")


def _password_changed(sender: Any, request: HttpRequest, user: Any, **_more: Any) -> None:
    log.write("signin.password_changed", user, request)


def _password_reset(sender: Any, request: HttpRequest, user: Any, **_more: Any) -> None:
    log.write("signin.password_reset", user, request)
    passwords.Attempts(request, user.get_username()).forget()


def _factor_added(
    sender: Any, request: HttpRequest, user: Any, authenticator: Authenticator, **_more: Any
) -> None:
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        # The person has just used it.
        record_authentication(
            request, user, "mfa", id=authenticator.pk, type=str(authenticator.type)
        )
    log.write("signin.factor_added", user, request, type=str(authenticator.type))


def _factor_removed(
    sender: Any, request: HttpRequest, user: Any, authenticator: Authenticator, **_more: Any
) -> None:
    log.write("signin.factor_removed", user, request, type=str(authenticator.type))


def _codes_renewed(sender: Any, request: HttpRequest, user: Any, **_more: Any) -> None:
    log.write("signin.codes_renewed", user, request)


def _forget_former_addresses(sender: Any, instance: Any, **_more: Any) -> None:
    """allauth keeps addresses of its own; a former one must not get the mail for a new password."""
    EmailAddress.objects.filter(user=instance).exclude(email__iexact=instance.email).delete()
