"""What a mail server's refusal means. A reply code is certain: the mail was not sent.

Codes: RFC 5321, 4.2; RFC 4954, 6 (login); RFC 3207 (STARTTLS); RFC 3463 (enhanced codes).
"""

from __future__ import annotations

import re

from careers.applications.errors import EffectError, Misconfigured, Permanent, Transient
from careers.applications.sentences import sentence as _

#: Login or encryption is missing or wrong, whichever command was answered.
LOGIN_CODES = frozenset([454, 530, 534, 535, 538])
#: The error code for "you send too many mails", which is no fault of the refused mail.
CROWDED = "mail-crowded"
CROWD_PAUSE = 10  # seconds
#: The servers' words for it: Microsoft (432, "4.4.2 Message submission rate for this client has
#: exceeded the configured limit", "554 5.2.0 STOREDRV.Submission…QuotaExceeded…"), Amazon SES ("454
#: Throttling failure"), Google ("550 5.4.5 Daily user sending limit exceeded"), Postfix ("too many
#: connections", "too much mail"), rspamd ("Ratelimit … exceeded"). A recipient's full mailbox or a
#: mail that is too large must not match.
_TOO_MANY = re.compile(
    rb"too (?:many|much) (?:concurrent |smtp )?(?:conn|mail|mess|session|login)"
    rb"|throttl|concurrent|\brate.?limit|sender thread limit|storedrv\.(?:client)?submi"
    rb"|(?:sending|submission|message|connection)s? (?:rate|limit|quota)"
)


def refused(stage: str, code: int, text: bytes, recipient: str = "") -> EffectError:
    """The error for a negative reply.

    Args:
        stage: what the server answered: ``connection``, ``encryption``, ``login``, ``sender``,
            ``recipient`` or ``message``.
        code: the reply code, 400 to 599.
        text: the reply's text; the error quotes it without addresses.
        recipient: the address that must not appear in the error.
    """
    answer = f"{code} {without_addresses(text, recipient)}".strip()
    words = {"answer": answer}
    lower = text.lower()
    closes = code == 421 and stage in ("connection", "encryption", "login", "sender")
    if closes or code == 432 or _TOO_MANY.search(lower):
        return Transient(
            CROWDED,
            _(
                "The mail server accepts no more mails for now (%(answer)s). All mails "
                "wait and will be tried again."
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
    # Our mails are small. Microsoft refuses some as too large and accepts the same ones later.
    if 400 <= code < 500 or b"message is too large" in lower or _says_later(lower):
        return Transient(
            "mail-later",
            _("The mail server asked to try again later (%(answer)s). The site tries again.")
            % words,
        )
    if stage in ("connection", "encryption"):
        return Misconfigured(
            "mail-server",
            _(
                "The mail server refuses connections from this machine (%(answer)s). Check "
                "EMAIL_HOST and EMAIL_PORT, or ask the server’s operator."
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
                "The mail server does not forward mails for this machine (%(answer)s). Check "
                "EMAIL_HOST_USER, or allow this machine on the server."
            )
            % words,
        )
    if stage == "recipient":
        return Permanent(
            "mail-recipient",
            _(
                "The mail server refused the recipient’s address (%(answer)s). Correct the "
                "address, or contact the person in another way."
            )
            % words,
        )
    return Permanent(
        "mail-refused",
        _(
            "The mail server refused the mail (%(answer)s). Check the server’s log, then send "
            "the mail again."
        )
        % words,
    )


def no_such_host() -> Permanent:
    """No mail can be sent to the address, so no server was asked."""
    return Permanent(
        "mail-recipient",
        _(
            "There can’t be a mail server for this address, so nothing was sent. Correct the "
            "address, or contact the person in another way."
        ),
    )


def only_ascii() -> Permanent:
    """The address has letters beyond ASCII before the @, and the server lacks SMTPUTF8."""
    return Permanent(
        "mail-ascii",
        _(
            "The mail server takes no addresses with letters such as é before the @, so nothing "
            "was sent. Ask the person for another address, or send through a server that offers "
            "SMTPUTF8 and try again."
        ),
    )


def without_addresses(text: bytes, recipient: str = "") -> str:
    """A reply's text as one short line, without addresses and the recipient's name."""
    line = " ".join(text.decode("utf-8", "replace").split())
    line = "".join(c for c in line if c.isprintable())
    for personal in (recipient, recipient.rpartition("@")[0]):
        if personal:
            words = rf"(?<!\w){re.escape(personal)}(?!\w)"
            line = re.sub(words, "…", line, flags=re.IGNORECASE)
    line = re.sub(r"<?[^\s<>]+>?", _masked, line)
    return line[:200].strip()


def _masked(word: re.Match[str]) -> str:
    return "…" if "@" in word[0] else word[0]


def _says_later(text: bytes) -> bool:
    """Whether the enhanced code says "temporary" after a permanent one (``550 4.7.1 …``)."""
    return re.match(rb"4\.\d{1,3}\.\d{1,3}\b", text.strip()) is not None
