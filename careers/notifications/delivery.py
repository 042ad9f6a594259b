"""Hand one mail for one person to the mail server, and know what became of it."""

from __future__ import annotations

import io
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.generator import BytesGenerator
from email.message import Message
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.utils import DNS_NAME
from django.utils.translation import gettext as _

from careers.applications.errors import EffectError, Fenced, Misconfigured, Transient, Uncertain
from careers.notifications import providers
from careers.notifications.before_send import BeforeSend
from careers.notifications.refusals import refused, without_addresses
from careers.notifications.smtp import PhaseSMTP, PhaseSMTPOverTLS


@dataclass(frozen=True)
class Delivery:
    """The mail server or provider took the mail.

    Attributes:
        message_id: the mail's own.
        response: what the server answered, such as ``250 2.0.0 Ok: queued as 4XyZ``; with it
            the provider finds the mail. Addresses are removed.
    """

    message_id: str
    response: str


def deliver(message: EmailMultiAlternatives, *, before_send: BeforeSend) -> Delivery:
    """Send a mail to its one recipient with the server or provider of the ``EMAIL_…`` settings.

    One recipient, because a server may take a mail for one and refuse it for another, and
    there is only one answer to record. A mail is sent once the server confirmed it; how the
    connection ends afterwards (a hanging or absurd answer to QUIT) changes nothing.

    Args:
        before_send: called at the last moment before the message leaves, to check that the step
            is still ours and to write down that from here on the outcome may be unknown, or
            who remembers it by a key. What it raises is raised, and nobody gets a message.

    Raises:
        ValueError: not exactly one recipient.
        Fenced, Undecidable: from ``before_send``.
        Transient, Permanent, Misconfigured: the mail was certainly not sent.
        Uncertain: the connection was lost after the message left and before the answer.
    """
    recipients = message.recipients()
    if len(recipients) != 1:
        raise ValueError(f"A mail goes to exactly one recipient, not to {len(recipients)}.")
    recipient = _address(recipients[0])
    sender = _address(message.from_email)
    if not sender:
        raise Misconfigured(
            "mail-sender",
            _(
                "Mails have no sender. Set DEFAULT_FROM_EMAIL to an address such as "
                "careers@example.com."
            ),
        )
    if not recipient:
        raise refused("recipient", 553, b"")
    if settings.EMAIL_PROVIDER:
        message_id = message.extra_headers["Message-ID"]
        return Delivery(message_id, providers.send(message, before_send=before_send))
    mail = message.message()
    content = _bytes_of(mail)

    client = _connected()
    client.before_send = before_send
    try:
        _introduce(client)
        options = [f"size={len(content)}"] if client.has_extn("size") else []
        if client.has_extn("8bitmime") and not content.isascii():
            options.append("BODY=8BITMIME")
        with _lost_before_dot():
            code, text = client.mail(sender, options)
        _expect("sender", code, text, recipient)
        with _lost_before_dot():
            code, text = client.rcpt(recipient)
        _expect("recipient", code, text, recipient)
        code, text = _send_data(client, content, recipient)
        _expect("message", code, text, recipient)
    finally:
        client.hang_up()
    return Delivery(
        message_id=str(mail["Message-ID"]),
        response=f"{code} {without_addresses(text, recipient)}".strip(),
    )


def probe() -> None:
    """Return when the mail server answers, encrypts as told and takes our login.

    A provider only has to answer: most keys may send and do nothing else.

    Raises:
        Transient, Misconfigured: what is wrong.
    """
    if settings.EMAIL_PROVIDER:
        providers.ask()
        return
    client = _connected()
    try:
        _introduce(client)
    finally:
        client.hang_up()


def _connected() -> PhaseSMTP | PhaseSMTPOverTLS:
    if not settings.EMAIL_HOST:
        raise Misconfigured(
            "mail-server", _("There is no mail server. Set EMAIL_HOST to its name.")
        )
    try:
        with _lost_before_dot():
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
    raise _answer_or_silence("connection", code, text)


def _introduce(client: PhaseSMTP | PhaseSMTPOverTLS) -> None:
    """EHLO, STARTTLS where it is asked for, login where there is a user."""
    try:
        with _lost_before_dot():
            client.ehlo_or_helo_if_needed()
    except smtplib.SMTPHeloError as error:
        code, text = error.smtp_code, _bytes(error.smtp_error)
        raise _answer_or_silence("connection", code, text) from None
    if settings.EMAIL_USE_TLS and not settings.EMAIL_USE_SSL:
        _encrypt(client)
    if settings.EMAIL_HOST_USER:
        _log_in(client)


def _encrypt(client: PhaseSMTP | PhaseSMTPOverTLS) -> None:
    # Somebody between us and the server may have removed the offer, so there is no way round.
    if not client.has_extn("starttls"):
        raise Misconfigured(
            "mail-tls",
            _(
                "The mail server offers no encryption (STARTTLS). Nothing was sent. Check "
                "EMAIL_PORT and EMAIL_USE_TLS."
            ),
        )
    try:
        with _lost_before_dot():
            client.starttls(context=ssl.create_default_context())
            client.ehlo_or_helo_if_needed()
    except smtplib.SMTPResponseException as error:
        code, text = error.smtp_code, _bytes(error.smtp_error)
        raise _answer_or_silence("encryption", code, text) from None


def _log_in(client: PhaseSMTP | PhaseSMTPOverTLS) -> None:
    try:
        with _lost_before_dot():
            client.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    except smtplib.SMTPResponseException as error:
        code, text = error.smtp_code, _bytes(error.smtp_error)
        raise _answer_or_silence("login", code, text) from None
    except (smtplib.SMTPException, UnicodeEncodeError):
        raise Misconfigured(
            "mail-login",
            _(
                "The mail server offers no login that can be used. Check EMAIL_PORT, "
                "EMAIL_USE_TLS and EMAIL_HOST_USER."
            ),
        ) from None


def _send_data(
    client: PhaseSMTP | PhaseSMTPOverTLS, content: bytes, recipient: str
) -> tuple[int, bytes]:
    """The answer to the message; everything without a clear answer after the dot is unclear."""
    try:
        with _lost_before_dot():
            code, text = client.data(content)
    except Fenced:
        raise
    except Exception as error:
        if client.after_dot:
            raise _unconfirmed() from None
        if isinstance(error, smtplib.SMTPDataError):
            code, text = error.smtp_code, _bytes(error.smtp_error)
            raise _answer_or_silence("message", code, text, recipient) from None
        raise
    if not 200 <= code < 600 or 300 <= code < 400:
        raise _unconfirmed()
    return code, text


def _expect(stage: str, code: int, text: bytes, recipient: str) -> None:
    if not 200 <= code < 300:
        raise _answer_or_silence(stage, code, text, recipient)


def _answer_or_silence(stage: str, code: int, text: bytes, recipient: str = "") -> EffectError:
    """What a code means; a code that SMTP does not know is as good as none."""
    return refused(stage, code, text, recipient) if 400 <= code < 600 else _silence()


@contextmanager
def _lost_before_dot() -> Iterator[None]:
    """Name the ways in which a connection fails; ``_send_data`` corrects it after the dot.

    Without the cause: its frames hold the message and the password.
    """
    try:
        yield
    except ssl.SSLCertVerificationError:
        raise Misconfigured(
            "mail-tls",
            _(
                "The mail server's certificate is not valid for its name. Nothing was sent. "
                "Check EMAIL_HOST; renew the certificate, or name the authority that signed it "
                "in SSL_CERT_FILE."
            ),
        ) from None
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
        raise _silence() from None
    except ssl.SSLError as error:
        if "timed out" in str(error):
            raise _silence() from None
        raise Misconfigured(
            "mail-tls",
            _(
                "The mail server does not speak TLS as expected. Nothing was sent. Check "
                "EMAIL_PORT, EMAIL_USE_TLS and EMAIL_USE_SSL."
            ),
        ) from None
    except socket.gaierror:
        raise Transient(
            "mail-unreachable",
            _("The mail server's name was not found. Check EMAIL_HOST. It will be tried again."),
        ) from None
    except smtplib.SMTPServerDisconnected:
        raise _silence() from None
    except smtplib.SMTPException as error:
        # smtplib invents a 500 for a line that is too long; that is no answer of the server.
        if type(error) is smtplib.SMTPResponseException and error.smtp_error == "Line too long.":
            raise _silence() from None
        raise
    except OSError:
        raise _silence() from None


def _silence() -> Transient:
    return Transient(
        "mail-unreachable", _("The mail server did not answer. It will be tried again.")
    )


def _unconfirmed() -> Uncertain:
    return Uncertain(
        "mail-unconfirmed",
        _(
            "The mail server got the mail but did not confirm it. Ask the recipient or look into "
            "the server's log, then mark it as arrived or send it again."
        ),
    )


def _address(mailbox: str) -> str:
    """The bare address for the envelope, its domain in ASCII (RFC 5890); "" when it is none."""
    local, at, domain = parseaddr(mailbox)[1].rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
    address = f"{local}@{domain}"
    if not at or not local or not domain or not re.fullmatch(r"[!-~ ]+", address):
        return ""
    return address


def _bytes_of(mail: Message) -> bytes:
    """The mail as it travels, its long Message-ID on one line: some servers lose a folded one."""
    written = io.BytesIO()
    policy = mail.policy.clone(linesep="\r\n", max_line_length=900)
    BytesGenerator(written, mangle_from_=False, policy=policy).flatten(mail)
    return written.getvalue()


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "replace")
