"""Where an address in an office file leads."""

from __future__ import annotations

import html
from urllib.parse import unquote


def is_remote(target: str) -> bool:
    """Whether an address leads to another machine.

    Word itself writes the template that a text was made from, as a path on the author's machine.
    """
    target = unquote(html.unescape(target)).strip()
    # Windows takes both slashes for each other.
    if target[:2].strip("\\/") == "" and len(target) > 1:
        return True
    scheme, colon, rest = target.partition(":")
    if not colon or len(scheme) == 1 or not scheme.isascii():
        return False  # relative, or C:\…
    if scheme.lower() != "file":
        return scheme.lower() != "mailto"
    slashes = len(rest) - len(rest.lstrip("/\\"))
    path = rest[slashes:].lower()
    if slashes == 2:
        return not (path.startswith(("localhost/", "localhost\\")) or path[1:2] == ":")
    return slashes > 3 and path[1:2] != ":"


def is_web(target: str) -> bool:
    """Whether an address is one of a web page or of a picture in one."""
    return target.strip().lower().startswith(("http://", "https://"))
