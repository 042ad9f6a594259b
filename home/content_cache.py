"""What a web process keeps of the content, for as long as the version of the content stays.

Every page shows the company, the menu and the languages of its site, and every list counts the
open jobs. A request reads the version once, before it reads anything else of the content. What was
made for this version is then as new as the request itself, on every process.

Values are shared by all threads of a process: nobody may change them.
"""

from __future__ import annotations

import datetime as dt
import sys
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import is_dataclass
from typing import Any, TypeVar

from django.db import DatabaseError, connection
from django.db.models import Model
from django.db.models.base import ModelState
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from wagtail.blocks import StreamValue

from home import content_version
from home.caching import answering

T = TypeVar("T")
GetResponse = Callable[[HttpRequest], HttpResponseBase]

#: How many values are kept of one version, and how many bytes they take together at most.
MOST, MOST_BYTES = 2000, 24 * 1024 * 1024
#: Seconds for which they are kept at most. It bounds the effect of changes that pass by Django,
#: such as those of the previous release during an upgrade.
MAX_AGE = 60


class Kept:
    """The values of one version of the content."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.ends_at = time.monotonic() + MAX_AGE
        self.values: dict[Hashable, tuple[Any, dt.datetime | None]] = {}
        self._size = 0

    def keep(self, key: Hashable, value: Any, until: dt.datetime | None) -> None:
        """Keep a value; all others are dropped if there is no room for it."""
        size = size_of(value)
        if len(self.values) >= MOST or self._size + size > MOST_BYTES:
            self.values.clear()
            self._size = 0
        if size <= MOST_BYTES:
            self.values[key] = (value, until)
            self._size += size


_newest = Kept("")
_request = threading.local()


def requests_share_content(get_response: GetResponse) -> GetResponse:
    """Let ``cached`` work while a page for visitors is made (a middleware).

    In the admin it does not: people there read what they are about to change.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        _request.kept = None
        _request.is_open = not request.path.startswith("/admin/")
        try:
            with answering(request):
                return get_response(request)
        finally:
            _request.kept = None
            _request.is_open = False

    return middleware


def cached(
    key: Hashable, make: Callable[[], T], until: Callable[[T], dt.datetime | None] | None = None
) -> T:
    """A value that depends on the content, made once for each version of it.

    Args:
        key: names the value. Keys are bounded: they hold nothing that a visitor can choose freely.
        make: returns the value. It is called every time outside a request of a visitor and inside a
            transaction, which sees changes that have no version yet.
        until: returns the moment at which the value ends, if it depends on the time.
    """
    kept = _kept()
    if kept is None:
        return make()
    found = kept.values.get(key)
    if found is not None and (found[1] is None or timezone.now() < found[1]):
        return found[0]  # type: ignore[no-any-return]
    value = make()
    kept.keep(key, value, until(value) if until else None)
    return value


def size_of(value: Any) -> int:
    """The bytes that a value takes, about: of containers, pages and other records, and texts.

    What belongs to the code, such as the definition of a block, counts nothing beyond itself.
    """
    total, left, seen = 0, [value], set()
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        total += sys.getsizeof(one)
        if isinstance(one, dict):
            left += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple | set | frozenset):
            left += one
        elif isinstance(one, StreamValue):
            left.append(one.get_prep_value())
        elif isinstance(one, Model | ModelState) or is_dataclass(one):
            left += getattr(one, "__dict__", {}).values()
    return total


def is_open() -> bool:
    """Whether ``cached`` keeps values now."""
    return _kept() is not None


def _kept() -> Kept | None:
    global _newest
    if not getattr(_request, "is_open", False) or _in_transaction():
        return None
    kept: Kept | None = _request.kept
    if kept is None:
        version = _version()
        if version is None:
            _request.is_open = False
            return None
        kept = _newest
        if kept.version != version or time.monotonic() >= kept.ends_at:
            kept = _newest = Kept(version)
        _request.kept = kept
    return kept


def _in_transaction() -> bool:
    return connection.in_atomic_block


def _version() -> str | None:
    """The version of the content; None while the database lacks its table."""
    try:
        return content_version.current()
    except DatabaseError:
        return None
