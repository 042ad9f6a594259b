"""What a mail server's refusal means: a reply code is certain, wherever it comes.

Codes: RFC 5321, 4.2; RFC 4954, 6 (login); RFC 3207 (STARTTLS); RFC 3463 (enhanced codes).
"""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from careers.applications.errors import EffectError, Misconfigured, Permanent, Transient

#: Login or encryption is missing or wrong, whatever the command was.
LOGIN_CODES = frozenset([454, 530, 534, 535, 538])
#: The code of a refusal that is about how many mails we send, and not about this one.
CROWDED = "mail-crowded"
CROWD_PAUSE = 10  # seconds
#: How servers say so: Microsoft (432, "4.4.2 Message submission rate for this client has exceeded
#: the configured limit", "554 5.2.0 STOREDRV.Submission…QuotaExceeded…"), Amazon SES ("454
#: Throttling failure"), Google ("550 5.4.5 Daily user sending limit exceeded"), Postfix ("too many
#: connections", "too much mail"), rspamd ("Ratelimit … exceeded"). A full mailbox of the
#: recipient's is none of them, and neither is a mail that is too large.
_TOO_MANY = re.compile(
    rb"too (?:many|much) (?:concurrent |smtp )?(?:conn|mail|mess|session|login)"
    rb"|throttl|concurrent|\brate.?limit|sender thread limit|storedrv\.(?:client)?submi"
    rb"|(?:sending|submission|message|connection)s? (?:rate|limit|quota)"
)


def refused(stage: str, code: int, text: bytes, recipient: str = "") -> EffectError:
    """The error for a negative reply.

    Args:
        stage: what was answered: ``connection``, ``encryption``, ``login``, ``sender``,
            ``recipient`` or ``message``.
        code: the reply code, 400 to 599.
        text: the reply's text; used for the answer in words, addresses removed.
        recipient: whose address must not appear.
    """
    answer = f"{code} {without_addresses(text, recipient)}".strip()
    words = {"answer": answer}
    lower = text.lower()
    closes = code == 421 and stage in ("connection", "encryption", "login", "sender")
    if closes or code == 432 or _TOO_MANY.search(lower):
        return Transient(
            CROWDED,
            _(
                "The mail server takes no more mails just now (%(answer)s). It will be tried "
                "again, and the other mails wait with it."
            )
            % words,
            retry_after=CROWD_PAUSE,
        )
    if code in LOGIN_CODES or (stage == "login" and code >= 500):
        return Misconfigured(
            "mail-login",
            _(
                "The mail server refused the login (%(answer)s). Check EMAIL_HOST_USER, "
                "EMAIL_HOST_PASSWORD and EMAIL_USE_TLS."
            )
            % words,
        )
    # Our mails are small. Microsoft refuses some as too large and takes the same ones later.
    if 400 <= code < 500 or b"message is too large" in lower or _says_later(lower):
        return Transient(
            "mail-later",
            _("The mail server asked to try later (%(answer)s). It will be tried again.") % words,
        )
    if stage in ("connection", "encryption"):
        return Misconfigured(
            "mail-server",
            _(
                "The mail server refuses this machine (%(answer)s). Check EMAIL_HOST and "
                "EMAIL_PORT, or ask its operator."
            )
            % words,
        )
    if stage == "sender" and code != 552:
        return Misconfigured(
            "mail-sender",
            _("The mail server refused the sender (%(answer)s). Check DEFAULT_FROM_EMAIL.") % words,
        )
    if stage == "recipient" and b"relay" in lower:
        return Misconfigured(
            "mail-relay",
            _(
                "The mail server does not send to others for us (%(answer)s). Check "
                "EMAIL_HOST_USER, or allow this machine on the server."
            )
            % words,
        )
    if stage == "recipient":
        return Permanent(
            "mail-recipient",
            _(
                "The mail server refused the recipient's address (%(answer)s). Correct the "
                "address, or write in another way."
            )
            % words,
        )
    return Permanent(
        "mail-refused",
        _(
            "The mail server refused the mail (%(answer)s). Look into the server's log, then "
            "send it again."
        )
        % words,
    )


def without_addresses(text: bytes, recipient: str = "") -> str:
    """A reply's text in one short line without mail addresses and without the recipient's name."""
    line = " ".join(text.decode("utf-8", "replace").split())
    line = "".join(c for c in line if c.isprintable())
    for personal in (recipient, recipient.rpartition("@")[0]):
        if personal:
            words = rf"(?<!\w){re.escape(personal)}(?!\w)"
            line = re.sub(words, "…", line, flags=re.IGNORECASE)
    line = re.sub(r"<?[^\s<>@]+@[^\s<>@]+>?", "…", line)
    return line[:200].strip()


def _says_later(text: bytes) -> bool:
    """Whether the enhanced code contradicts a permanent one (``550 4.7.1 …``): it is exacter."""
    return re.match(rb"4\.\d{1,3}\.\d{1,3}\b", text.strip()) is not None
