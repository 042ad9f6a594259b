"""A finished response: its bytes in each encoding, and what of it a request gets (RFC 9110)."""

from __future__ import annotations

import functools
import gzip
import hashlib
import re
from collections.abc import Sequence
from typing import NamedTuple

import brotli
from django.utils.http import parse_etags

Headers = list[tuple[str, str]]


class Prepared(NamedTuple):
    """What is sent for one encoding, but for ``Cache-Control``.

    Attributes:
        headers: of the whole response.
        unchanged: of the answer that the client has it already.
        lines: ``headers`` as they are sent.
        tag: the entity tag.
        body: the bytes in this encoding.
    """

    headers: Headers
    unchanged: Headers
    lines: str
    unchanged_lines: str
    tag: str
    body: bytes


class Chosen(NamedTuple):
    """The answer to one request.

    Attributes:
        headers: all of them.
        lines: the same, as they are sent.
    """

    status: str
    headers: Headers
    lines: str
    body: bytes


#: Types whose bytes get smaller. Pictures and archives are compressed already.
COMPRESSIBLE = re.compile(r"text/|application/(?:json|xml|[\w.-]+\+(?:json|xml))|image/svg", re.I)
#: Below this many bytes, compressing saves nothing.
LEAST = 200
#: The longest ``Accept-Encoding`` that is read; browsers send about 25 characters.
LONGEST = 200
#: In the order of preference.
ENCODINGS = ("br", "gzip")
#: Headers that describe the bytes. A 304 has none of them (RFC 9110, 15.4.5).
ABOUT_CONTENT = ("content-type", "content-length", "content-encoding", "content-language")
_CAPPED = re.compile(r"(s-maxage|max-age)=(\d+)")


class Representations:
    """The bytes of one response, compressed when they are first wanted.

    Args:
        status: the status line, such as ``200 OK``.
        headers: those of the response. ETag, Content-Length and Vary are made anew.
        body: the bytes, not compressed.
    """

    def __init__(self, status: str, headers: Headers, body: bytes) -> None:
        self.status = status
        named = {name.lower(): value for name, value in headers}
        self.cache_control = named.get("cache-control", "")
        given = named.get("etag", "").removeprefix("W/").strip('"')
        self._tag = given or hashlib.sha256(body).hexdigest()[:32]
        self._is_compressible = len(body) >= LEAST and bool(
            COMPRESSIBLE.match(named.get("content-type", ""))
        )
        dropped = ("etag", "content-length", "cache-control", "vary", "content-encoding")
        self._headers = [pair for pair in headers if pair[0].lower() not in dropped]
        if self._is_compressible:
            self._headers.append(("Vary", "Accept-Encoding"))
        self._bodies = {"": body}
        self._prepared: dict[str, Prepared] = {}
        ages = [int(age) for _name, age in _CAPPED.findall(self.cache_control)]
        self._longest = max(ages, default=0)
        self._uncapped = capped(self.cache_control, self._longest)

    @property
    def size(self) -> int:
        """The bytes that it takes in memory, about."""
        texts = sum(len(name) + len(value) + 100 for name, value in self._headers)
        return sum(map(len, self._bodies.values())) + texts * (1 + 3 * len(self._prepared)) + 1000

    def adopt(self, other: Representations) -> None:
        """Take over what ``other`` has compressed, if it is the same page."""
        if other._bodies[""] == self._bodies[""]:
            self._bodies = other._bodies

    def answer(self, accepted: str, condition: str, lifetime: int | None) -> Chosen:
        """What to send for one request.

        Args:
            accepted: its ``Accept-Encoding``.
            condition: its ``If-None-Match``; "" for none.
            lifetime: the seconds for which the page surely stays the same. No cache may keep it
                longer without asking.
        """
        encoding = preferred(accepted) if self._is_compressible else ""
        found = self._prepared.get(encoding) or self._prepare(encoding)
        if lifetime is None:
            control = self.cache_control
        elif lifetime >= self._longest:
            control = self._uncapped
        else:
            control = capped(self.cache_control, lifetime)
        last, line = ("Cache-Control", control), f"Cache-Control: {control}\r\n"
        # RFC 9110, 13.2.1: a condition counts only for an answer that is a success.
        if condition and self.status.startswith("2") and matches(condition, found.tag):
            lines = found.unchanged_lines + line
            return Chosen("304 Not Modified", [*found.unchanged, last], lines, b"")
        return Chosen(self.status, [*found.headers, last], found.lines + line, found.body)

    def _prepare(self, encoding: str) -> Prepared:
        body = self._bodies.get(encoding)
        if body is None:
            body = self._bodies[encoding] = compressed(self._bodies[""], encoding)
        tag = f'"{self._tag}-{encoding}"' if encoding else f'"{self._tag}"'
        unchanged = [pair for pair in self._headers if pair[0].lower() not in ABOUT_CONTENT]
        unchanged.append(("ETag", tag))
        headers = [*self._headers, ("ETag", tag), ("Content-Length", str(len(body)))]
        if encoding:
            headers.append(("Content-Encoding", encoding))
        found = self._prepared[encoding] = Prepared(
            headers, unchanged, as_sent(headers), as_sent(unchanged), tag, body
        )
        return found


def as_sent(headers: Headers) -> str:
    """Headers as they are sent, each with the end of its line."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers)


def compressed(body: bytes, encoding: str) -> bytes:
    """The same bytes, compressed: slightly smaller levels would take many times as long."""
    if encoding == "br":
        made: bytes = brotli.compress(body, quality=5)
        return made
    return gzip.compress(body, 6, mtime=0)


@functools.lru_cache(maxsize=256)
def preferred(accepted: str) -> str:
    """The encoding to send for an ``Accept-Encoding`` (RFC 9110, 12.5.3); "" for none."""
    if len(accepted) > LONGEST:
        return ""
    weights: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            key, _equals, value = parameter.partition("=")
            if key.strip() == "q":
                try:
                    weight = float(value)
                except ValueError:
                    weight = 0.0
        weights[name] = weight
    others = weights.get("*", 0.0)
    plain = weights.get("identity", 0.0)
    best, chosen = max(plain, 0.0), ""
    for name in reversed(ENCODINGS):
        weight = weights.get(name, others)
        if weight > 0 and weight >= best:
            best, chosen = weight, name
    return chosen


def matches(condition: str, tag: str) -> bool:
    """Whether an ``If-None-Match`` names this entity tag, by weak comparison."""
    if condition == tag:
        return True
    named = parse_etags(condition)
    return "*" in named or tag in (given.removeprefix("W/") for given in named)


def capped(control: str, lifetime: int | None) -> str:
    """``Cache-Control`` in which no lifetime is longer than ``lifetime`` seconds.

    What never changes at its address, such as a stylesheet with its version, is left as it is.
    """
    if lifetime is None or "immutable" in control:
        return control
    # These two let a cache send a page after it has ended.
    kept = [part for part in control.split(", ") if not part.startswith("stale-")]
    return _CAPPED.sub(lambda found: f"{found[1]}={min(int(found[2]), lifetime)}", ", ".join(kept))


def value_of(headers: Sequence[tuple[str, str]], name: str) -> str:
    """The value of a header by its name in lower case; "" without it."""
    return next((value for key, value in headers if key.lower() == name), "")
