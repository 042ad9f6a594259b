"""Passwords: limits on wrong ones, and the mail for a forgotten one.

allauth's own limits are used rather than django-axes. They cover codes of the second factor,
password resets and reauthentication, too, are counted before a password is checked, so that
parallel attempts do not slip through, and keep no names and addresses.

Three limits apply to wrong passwords: for an address, for a person from an address, and for a
person from all addresses where they have never signed in. Somebody who knows a user name can use up
the last one, but this does not affect the person at their usual address.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.forms import ResetPasswordForm
from allauth.account.internal.userkit import get_user_by_username
from allauth.core import context
from allauth.core.internal import ratelimit
from django.db import close_old_connections, connection
from django.http import HttpRequest

from careersite.signin import log

logger = logging.getLogger(__name__)

#: Set on a request whose attempt was counted.
_COUNTED = "_careersite_attempt_counted"


class PasswordBackend(AuthenticationBackend):
    """Checks a password only after the attempt was counted.

    So a view that calls Django's ``authenticate`` directly, such as Django's own login view, signs
    nobody in.
    """

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> Any:
        if request is None or not getattr(request, _COUNTED, False):
            return None
        return super().authenticate(request, **credentials)


class Attempts:
    """The attempts of one request to sign in with a password."""

    def __init__(self, request: HttpRequest, name: str) -> None:
        self.request = request
        user = get_user_by_username(name)
        # Different spellings of a name may belong to one account.
        person = f"user {user.pk}" if user else f"name {name.lower()}"
        address = ratelimit.get_ip(request)
        self._limits = [("login_failed_address", None), ("login_failed", f"{person} {address}")]
        if not log.has_signed_in_from(user, address):
            self._limits.append(("login_failed_anywhere", person))
        self._used: list[Any] = []

    def count(self) -> bool:
        """Count one attempt; False if it is one too many."""
        for action, key in self._limits:
            used = ratelimit.consume(self.request, app="allauth.account", action=action, key=key)
            if not used:
                return False
            self._used.append(used)
        setattr(self.request, _COUNTED, True)
        return True

    def take_back(self) -> None:
        """The password was right: the attempt does not count."""
        for used in self._used:
            used.rollback()

    def forget(self) -> None:
        """Start counting anew for this person, but not for all others at this address."""
        for action, key in self._limits[1:]:
            ratelimit.clear(self.request, app="allauth.account", action=action, key=key)


class ResetForm(ResetPasswordForm):  # type: ignore[misc]
    """Sends the mail for a new password after the answer.

    So the answer takes the same time whether or not there is an account. Accounts that sign in
    through the single sign-on have no password, and get no mail.
    """

    def clean_email(self) -> str:
        email: str = super().clean_email()
        self.users: list[Any] = [user for user in self.users if user.has_usable_password()]
        return email

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        if self.users:
            send = super().save

            def work() -> None:
                with context.request_context(request):
                    send(request, **kwargs)

            later(work)
        return str(self.cleaned_data["email"])


def later(work: Callable[[], object]) -> None:
    """Do ``work`` in a thread, so that the answer does not wait for it."""
    threading.Thread(target=_quietly, args=(work,)).start()


def _quietly(work: Callable[[], object]) -> None:
    close_old_connections()
    try:
        work()
    except Exception:
        logger.exception("Work after a request to sign in failed")
    finally:
        connection.close()
