"""What a web process keeps of the content, for as long as the version of the content stays.

Every page shows the company, the menu and the languages of its site, and every list counts the
open jobs. A request reads the version once, before it reads anything else of the content. What was
made for this version is then as new as the request itself, on every process.

Values are shared by all threads of a process: nobody may change them.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from django.db import DatabaseError, connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from home import content_version

T = TypeVar("T")
GetResponse = Callable[[HttpRequest], HttpResponseBase]

#: How many values are kept of one version.
MOST = 2000
#: Seconds for which they are kept at most. It bounds the effect of changes that pass by Django,
#: such as those of the previous release during an upgrade.
MAX_AGE = 60


class Kept:
    """The values of one version of the content."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.ends_at = time.monotonic() + MAX_AGE
        self.values: dict[Hashable, tuple[Any, dt.datetime | None]] = {}


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
    if len(kept.values) >= MOST:
        kept.values.clear()
    kept.values[key] = (value, until(value) if until else None)
    return value


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
