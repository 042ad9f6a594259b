"""Web addresses, as people type and paste them.

``www.linkedin.com/in/anna`` means ``https://www.linkedin.com/in/anna``. The scheme is added when
the address is taken in, so that what is stored, shown and mailed can be opened.
"""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from home.values.host import url_to_ascii
from home.values.text import clean

#: The most characters that are read (as ``URLValidator``).
LONGEST = 2048
#: The scheme and the host, with the slashes of any width between them.
_HEAD = re.compile(r"[^/?#／]*(?:[/／]{2}[^/?#／]*)?")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
#: "example.org:8080" looks like a scheme, and is a host with a port.
_PORT = re.compile(r"[0-9]{1,5}(?:[/?#]|\Z)")
#: What texts and mail programs put around an address.
_AROUND = {"<": ">", '"': '"', "“": "”", "«": "»"}
#: Full-width letters, digits and signs, as East Asian keyboards type them.
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {ord("。"): "."}
_WEB = URLValidator(schemes=["http", "https"])


def read(text: str) -> str | None:
    """The web address that a text means, with ``http`` or ``https``; None if it is none."""
    if len(text) > LONGEST:
        return None
    address = clean(text)
    if address and _AROUND.get(address[0]) == address[-1]:
        address = address[1:-1].strip()
    head = _HEAD.match(address)[0]  # type: ignore[index]  # it also matches nothing
    rest, head = address[len(head) :], head.translate(_NARROW)
    rest = rest[:1].translate(_NARROW) + rest[1:]
    scheme = _SCHEME.match(head)
    if head.startswith("//"):
        head = f"https:{head}"
    elif not scheme or _PORT.match(head, scheme.end()):
        # A mail address without "mailto:" would become a page for which somebody has to log in.
        if "@" in head:
            return None
        head = f"https://{head}"
    address = head + rest
    try:
        _WEB(address)
        # The host as it is typed is shown; browsers spell it for the network by the same rules.
        url_to_ascii(address)
    except (ValidationError, ValueError):
        return None
    return address
