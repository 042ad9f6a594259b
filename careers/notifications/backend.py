"""Django's e-mail backend, so that mails of Django, Wagtail and allauth go the way of all others.

They are sent at once and once, by the server or provider of the ``EMAIL_…`` settings. They are no
steps: a lost link for a new password is asked for again. A mail that fails is logged and never ends
the request that caused it.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator, Sequence
from email.utils import make_msgid
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

from careers.applications.errors import EffectError
from careers.notifications.before_send import IdempotencyWindow
from careers.notifications.delivery import deliver
from careers.notifications.headers import address_of

log = logging.getLogger(__name__)


class EmailBackend(BaseEmailBackend):
    """Sends each mail to each of its recipients alone, as ``deliver`` does."""

    def __init__(self, fail_silently: bool = False, **_options: Any) -> None:
        super().__init__(fail_silently=fail_silently)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Send mails; returns how many reached all of their recipients."""
        return sum(self._send(message) for message in email_messages)

    def _send(self, message: EmailMessage) -> bool:
        sent = bool(message.recipients())
        for copied in _one_for_each(message):
            try:
                deliver(copied, before_send=_nothing_to_record)
            except (EffectError, ImproperlyConfigured) as error:
                # The words name no address.
                log.error("A mail was not sent. %s", getattr(error, "public", error))
                sent = False
        return sent


def _one_for_each(message: EmailMessage) -> Iterator[EmailMultiAlternatives]:
    for recipient in message.recipients():
        copied = copy.copy(message)
        copied.to, copied.cc, copied.bcc = [recipient], [], []
        domain = address_of(message.from_email).rpartition("@")[2] or "localhost"
        copied.extra_headers = {**message.extra_headers, "Message-ID": make_msgid(domain=domain)}
        yield copied  # type: ignore[misc]


def _nothing_to_record(window: IdempotencyWindow | None = None, /) -> None:
    """There is no step whose outcome would become unknown."""
