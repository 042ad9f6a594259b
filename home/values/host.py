"""Host names, as they are spelled on the network and for people.

``faß.de`` and ``fass.de`` belong to different companies, and so do names with a final sigma or a
joiner and names without. Python's codec ``idna``, which ``smtplib``, ``socket``, ``ssl`` and Django
use, follows IDNA 2003 and takes one for the other. So a host gets its spelling for the network
here, before any of them sees it. Browsers and mail servers of today do the same.

Sources: IDNA 2008 (RFC 5890 to 5893); UTS 46, non-transitional processing.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import idna

#: Longer than any host (RFC 1035, 2.3.4), in any spelling that ``idna`` looks at.
_LONGEST = 1024
#: Underscores are no letters of a host name, but services of container networks have them.
_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
#: RFC 5321, 4.1.3, and RFC 3986, 3.2.2.
_LITERAL = re.compile(r"\[(?:ipv6:)?[0-9a-f:.]{2,45}\]")


def to_ascii(host: str) -> str:
    """The spelling of a host in the DNS, an envelope, a header or a URL.

    Args:
        host: a name in any spelling, or an IP address in brackets.

    Returns:
        A-labels in lower case.

    Raises:
        ValueError: there can't be such a host.
    """
    if len(host) > _LONGEST:
        raise ValueError("too long for a host")
    # ``idna`` refuses some names that exist, such as those with an underscore.
    name = host.lower() if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    if not (_NAME.fullmatch(name) and len(name) <= 254) and not _LITERAL.fullmatch(name):
        raise ValueError("not a host")
    return name


def is_host(name: str) -> bool:
    """Whether there can be such a host."""
    try:
        to_ascii(name)
    except ValueError:
        return False
    return True


def to_unicode(host: str) -> str:
    """The spelling of a host for people: one for all spellings of the same host.

    Returns:
        U-labels where ``to_ascii`` leads back to the same host, else A-labels. What is no host is
        returned in lower case.
    """
    try:
        name = to_ascii(host)
    except ValueError:
        return host.lower()
    return ".".join(map(_u_label, name.split(".")))


def _u_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        shown = idna.ulabel(label)
        return shown if to_ascii(shown) == label else label
    except ValueError:
        return label


def has_one_spelling(host: str) -> bool:
    """Whether IDNA 2003 spells a host for the network as ``to_ascii`` does.

    It does not for ``faß.de``, and has no spelling for many letters that came later.
    """
    try:
        return host.encode("idna").decode() == to_ascii(host)
    except ValueError:
        return False


def url_to_ascii(url: str) -> str:
    """A URL with its host in ASCII; the rest is unchanged.

    Raises:
        ValueError: there can't be such a host.
    """
    parts = urlsplit(url)
    user, at, server = parts.netloc.rpartition("@")
    host, port = re.fullmatch(r"(.*?)((?::\d*)?)", server, re.DOTALL).groups()  # type: ignore[union-attr]
    if host.isascii():
        return url
    before, _authority, after = url.partition(parts.netloc)
    return f"{before}{user}{at}{to_ascii(host)}{port}{after}"
