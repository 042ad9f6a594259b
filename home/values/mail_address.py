"""An e-mail address as mail servers read it: where it leads, and which spellings are the same.

Sources: RFC 5321, 4.1.2; RFC 6531, 3.3 and 3.7.1 (letters beyond ASCII).
"""

from __future__ import annotations

import contextlib
import re
from urllib.parse import quote

from home.values import host
from home.values.text import without_unseen

#: Some providers give addresses with two dots in a row, so dots are not looked at.
_LOCAL = re.compile(r'[^\x00-\x20\x7f"(),:;<>@\[\\\]]+|"(?:[^"\\]|\\.)*"')


def to_ascii(address: str) -> str:
    """An address as it goes into an envelope or a header: its host in ASCII.

    The part before the @ has no spelling in ASCII. If it is not ASCII, only a server with SMTPUTF8
    (RFC 6531) takes the address.

    Raises:
        ValueError: no mail can be sent to it.
    """
    local, at, name = address.rpartition("@")
    if not at or not local.isprintable() or not _LOCAL.fullmatch(local):
        raise ValueError("not an address")
    return f"{local}@{host.to_ascii(name)}"


def key(address: str) -> str:
    """One spelling for all spellings of an address, to compare and to look up.

    Capitals before the @ are the same as small letters: no mail server in use tells them apart.
    """
    local, at, name = address.strip().rpartition("@")
    return without_unseen(local).lower() + at + host.to_unicode(name)


def spellings(address: str) -> set[str]:
    """What may be stored for an address, in small letters: its ``key``, and its host in ASCII."""
    one = key(address)
    try:
        return {one, to_ascii(one)}
    except ValueError:
        return {one}


def for_people(address: str) -> str:
    """An address with its host in the letters of its language; other hosts stay as they are."""
    local, at, name = address.rpartition("@")
    shown = host.to_unicode(name)
    return f"{local}{at}{name if name.isascii() and shown.isascii() else shown}"


def uri(address: str) -> str:
    """The address of a link that writes to an e-mail address (RFC 6068).

    Its host is in ASCII, because mail programs differ in how they convert it.
    """
    with contextlib.suppress(ValueError):
        address = to_ascii(address)
    return f"mailto:{quote(address, safe='@[]:')}"


def is_international(address: str) -> bool:
    """Whether only a server with SMTPUTF8 takes the address."""
    return not address.rpartition("@")[0].isascii()


def stand_in(address: str) -> str:
    """An address of the same form in ASCII, for a validator that knows no other letters.

    Raises:
        ValueError: no mail can be sent to it.
    """
    local, at, name = to_ascii(address).rpartition("@")
    return "".join(letter if letter.isascii() else "x" for letter in local) + at + name
