"""An e-mail address as mail servers read it: where it leads, and which spellings are the same.

Sources: RFC 5321, 4.1.2; RFC 6531, 3.3 and 3.7.1 (letters beyond ASCII).
"""

from __future__ import annotations

import contextlib
import re
from urllib.parse import quote

from home.values import host
from home.values.text import without_unseen

#: Some providers give addresses with two dots in a row, so dots are not looked at here.
_ATOMS = re.compile(r'[^\x00-\x20\x7f"(),:;<>@\[\\\]]+')
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_LOCAL = re.compile(f"{_ATOMS.pattern}|{_QUOTED.pattern}")
_ESCAPED = re.compile(r"\\(.)")

#: Providers whose customers have addresses with such dots: mobile networks of Japan.
_ODD_DOTS_HOSTS = re.compile(r"(?:.+\.)?(?:ne\.jp|au\.com)\.?", re.IGNORECASE | re.DOTALL)


def to_ascii(address: str) -> str:
    """An address as it goes into an envelope or a header: its host in ASCII.

    The part before the @ has no spelling in ASCII. If it is not ASCII, only a server with SMTPUTF8
    (RFC 6531) takes the address. With two dots in a row it gets quotes, which belong to the
    spelling and not to the address; the providers of such addresses ask for them.

    Raises:
        ValueError: no mail can be sent to it.
    """
    local, at, name = address.rpartition("@")
    if not at or not local.isprintable() or not _LOCAL.fullmatch(local):
        raise ValueError("not an address")
    if _has_odd_dots(local):
        local = f'"{local}"'
    return f"{local}@{host.to_ascii(name)}"


def has_dots_too_many(address: str) -> bool:
    """Whether its dots can only be a mistake: at the start, at the end or in a row.

    Some providers in Japan give such addresses.
    """
    local, _at, name = address.rpartition("@")
    return _has_odd_dots(local) and not _ODD_DOTS_HOSTS.fullmatch(name)


def _has_odd_dots(local: str) -> bool:
    """Whether RFC 5321 allows the dots between quotes only."""
    is_quoted = local.startswith('"')
    return not is_quoted and (local[:1] == "." or local[-1:] == "." or ".." in local)


def key(address: str) -> str:
    """One spelling for all spellings of an address, to compare and to look up.

    Capitals before the @ are the same as small letters: no mail server in use tells them apart.
    Quotes that only the dots need, or nothing, are left out, as people type the address, and so
    are needless backslashes.
    """
    local, at, name = address.strip().rpartition("@")
    local = without_unseen(local).lower()
    if at and _QUOTED.fullmatch(local):
        inside = unquoted(local)
        local = inside if _ATOMS.fullmatch(inside) else _in_quotes(inside)
    return local + at + host.to_unicode(name)


def unquoted(local: str) -> str:
    """What is before the @, without quotes: they belong to the spelling (RFC 5321, 4.1.2)."""
    return _ESCAPED.sub(r"\1", local[1:-1]) if _QUOTED.fullmatch(local) else local


def _in_quotes(local: str) -> str:
    escaped = re.sub(r'(["\\])', r"\\\1", local)
    return f'"{escaped}"'


def spellings(address: str) -> set[str]:
    """What may be stored for an address, in small letters.

    Returns:
        Its ``key``, the same with quotes, and both with the host in ASCII.
    """
    local, at, name = key(address).rpartition("@")
    hosts = {name}
    with contextlib.suppress(ValueError):
        hosts.add(host.to_ascii(name))
    names = {local} if local[:1] in ("", '"') else {local, _in_quotes(local)}
    return {f"{one}{at}{server}" for one in names for server in hosts}


def for_people(address: str) -> str:
    """An address with its host in the letters of its language; other hosts stay as they are."""
    local, at, name = address.rpartition("@")
    shown = host.to_unicode(name)
    return f"{local}{at}{name if name.isascii() and shown.isascii() else shown}"


def stored(address: str, limit: int) -> str:
    """An address for a column that release 0.1 reads during a deploy.

    That release spells hosts by IDNA 2003, so mail to ``faß.de`` would go to ``fass.de``. It
    leaves a host in ASCII as it is. ``for_people`` shows such an address in its own letters.

    Args:
        limit: the most characters of the column; a longer spelling is not used.
    """
    local, at, name = address.rpartition("@")
    if name.isascii() or host.has_one_spelling(name):
        return address
    with contextlib.suppress(ValueError):
        spelled = f"{local}{at}{host.to_ascii(name)}"
        return spelled if len(spelled) <= limit else address
    return address


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
