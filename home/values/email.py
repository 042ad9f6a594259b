"""An e-mail address that a person typed, or pasted from a mail program.

Sources: RFC 5322 section 3.4 (mailboxes), RFC 6068 (``mailto:``).
"""

from __future__ import annotations

import contextlib
import re
from urllib.parse import unquote

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from home.bidi import quoted
from home.values import mail_address
from home.values.host import is_host
from home.values.text import clean as clean_text
from home.values.text import narrow, plain

#: What ``home.values.text`` keeps where a script needs it, and no address has.
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u061c\ufe0e\ufe0f"))
#: The stops and the at sign of East Asian keyboards.
_SIGNS = str.maketrans("\u3002\uff61\ufe6b", "..@")
#: What word processors put in the place of an apostrophe.
_APOSTROPHES = str.maketrans("\u2018\u2019\u02bc", "'''")
#: What one round leaves may have other surroundings. A person needs two rounds.
_ROUNDS = 10
_PAIRS = ("''", '""', "``", "“”", "‘’", "«»", "()", "[]", "<>")


def clean(text: str) -> str:
    """An address as it is stored: without what nobody can see and what surrounds it.

    ``Name <a@b.example>``, ``mailto:a@b.example``, ``a@b.example (Name)``, quotes, and a comma or
    stop at the end are understood. The letters of the address stay as they are, capitals too.

    Args:
        text: any text; the caller checks its length first.

    Returns:
        The address, its host as people write it: browsers may send ``xn--fa-hia.de`` for
        ``faß.de``. It may still be wrong, and may still be several addresses; see ``check``.
    """
    for _round in range(_ROUNDS):
        before, text = text, _without_surroundings(text)
        if text == before:
            break
    return text


def _without_surroundings(text: str) -> str:
    text = narrow(clean_text(text).translate(_INVISIBLE)).translate(_SIGNS)
    while (inner := _inner(text.rstrip(" ,;."))) != text:
        text = inner
    local, at, host = text.rpartition("@")
    # A space before the @ may divide other words from the address: those stay, and are refused.
    local, host = local.rstrip(" "), re.sub(r" ?\. ?", ".", host.lstrip(" "))
    return mail_address.for_people(f"{_ascii(local)}{at}{_ascii(host)}")


def check(address: str) -> None:
    """Accept one address in the form ``name@example.com``.

    Raises:
        ValidationError: it is none; the error says what is wrong with it.
    """
    local, at, host = address.rpartition("@")
    params = {"typed": quoted(address), "host": quoted(host)}
    if not at:
        problem = _("“%(typed)s” has no @. Enter an e-mail address in the form name@example.com.")
    elif "@" in local and not local.startswith('"'):
        problem = _("“%(typed)s” has more than one @. Enter one e-mail address.")
    elif " " in address:
        problem = _("“%(typed)s” has a space in it. Enter the e-mail address without spaces.")
    elif mail_address.has_dots_too_many(address):
        problem = _("“%(typed)s” has an extra dot before the @. Correct the e-mail address.")
    elif not local:
        problem = _("Nothing stands before the @ in “%(typed)s”. Enter the whole e-mail address.")
    elif not host:
        problem = _("Nothing stands after the @ in “%(typed)s”. Enter the whole e-mail address.")
    elif "." not in host and not host.startswith("[") and host.lower() != "localhost":
        problem = _("The end is missing after “%(host)s”, such as .com. Enter the whole address.")
    else:
        problem = _("“%(typed)s” is not an e-mail address. Enter one in the form name@example.com.")
        if not host.isascii() and not is_host(host):
            problem = _("There can’t be a mail server “%(host)s”. Correct what stands after the @.")
        with contextlib.suppress(ValueError, ValidationError):
            validate_email(mail_address.stand_in(address))
            return
    raise ValidationError(problem, code="invalid", params=params)


def _inner(text: str) -> str:
    """The address without a name, a comment, quotes and the scheme of a link."""
    for start, end in ((" (", ")"), ("<", ">")):
        before, found, within = text.removesuffix(end).rpartition(start)
        if found and text.endswith(end):
            address, words = (within, before) if end == ">" else (before, within)
            # Other words with an @ may be another address.
            if "@" not in words or words.strip(" \"'").lower() == address.lower():
                text = address.strip()
    for pair in _PAIRS:
        if len(text) > 1 and text[0] + text[-1] == pair:
            text = text[1:-1].strip()
    if text[:7].lower() == "mailto:":
        with contextlib.suppress(UnicodeDecodeError):
            text = clean_text(unquote(text[7:].partition("?")[0], errors="strict"))
    return text


def _ascii(part: str) -> str:
    """A part in ASCII, if only digits, dashes and apostrophes keep it from that."""
    found = plain(part.translate(_APOSTROPHES))
    return found if found.isascii() else part
