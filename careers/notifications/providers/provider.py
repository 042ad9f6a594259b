"""What every mail provider has in common. django-anymail speaks each provider's API.

This module adds what ``smtp`` adds to SMTP: a known point of no return, and one meaning for each
answer. If a provider supports idempotency keys, a mail whose answer was lost is repeated safely.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass
from typing import Any, ClassVar

import requests
from anymail.exceptions import (
    AnymailAPIError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailWebhookValidationFailure,
)
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.http import HttpRequest
from django.utils.module_loading import import_string

from careers.applications.errors import EffectError
from careers.notifications.before_send import BeforeSend, IdempotencyWindow
from careers.notifications.providers import answers
from careers.notifications.providers.http import watched_session
from careers.notifications.refusals import without_addresses
from careers.notifications.reports import KNOWN, Forged, Report, Unreadable, report

#: The user name in the webhook's address, with EMAIL_WEBHOOK_SECRET as the password.
WEBHOOK_USER = "careers"


@dataclass(frozen=True)
class IdempotencyKey:
    """How a provider takes the key under which it sends a mail only once.

    Attributes:
        window: how long the provider certainly remembers a key: the documented time, less a
            margin for slow networks and inaccurate clocks.
        request_header: the header of the HTTP request that carries the key; "" for none.
        mail_header: the header of the mail that carries the key; "" for none.
        in_progress: the provider's name for "the first request with this key still runs".
        used_before: its name for "this key was used, and the first answer is not repeated".
    """

    window: dt.timedelta
    request_header: str = ""
    mail_header: str = ""
    in_progress: str = ""
    used_before: str = ""


class Provider:
    """One mail provider. Subclass it, fill in the attributes and ``register`` it.

    Attributes:
        name: what ``EMAIL_PROVIDER`` holds; lower case.
        backend: the import path of django-anymail's e-mail backend.
        webhook: the import path of django-anymail's view for delivery reports.
        api_key_option: the backend's name for the API key.
        idempotency_key: how the provider takes a key; None when it takes none.
        international: it sends to addresses with letters beyond ASCII before the @ (RFC 6531).
    """

    name: ClassVar[str]
    backend: ClassVar[str]
    webhook: ClassVar[str]
    api_key_option: ClassVar[str] = "api_key"
    idempotency_key: ClassVar[IdempotencyKey | None] = None
    international: ClassVar[bool] = False

    # ── Sending ─────────────────────────────────────────────────────────────────────────

    def send(self, message: EmailMultiAlternatives, *, before_send: BeforeSend) -> str:
        """Send a mail to its one recipient.

        The provider gives the mail a Message-ID of its own; ours becomes the idempotency key.

        Returns:
            The provider's answer: the HTTP status and its name for the mail.

        Raises:
            Transient, Permanent, Misconfigured: this attempt certainly sent nothing.
            Uncertain: there is no clear answer; where there is a key a repetition is safe.
            Undecidable: the provider recognizes the key but does not report whether it sent the
                mail.
        """
        backend, idempotency = self._backend(), self.idempotency_key
        # The site's address, because two sites may share an account and the same operators.
        own = f"{settings.SITE_URL} {message.extra_headers.pop('Message-ID')}"
        key = str(uuid.uuid5(uuid.NAMESPACE_URL, own))
        if idempotency and idempotency.mail_header:
            message.extra_headers[idempotency.mail_header] = key
        sent = False

        def about_to_send() -> None:
            nonlocal sent
            if idempotency:
                before_send(self._window(idempotency, backend.api_url, key))
            else:
                before_send()
            # Set before the bytes leave: after an interruption here the provider may have them.
            sent = True

        with watched_session(about_to_send) as session:
            if idempotency and idempotency.request_header:
                session.headers[idempotency.request_header] = key
            backend.session = session
            try:
                backend.send_messages([message])
            except (AnymailRecipientsRefused, AnymailInvalidAddress):
                wrong: EffectError = answers.refused_recipient()
            except AnymailAPIError as error:
                wrong = self._error(error, sent, message.to[0])
            else:
                status = message.anymail_status  # type: ignore[attr-defined]
                response = status.esp_response
                if 200 <= response.status_code < 300:
                    own_name = without_addresses(str(status.message_id or "").encode())
                    return f"{response.status_code} {own_name}".strip()
                # django-anymail reports some of Postmark's refusals as a recipient's status.
                wrong = self.refusal(response, message.to[0])
        # Without the cause: its frames hold the mail and the API key.
        raise wrong

    def probe(self) -> None:
        """Return when the provider's API answers; only a mail shows whether it accepts the key.

        Raises:
            Transient, Misconfigured: what is wrong.
        """
        with watched_session(lambda: None) as session:
            try:
                session.get(self._backend().api_url, timeout=settings.EMAIL_TIMEOUT)
            except requests.TooManyRedirects:
                return
            except requests.RequestException as error:
                wrong = answers.unreachable(error)
            else:
                return
        raise wrong

    def refusal(self, response: requests.Response, recipient: str) -> EffectError:
        """What an answer that is no success means.

        Args:
            recipient: the address that must not appear in the error.
        """
        key = self.idempotency_key
        names = answers.error_names(response)
        if key:
            if key.in_progress and key.in_progress in names:
                return answers.unconfirmed()
            if response.status_code == 409 or (key.used_before and key.used_before in names):
                return answers.used_before(response, recipient)
        return answers.refusal(response, recipient)

    def _error(self, error: AnymailAPIError, sent: bool, recipient: str) -> EffectError:
        cause = error.__cause__
        response = error.response
        if isinstance(cause, requests.TooManyRedirects):
            response = cause.response
        if response is not None:
            return self.refusal(response, recipient)
        if not sent and isinstance(cause, requests.RequestException):
            return answers.unreachable(cause)
        return answers.unconfirmed()

    def _window(self, idempotency: IdempotencyKey, api_url: str, key: str) -> IdempotencyWindow:
        known = hashlib.sha256(f"{api_url} {settings.EMAIL_API_KEY} {key}".encode()).hexdigest()
        return IdempotencyWindow(f"{self.name[:15]}:{known[:24]}", idempotency.window)

    def _backend(self) -> Any:
        options: dict[str, Any] = {
            "timeout": settings.EMAIL_TIMEOUT,
            self.api_key_option: settings.EMAIL_API_KEY,
        }
        if settings.EMAIL_API_URL:
            options["api_url"] = settings.EMAIL_API_URL
        return get_connection(self.backend, **options)

    # ── Delivery reports ────────────────────────────────────────────────────────────────

    def read_reports(self, request: HttpRequest) -> list[Report]:
        """The delivery reports in a request to the webhook.

        Raises:
            Forged: the request lacks the secret.
            Unreadable: it is not what this provider sends.
        """
        view = import_string(self.webhook)(
            webhook_secret=f"{WEBHOOK_USER}:{settings.EMAIL_WEBHOOK_SECRET}"
        )
        try:
            view.run_validators(request)
        except AnymailWebhookValidationFailure:
            raise Forged from None
        try:
            events = view.parse_events(request)
        except Exception:  # the body may hold anything, and the exception would quote it
            raise Unreadable from None
        return [
            report(event, kind, self.event_detail(event))
            for event in events
            if (kind := self.event_type(event)) in KNOWN
        ]

    def event_type(self, event: Any) -> str:
        """django-anymail's ``EventType`` of an event; override it where anymail is wrong."""
        return str(event.event_type)

    def event_detail(self, event: Any) -> str:
        """Why the mail was not delivered, in the words of a server or the provider; or ""."""
        return str(event.mta_response or event.description or "")
