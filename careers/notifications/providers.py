"""Mail through a provider's HTTP API instead of SMTP.

django-anymail knows how each one wants to be told. What is added here is what SMTP has in
``smtp``: a known point of no return, and one meaning for each answer. Some providers also take
a key with a mail and send it once, however often it is handed over under that key; there an
answer that got lost costs nothing.

Keys, as documented by the providers:

- Resend: the header ``Idempotency-Key``, remembered for 24 hours. The same mail again gets the
  first answer again; 409 ``invalid_idempotent_request`` means that another mail was sent under
  the key, 409 ``concurrent_idempotent_requests`` that the first time is still under way.
  https://resend.com/docs/dashboard/emails/idempotency-keys
- Brevo: ``idempotencyKey``, a UUID, among the mail's headers, remembered for 15 minutes
  (https://developers.brevo.com/changelog/email-api-now-supports-idempotency) or 30 minutes
  (https://developers.brevo.com/docs/heterogenous-versions-batch-emails). The same mail again is
  not sent but refused as ``duplicate_parameter``.
- Postmark documents no key.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import re
import socket
import ssl
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from anymail.exceptions import (
    AnymailAPIError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
)
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.utils import timezone
from django.utils.translation import gettext as _
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool

from careers.applications.errors import (
    EffectError,
    Misconfigured,
    Permanent,
    Transient,
    Uncertain,
    Undecidable,
)
from careers.notifications.before_send import BeforeSend, Memory
from careers.notifications.refusals import CROWD_PAUSE, CROWDED, without_addresses


@dataclass(frozen=True)
class Provider:
    """What is known of one provider.

    Attributes:
        webhook: anymail's class that reads its reports.
        key_setting: what anymail calls its API key.
        key_header: where the key of a mail goes in the request; "" for nowhere.
        key_field: the same among the headers of the mail.
        remembers: for how long it surely knows a key: the documented time, less a margin for
            slow networks and clocks; None where it takes no key.
    """

    webhook: str
    key_setting: str = "api_key"
    key_header: str = ""
    key_field: str = ""
    remembers: dt.timedelta | None = None


#: By the names that anymail gives them.
PROVIDERS = {
    "resend": Provider(
        "anymail.webhooks.resend.ResendTrackingWebhookView",
        key_header="Idempotency-Key",
        remembers=dt.timedelta(hours=23),
    ),
    "brevo": Provider(
        "anymail.webhooks.brevo.BrevoTrackingWebhookView",
        key_field="idempotencyKey",
        remembers=dt.timedelta(minutes=10),
    ),
    "postmark": Provider(
        "anymail.webhooks.postmark.PostmarkTrackingWebhookView", key_setting="server_token"
    ),
}
#: Longer pauses than this are not believed; in seconds.
LONGEST_PAUSE = 24 * 3600


def send(message: EmailMultiAlternatives, *, before_send: BeforeSend) -> str:
    """Hand a mail for one recipient to the provider of ``EMAIL_PROVIDER``.

    The provider gives the mail a Message-ID of its own; ours makes its key.

    Returns:
        The provider's answer: the status and its name for the mail.

    Raises:
        Transient, Permanent, Misconfigured: this handing over certainly sent nothing.
        Uncertain: there is no clear answer; where there is a key it is safe to repeat.
        Undecidable: the provider knows the key and not what became of the mail.
    """
    backend = _backend()
    provider = PROVIDERS[settings.EMAIL_PROVIDER]
    # Two sites may share an account, and tell the same operators.
    name = f"{settings.SITE_URL} {message.extra_headers.pop('Message-ID')}"
    key = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
    memory = _memory(backend.api_url, key)
    if provider.key_field:
        message.extra_headers[provider.key_field] = key

    sent = False

    def about_to_send() -> None:
        nonlocal sent
        before_send(memory) if memory else before_send()
        # Before the bytes leave: whatever interrupts us here, the provider may have them.
        sent = True

    with _session(about_to_send) as session:
        if provider.key_header:
            session.headers[provider.key_header] = key
        backend.session = session
        try:
            backend.send_messages([message])
        except AnymailRecipientsRefused:
            wrong: EffectError = _refused_recipient()
        except AnymailInvalidAddress:
            wrong = _refused_recipient()
        except AnymailAPIError as error:
            wrong = _meaning(error, sent, message.to[0], keyed=memory is not None)
        else:
            status = message.anymail_status  # type: ignore[attr-defined]
            response = status.esp_response
            if 200 <= response.status_code < 300:
                name = without_addresses(str(status.message_id or "").encode())
                return f"{response.status_code} {name}".strip()
            # Anymail leaves some refusals of Postmark's to the status of each recipient.
            wrong = answered(response, message.to[0], keyed=memory is not None)
    # Without the cause: its frames hold the mail and the API key.
    raise wrong


def ask() -> None:
    """Return when the provider's API answers at all; whether it takes the key, a mail tells.

    Raises:
        Transient, Misconfigured: what is wrong.
    """
    with _session(lambda: None) as session:
        try:
            session.get(_backend().api_url, timeout=settings.EMAIL_TIMEOUT)
        except requests.TooManyRedirects:
            return
        except requests.RequestException as error:
            wrong = _unreachable(error)
        else:
            return
    raise wrong


def _memory(api_url: str, key: str) -> Memory | None:
    """Who remembers a key, told apart by the account; None where nobody does."""
    remembers = PROVIDERS[settings.EMAIL_PROVIDER].remembers
    if remembers is None:
        return None
    known = hashlib.sha256(f"{api_url} {settings.EMAIL_API_KEY} {key}".encode()).hexdigest()
    return Memory(f"{settings.EMAIL_PROVIDER}:{known[:24]}", remembers)


def _backend() -> Any:
    options: dict[str, Any] = {"timeout": settings.EMAIL_TIMEOUT}
    options[PROVIDERS[settings.EMAIL_PROVIDER].key_setting] = settings.EMAIL_API_KEY
    if settings.EMAIL_API_URL:
        options["api_url"] = settings.EMAIL_API_URL
    return get_connection(f"anymail.backends.{settings.EMAIL_PROVIDER}.EmailBackend", **options)


# ── HTTP with a known point of no return ────────────────────────────────────────────────


def _session(about_to_send: Callable[[], None]) -> requests.Session:
    """A session for one request, which tells when the connection stands and the first byte is
    about to leave."""
    session = requests.Session()
    session.headers["User-Agent"] = "careersite"
    # Nobody is told by a third party where to take an applicant's name.
    session.max_redirects = 0
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(about_to_send))
    return session


class _Adapter(HTTPAdapter):
    def __init__(self, about_to_send: Callable[[], None]) -> None:
        self.about_to_send = about_to_send
        self.announced = False
        super().__init__(max_retries=0)

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        # Here, for a session's own choice yields to the environment's.
        if settings.EMAIL_API_CA:
            kwargs["verify"] = settings.EMAIL_API_CA
        response = super().send(*args, **kwargs)
        if not self.announced:
            # Bytes left in a way that we don't watch: whatever it says, nobody asked the fence.
            raise _unconfirmed()
        return response

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        # Every way leads through here: the direct one, and those through each kind of proxy.
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _watched(pool.ConnectionCls, self._announce)
        return pool

    def _announce(self) -> None:
        self.about_to_send()
        self.announced = True


def _watched(connection: Any, about_to_send: Callable[[], None]) -> Any:
    class Connection(connection):  # type: ignore[misc]
        def request(self, *args: Any, **kwargs: Any) -> None:
            # Encrypted ones, and those through a tunnel, are connected by now.
            if self.sock is None:
                self.connect()
            about_to_send()
            super().request(*args, **kwargs)

    return Connection


# ── What an answer means ────────────────────────────────────────────────────────────────


def _meaning(error: AnymailAPIError, sent: bool, recipient: str, *, keyed: bool) -> EffectError:
    cause = error.__cause__
    response = error.response
    if isinstance(cause, requests.TooManyRedirects):
        response = cause.response
    if response is not None:
        return answered(response, recipient, keyed=keyed)
    if not sent and isinstance(cause, requests.RequestException):
        return _unreachable(cause)
    return _unconfirmed()


def answered(response: requests.Response, recipient: str, *, keyed: bool) -> EffectError:
    """What an answer that is no success means (RFC 9110, 15; RFC 6585, 4).

    Args:
        recipient: whose address must not appear.
        keyed: the provider was given a key.
    """
    code, names, said = response.status_code, *_said(response)
    words = {"answer": f"{code} {without_addresses(said.encode(), recipient)}".strip()}
    if keyed and code == 409 and "concurrent" in names:
        return _unconfirmed()
    if keyed and (code == 409 or "duplicate_parameter" in names):
        return Undecidable(
            "mail-unconfirmed",
            _(
                "The mail provider has had this mail before and does not say what became of it "
                "(%(answer)s). Look into the provider’s log or ask the recipient, then confirm "
                "or send again."
            )
            % words,
        )
    if code == 429:
        return Transient(
            CROWDED,
            _(
                "The mail provider takes no more mails just now (%(answer)s). It will be tried "
                "again, and the other mails wait with it."
            )
            % words,
            retry_after=_pause(response.headers.get("Retry-After", "")) or CROWD_PAUSE,
        )
    if code in (401, 403):
        return Misconfigured(
            "mail-login",
            _(
                "The mail provider refused the API key or the sender (%(answer)s). Check "
                "EMAIL_API_KEY, and that it may send for the address in DEFAULT_FROM_EMAIL."
            )
            % words,
        )
    if code == 402:
        return Misconfigured(
            "mail-server",
            _("The mail provider wants to be paid first (%(answer)s). Look into the account.")
            % words,
        )
    if 300 <= code < 400 or code in (404, 405):
        return Misconfigured(
            "mail-server",
            _(
                "The mail provider has nothing at this address (%(answer)s). Check EMAIL_PROVIDER "
                "and EMAIL_API_URL."
            )
            % words,
        )
    if 400 <= code < 500 and code != 408:
        if "sender" in said.lower():
            return Misconfigured(
                "mail-sender",
                _("The mail provider refused the sender (%(answer)s). Check DEFAULT_FROM_EMAIL.")
                % words,
            )
        return Permanent(
            "mail-refused",
            _(
                "The mail provider refused the mail (%(answer)s). Correct the address, or look "
                "into the provider’s log, then try again."
            )
            % words,
        )
    # It may have broken down after it had taken the mail.
    return _unconfirmed()


def _said(response: requests.Response) -> tuple[str, str]:
    """A refusal's name for machines, and its words."""
    body: Any = None
    with contextlib.suppress(ValueError):
        body = response.json()
    if not isinstance(body, dict):
        body = {}
    names = " ".join(str(body.get(name, "")) for name in ("name", "code", "ErrorCode"))
    return names, str(body.get("message") or body.get("Message") or "")


def _pause(value: str) -> int | None:
    """The seconds of a Retry-After (RFC 9110, 10.2.3); None when it says nothing useful."""
    if re.fullmatch(r"\d{1,9}", value):
        seconds = int(value)
    else:
        try:
            seconds = int((parsedate_to_datetime(value) - timezone.now()).total_seconds())
        except (TypeError, ValueError):
            return None
    return min(seconds, LONGEST_PAUSE) if seconds > 0 else None


def _unreachable(error: requests.RequestException) -> EffectError:
    """Why no connection came about; nothing was sent."""
    causes = _causes(error)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return Misconfigured(
            "mail-tls",
            _(
                "The mail provider's certificate is not valid, or it does not speak TLS. Nothing "
                "was sent. Check EMAIL_API_URL; name the authority that signed the certificate "
                "in SSL_CERT_FILE."
            ),
        )
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Transient(
            "mail-unreachable",
            _(
                "The mail provider's name was not found. Check EMAIL_API_URL. It will be tried "
                "again."
            ),
        )
    return Transient(
        "mail-unreachable", _("The mail provider did not answer. It will be tried again.")
    )


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return found


def _unconfirmed() -> Uncertain:
    return Uncertain(
        "mail-unconfirmed",
        _(
            "The mail provider got the mail but did not confirm it. Ask the recipient or look "
            "into the provider’s log, then mark it as arrived or send it again."
        ),
    )


def _refused_recipient() -> Permanent:
    return Permanent(
        "mail-recipient",
        _(
            "The mail provider refused the recipient's address. Correct the address, or write in "
            "another way."
        ),
    )
