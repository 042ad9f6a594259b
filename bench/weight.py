"""What a browser loads for a job page, counted from the bytes that the site serves."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin

from bench.pages import ADDRESSES
from bench.rows import Figure
from bench.sites import Bench

#: Bytes of a KB.
KB = 1000
_IMPORT = re.compile(
    r"""(?:\bimport\b[^"';]*|\bfrom\s*|@import\s+(?:url\()?)["']([^"']+\.(?:js|css))["']"""
)
_FACE = re.compile(r"@font-face\s*{([^}]*)}")


class Loaded(HTMLParser):
    """What a page loads.

    Attributes:
        blocking: addresses without which no text is shown.
        later: addresses of other scripts and stylesheets.
        inline: stylesheets and scripts in the page itself.
    """

    def __init__(self) -> None:
        super().__init__()
        self.blocking: list[str] = []
        self.later: list[str] = []
        self.inline: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        kinds = given.get("rel", "").split()
        if tag == "link" and "stylesheet" in kinds:
            is_for_paper = given.get("media") == "print"
            (self.later if is_for_paper else self.blocking).append(given["href"])
        elif tag == "link" and "modulepreload" in kinds:
            self.later.append(given["href"])
        elif tag == "script" and "src" in given:
            waits = given.get("type") == "module" or {"defer", "async"} & given.keys()
            (self.later if waits else self.blocking).append(given["src"])
        # Data in a page, such as JobPosting markup, is no script.
        is_code = given.get("type", "module") in ("module", "text/javascript")
        self._inside = tag == "style" or (tag == "script" and is_code and "src" not in given)

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside and data.strip():
            self.inline.append(data)


def measure(bench: Bench) -> Iterator[tuple[str, float] | Figure]:
    """Requests, and bytes of stylesheets and scripts with what they import."""
    page = fetched(bench, ADDRESSES["job"]).decode()
    loaded = Loaded()
    loaded.feed(page)
    blocking = list(dict.fromkeys(loaded.blocking))
    left = [urljoin(ADDRESSES["job"], path) for path in [*blocking, *loaded.later]]
    raw = sum(len(text.encode()) for text in loaded.inline)
    packed = sum(len(gzip.compress(text.encode())) for text in loaded.inline)
    known: dict[str, int] = {}
    hidden = 0
    while left:
        path = left.pop()
        if path in known:
            continue
        content = fetched(bench, path)
        known[path] = len(content)
        raw += len(content)
        packed += len(fetched(bench, path, "br, gzip"))
        imported = [urljoin(path, found) for found in _IMPORT.findall(content.decode())]
        if path.endswith(".css"):
            hidden += len(imported)
            hidden += fonts_that_hide_text(content.decode())
        left += imported
    yield Figure("job page, stylesheets and scripts", len(known), "files")
    yield Figure("job page, HTML", len(page.encode()) / KB, "KB")
    yield "requests before the first text of the job page", 1 + len(blocking) + hidden
    yield "CSS and JS of the job page, raw", raw / KB
    yield "CSS and JS of the job page, compressed", packed / KB


def fonts_that_hide_text(stylesheet: str) -> int:
    """How many fonts a browser waits for: those it downloads without ``font-display``.

    A face of a font of the machine itself (``local()``) is there at once.
    """
    faces = _FACE.findall(stylesheet)
    return sum("url(" in face and "font-display" not in face for face in faces)


def fetched(bench: Bench, path: str, encoding: str = "identity") -> bytes:
    """The bytes that the site sends.

    Raises:
        RuntimeError: there is nothing at this address.
    """
    status, _headers, body = bench.site.get(
        path, {"Accept-Encoding": encoding}, port=bench.web.port
    )
    if status != 200:
        raise RuntimeError(f"{path} answered {status}")
    return body
