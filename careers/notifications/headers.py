"""The addresses of a mail, each with its own host.

Django and ``smtplib`` write hosts by IDNA 2003: mail to faß.de, and replies to it, would go to
fass.de. So every address gets its host in ASCII before they see it.
"""

from __future__ import annotations

import copy
import io
from email.generator import BytesGenerator
from email.message import Message
from email.utils import formataddr, parseaddr

from django.core.mail import EmailMultiAlternatives

from home.values import mail_address


def addressed(message: EmailMultiAlternatives) -> EmailMultiAlternatives:
    """A copy of a mail to send: each host is in ASCII.

    An address for replies is left out if it has no such spelling, or is not ASCII before the @:
    then only servers with SMTPUTF8 would take the mail, and the recipient's may have none.
    """
    copied = copy.copy(message)
    copied.extra_headers = dict(message.extra_headers)
    copied.from_email = mailbox(message.from_email)
    copied.to = [mailbox(one) for one in message.to]
    replies = map(mailbox, message.reply_to)
    copied.reply_to = [one for one in replies if one and one.isascii()]
    return copied


def mailbox(written: str) -> str:
    """``Name <address>`` or an address, its host in ASCII; "" if no mail can be sent to it."""
    name, address = parseaddr(str(written))
    sent = address_of(written)
    if sent in ("", address):
        return str(written) if sent else ""
    return formataddr((name, sent)) if sent.isascii() else sent


def address_of(mailbox: str) -> str:
    """The bare address for the envelope, its host in ASCII; "" if no mail can be sent to it."""
    try:
        return mail_address.to_ascii(parseaddr(str(mailbox))[1])
    except ValueError:
        return ""


def content_of(message: EmailMultiAlternatives) -> tuple[bytes, str]:
    """A mail's bytes, and its Message-ID.

    An address that is not ASCII stands in the header as it is (RFC 6532, 3.2). Django would make
    it an encoded word, which no server reads as an address (RFC 2047, 5).
    """
    header = b""
    if international := [one for one in message.to if not one.isascii()]:
        header = f"To: {', '.join(international)}\r\n".encode()
        message = copy.copy(message)
        message.to = []
    mail = message.message()
    return header + _bytes_of(mail), str(mail["Message-ID"])


def _bytes_of(mail: Message) -> bytes:
    """The mail's bytes, its long Message-ID on one line: some servers lose a folded one."""
    written = io.BytesIO()
    policy = mail.policy.clone(linesep="\r\n", max_line_length=900)
    BytesGenerator(written, mangle_from_=False, policy=policy).flatten(mail)
    return written.getvalue()
