"""An e-mail address that a person typed, or pasted from a mail program.

Sources: RFC 5322 section 3.4 (mailboxes), RFC 6068 (``mailto:``).
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

from home.values.text import clean as clean_text

#: Marks of direction, joiners and selectors, which no address holds but for joiners in the names of
#: hosts; ``home.values.text`` keeps them where a script needs them.
_MARKS = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u061c\ufe0e\ufe0f"))
#: Full-width forms of ASCII, the stops and the at sign of East Asian keyboards.
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_WIDE |= {ord("\u3002"): ord("."), ord("\uff61"): ord("."), ord("\ufe6b"): ord("@")}
#: What word processors put in the place of a hyphen and an apostrophe.
_LOOKALIKES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")
_LOOKALIKES |= dict.fromkeys(map(ord, "\u2018\u2019\u02bc"), "'")
_QUOTES = ("''", '""', "``", "“”", "‘’", "«»", "()", "[]", "<>")


def clean(text: str) -> str:
    """An address as it is stored: without what nobody can see and what surrounds it.

    ``Name <a@b.example>``, ``mailto:a@b.example``, ``a@b.example (Name)``, quotes, and a comma or
    stop at the end are understood. The letters of the address stay as they are, capitals too.

    Args:
        text: any text; the caller checks its length first.

    Returns:
        The address; it may still be wrong, and may still hold several addresses.
    """
    text = clean_text(text).translate(_MARKS).translate(_WIDE)
    text = _inner(text.rstrip(" ,;."))
    text = re.sub(r" ?([@.]) ?", r"\1", text)
    local, at, host = text.rpartition("@")
    return f"{_plain(local)}{at}{_plain(host)}"


def _inner(text: str) -> str:
    """The address without a name, a comment, quotes and the scheme of a link."""
    if text.endswith(">") and "<" in text:
        text = text[:-1].rpartition("<")[2]
    elif text.endswith(")") and " (" in text:
        text = text.rpartition(" (")[0]
    text = text.strip()
    for opening, closing in _QUOTES:
        if len(text) > 1 and text[0] == opening and text[-1] == closing:
            text = text[1:-1].strip()
    if text[:7].lower() == "mailto:":
        text = clean_text(unquote(text[7:].lstrip("/").partition("?")[0]))
    return text


def _plain(part: str) -> str:
    """A part in ASCII, if only look-alikes and digits of other scripts are not."""
    digits = (
        character if character.isascii() else str(unicodedata.decimal(character, character))
        for character in part.translate(_LOOKALIKES)
    )
    plain = "".join(digits)
    return plain if plain.isascii() else part
