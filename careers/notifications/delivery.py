"""Send one mail to one person, and report whether it was sent."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.utils import DNS_NAME

from careers.applications.errors import EffectError, Fenced, Misconfigured, Transient, Uncertain
from careers.applications.sentences import sentence as _
from careers.notifications import headers, providers
from careers.notifications.before_send import BeforeSend
from careers.notifications.refusals import (
    no_such_host,
    only_ascii,
    refused,
    without_addresses,
)
from careers.notifications.smtp import PhaseSMTP, PhaseSMTPOverTLS


@dataclass(frozen=True)
class Delivery:
    """The mail server or provider accepted the mail.

    Attributes:
        message_id: the mail's Message-ID.
        response: the server's answer, such as ``250 2.0.0 Ok: queued as 4XyZ``, without
            addresses. The server's operator can find the mail with it.
    """

    message_id: str
    response: str


def deliver(message: EmailMultiAlternatives, *, before_send: BeforeSend) -> Delivery:
    """Send a mail to its one recipient by the server or provider of the ``EMAIL_…`` settings.

    One recipient, because a server may accept a mail for one and refuse it for another, and
    there is only one answer to record. A mail counts as sent when the server has confirmed it. How
    the connection ends afterwards (no answer or garbage after QUIT) changes nothing.

    Args:
        before_send: called at the last moment before the message leaves. It checks that the
            step is still ours, and records that the outcome may be unknown from here on. When
            it raises, nothing is sent, and the caller gets the exception.

    Raises:
        ValueError: not exactly one recipient.
        ImproperlyConfigured: no installed app registers the provider.
        Fenced, Undecidable: from ``before_send``.
        Transient, Permanent, Misconfigured: the mail was certainly not sent.
        Uncertain: the connection was lost after the message left and before the answer.
    """
    recipients = message.recipients()
    if len(recipients) != 1:
        raise ValueError(f"A mail goes to exactly one recipient, not to {len(recipients)}.")
    addressed = headers.addressed(message)
    recipient = headers.address_of(recipients[0])
    sender = headers.address_of(message.from_email)
    if not sender or not sender.isascii():
        raise Misconfigured(
            "mail-sender",
            _("Mails have no sender. Set DEFAULT_FROM_EMAIL, for instance to careers@example.com."),
        )
    if not recipient:
        raise no_such_host()
    if provider := providers.configured():
        if not recipient.isascii() and not provider.international:
            raise only_ascii()
        message_id = addressed.extra_headers["Message-ID"]
        return Delivery(message_id, provider.send(addressed, before_send=before_send))
    content, message_id = headers.content_of(addressed)

    client = _connected()
    client.before_send = before_send
    try:
        _start_session(client)
        options = [f"size={len(content)}"] if client.has_extn("size") else []
        if client.has_extn("8bitmime") and not content.isascii():
            options.append("BODY=8BITMIME")
        if not recipient.isascii():
            if not client.has_extn("smtputf8"):
                raise only_ascii()
            options.append("SMTPUTF8")
        with _connection_errors():
            code, text = client.mail(sender, options)
        _expect("sender", code, text, recipient)
        with _connection_errors():
            code, text = client.rcpt(recipient)
        _expect("recipient", code, text, recipient)
        code, text = _send_data(client, content, recipient)
        _expect("message", code, text, recipient)
    finally:
        client.abort()
    return Delivery(
        message_id=message_id,
        response=f"{code} {without_addresses(text, recipient)}".strip(),
    )


#: Mail servers that keep mails and deliver none, by what they say when one connects.
CATCHERS = ("Mailpit", "MailHog", "MailDev", "smtp4dev", "GreenMail", "Inbucket", "MailCatcher")


@dataclass(frozen=True)
class MailRoute:
    """What the mail server or provider takes.

    Attributes:
        international: whether it takes addresses with letters beyond ASCII before the @
            (SMTPUTF8, RFC 6531).
        catcher: the name of a server that delivers nothing; "" for others.
    """

    international: bool
    catcher: str = ""


def probe() -> MailRoute:
    """Check that the mail server answers, encrypts as configured and accepts the login.

    A provider only has to answer: most API keys allow sending and nothing else.

    Raises:
        Transient, Misconfigured: what is wrong.
    """
    if provider := providers.configured():
        provider.probe()
        return MailRoute(provider.international)
    client = _connected()
    try:
        _start_session(client)
        said = f"{client.greeting} {client.ehlo_resp!r}".lower()
        catcher = next((name for name in CATCHERS if name.lower() in said), "")
        return MailRoute(client.has_extn("smtputf8"), catcher)
    finally:
        client.abort()


def _connected() -> PhaseSMTP | PhaseSMTPOverTLS:
    if not settings.EMAIL_HOST:
        raise Misconfigured(
            "mail-server", _("No mail server is configured. Set EMAIL_HOST to its name.")
        )
    try:
        with _connection_errors():
            if settings.EMAIL_USE_SSL:
                return PhaseSMTPOverTLS(
                    settings.EMAIL_HOST,
                    settings.EMAIL_PORT,
                    local_hostname=DNS_NAME.get_fqdn(),
                    timeout=settings.EMAIL_TIMEOUT,
                    context=ssl.create_default_context(),
                )
            return PhaseSMTP(
                settings.EMAIL_HOST,
                settings.EMAIL_PORT,
                local_hostname=DNS_NAME.get_fqdn(),
                timeout=settings.EMAIL_TIMEOUT,
            )
    except smtplib.SMTPConnectError as error:
        code, text = error.smtp_code, _bytes(error.smtp_error)
    raise _reply_error("connection", code, text)


def _start_session(client: PhaseSMTP | PhaseSMTPOverTLS) -> None:
    """EHLO, STARTTLS if EMAIL_USE_TLS is set, login if there is a user."""
    try:
        with _connection_errors():
            client.ehlo_or_helo_if_needed()
    except smtplib.SMTPHeloError as error:
        code, text = error.smtp_code, _bytes(error.smtp_error)
        raise _reply_error("connection", code, text) from None
    if settings.EMAIL_USE_TLS and not settings.EMAIL_USE_SSL:
        _encrypt(client)
    if settings.EMAIL_HOST_USER:
        _log_in(client)


def _encrypt(client: PhaseSMTP | PhaseSMTPOverTLS) -> None:
    # Without STARTTLS nothing is sent: an attacker in the network may have removed the offer.
    if not client.has_extn("starttls"):
        raise Misconfigured(
            "mail-tls",
            _(
                "The mail server offers no encryption (STARTTLS). Nothing was sent. Check "
                "EMAIL_PORT and EMAIL_USE_TLS."
            ),
        )
    try:
        with _connection_errors():
            client.starttls(context=ssl.create_default_context())
            client.ehlo_or_helo_if_needed()
    except smtplib.SMTPResponseException as error:
        code, text = error.smtp_code, _bytes(error.smtp_error)
        raise _reply_error("encryption", code, text) from None


def _log_in(client: PhaseSMTP | PhaseSMTPOverTLS) -> None:
    try:
        with _connection_errors():
            client.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    except smtplib.SMTPResponseException as error:
        code, text = error.smtp_code, _bytes(error.smtp_error)
        raise _reply_error("login", code, text) from None
    except (smtplib.SMTPException, UnicodeEncodeError):
        raise Misconfigured(
            "mail-login",
            _(
                "The mail server offers no usable way to log in. Check EMAIL_PORT, "
                "EMAIL_USE_TLS and EMAIL_HOST_USER."
            ),
        ) from None


def _send_data(
    client: PhaseSMTP | PhaseSMTPOverTLS, content: bytes, recipient: str
) -> tuple[int, bytes]:
    """Send the message; returns the server's answer.

    Raises:
        Uncertain: there is no clear answer, and the point of no return is passed.
    """
    try:
        with _connection_errors():
            code, text = client.data(content)
    except Fenced:
        raise
    except Exception as error:
        if client.may_have_been_sent:
            raise _unconfirmed() from None
        if isinstance(error, smtplib.SMTPDataError):
            code, text = error.smtp_code, _bytes(error.smtp_error)
            raise _reply_error("message", code, text, recipient) from None
        raise
    if not 200 <= code < 600 or 300 <= code < 400:
        raise _unconfirmed()
    return code, text


def _expect(stage: str, code: int, text: bytes, recipient: str) -> None:
    if not 200 <= code < 300:
        raise _reply_error(stage, code, text, recipient)


def _reply_error(stage: str, code: int, text: bytes, recipient: str = "") -> EffectError:
    """What a reply code means; one that SMTP does not define counts as no answer."""
    return refused(stage, code, text, recipient) if 400 <= code < 600 else _no_answer()


@contextmanager
def _connection_errors() -> Iterator[None]:
    """Classify connection errors; after the point of no return ``_send_data`` decides.

    Errors are raised without their cause: its frames hold the message and the password.
    """
    try:
        yield
    except ssl.SSLCertVerificationError:
        raise Misconfigured(
            "mail-tls",
            _(
                "The mail server’s certificate is not accepted. Nothing was sent. "
                "Check EMAIL_HOST, or renew the certificate. If your own authority signed it, "
                "name its file in SSL_CERT_FILE."
            ),
        ) from None
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
        raise _no_answer() from None
    except ssl.SSLError as error:
        if "timed out" in str(error):
            raise _no_answer() from None
        raise Misconfigured(
            "mail-tls",
            _(
                "The TLS connection to the mail server failed. Nothing was sent. Check "
                "EMAIL_PORT, EMAIL_USE_TLS and EMAIL_USE_SSL."
            ),
        ) from None
    except socket.gaierror:
        raise Transient(
            "mail-unreachable",
            _(
                "The mail server’s host name was not found. Check EMAIL_HOST. It will be tried "
                "again."
            ),
        ) from None
    except smtplib.SMTPServerDisconnected:
        raise _no_answer() from None
    except smtplib.SMTPException as error:
        # For a line that is too long, smtplib itself sets the code 500; the server did not send it.
        if type(error) is smtplib.SMTPResponseException and error.smtp_error == "Line too long.":
            raise _no_answer() from None
        raise
    except OSError:
        raise _no_answer() from None


def _no_answer() -> Transient:
    return Transient(
        "mail-unreachable",
        _("The mail server did not answer. The site tries again."),
    )


def _unconfirmed() -> Uncertain:
    return Uncertain(
        "mail-unconfirmed",
        _(
            "The mail server got the mail but did not confirm it. Check the server’s log or ask "
            "the recipient, then choose “It arrived” or “Send again”."
        ),
    )


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "replace")
