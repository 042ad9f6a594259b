"""Finished public pages in the memory of a web process, in front of Django.

A page is kept if its view says that it is the same for all visitors (``home.caching``). It is sent
until the content changes (``home.content_version``) or until a job opens or closes or a day begins
(``home.content_state``), whichever comes first. While the database is down, the last version is
sent, but never past such a moment.

It wraps the WSGI application. A cache in Django's middleware or in Wagtail's (wagtail-cache) runs
inside the request handling of Django, which alone takes several times as long as a hit here.

The bytes depend on the key only, which is the scheme, the host, the path and the query. Requests
with a session or credentials pass by. Hosts need no check on a hit: Django refuses a host that is
not in ``ALLOWED_HOSTS``, and what it refuses is never kept.
"""

from __future__ import annotations

import functools
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.core.exceptions import TooManyFieldsSent
from django.http import QueryDict

from careers.jobs.listing import NAMES
from careersite import at_once
from careersite.bodies import Handler
from careersite.proxies import scheme_of
from careersite.representations import Headers, Representations, value_of
from home.caching import ENDS_WITHIN, SAME_FOR_ALL
from home.content_state import State, Watcher

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]

#: Seconds for which a page is kept at most while the database answers. It bounds the effect of
#: changes that pass by Django, such as those by an administrator of the database. What the page is
#: made of may be a minute old (``home.content_cache``): five minutes in all.
MAX_AGE = 240
#: Seconds for which a shared cache need not ask; less before a moment at which pages change.
SHARED_AGE = 60
#: Seconds for which a request waits while another one makes the same page.
WAIT = 10
#: How many addresses are remembered as those of pages, and how many as those of other things.
REMEMBERED = 2000
#: The longest parts of the address of a page that is kept.
LONGEST_QUERY, LONGEST_PATH, LONGEST_HOST = 1000, 500, 255
#: The parameters of addresses of public pages: of the list of jobs, and the version of a file.
PARAMETERS = {"q", "page", "v", *NAMES}
#: What campaigns add to links. No page of this site reads it, and no view sees it.
IGNORED = {
    *("dclid", "fbclid", "gbraid", "gclid", "igshid", "li_fat_id", "mc_cid", "mc_eid", "msclkid"),
    *("ttclid", "twclid", "wbraid", "yclid", "_hsenc", "_hsmi"),
}
CAMPAIGN = "utm_"
#: Addresses that are never public pages.
NOT_PAGES = ("/admin/", "/documents/", "/flower/", "/health/", "/metrics")
#: With one of these a view may answer with less than the whole page.
CONDITIONS = (
    *("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_MATCH"),
    *("HTTP_IF_UNMODIFIED_SINCE", "HTTP_IF_RANGE", "HTTP_RANGE", "HTTP_ACCEPT_ENCODING"),
)
#: Headers of a response that is for one visitor, or not whole.
NOT_KEPT = ("set-cookie", "content-encoding", "content-range", "www-authenticate")
Key = tuple[str, str, str, str]


class Entry:
    """A page and how long it is valid."""

    __slots__ = ("made_at", "max_age", "page", "size", "state")

    def __init__(self, page: Representations, state: State, max_age: float = math.inf) -> None:
        self.page = page
        self.state = state
        self.made_at = time.monotonic()
        self.max_age = max_age
        self.size = page.size

    def is_valid(self, state: State) -> bool:
        """Whether the page is still right, as far as ``state`` knows the content."""
        if self.state.version != state.version or time.time() >= self.state.until:
            return False
        # The age does not count while the database is down.
        return state.read_at - self.made_at < min(MAX_AGE, self.max_age)


class Making:
    """One request that makes a page, for which others wait."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.entry: Entry | None = None


class PageCache:
    """A WSGI application in front of another one.

    Args:
        application: Django.
        memory: the most bytes of pages.
        watcher: knows the state of the content.
    """

    def __init__(self, application: Application, memory: int, watcher: Watcher) -> None:
        self._application = application
        self._memory = memory
        self._watcher = watcher
        self._not_pages = (*NOT_PAGES, settings.STATIC_URL, settings.MEDIA_URL)
        self._lock = threading.Lock()
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._size = 0
        self._makings: dict[Key, Making] = {}
        #: Addresses of pages. What they show depends on nothing but the key.
        self._pages: OrderedDict[Key, str] = OrderedDict()
        #: Other addresses, each with the version of the content for which that is known.
        self._others: OrderedDict[Key, str] = OrderedDict()

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        key = self._key(environ)
        state = self._watcher.state() if key else None
        if key is None or state is None:
            return self._application(environ, start_response)
        entry = self._entries.get(key)
        if entry is not None and entry.is_valid(state):
            return self._send(key, entry, state, environ, start_response)
        if time.time() >= state.until:
            # What is made now must know the next moment.
            state = self._watcher.state(time.monotonic())
        if (
            state is None
            or time.time() >= state.until
            or environ["REQUEST_METHOD"] == "HEAD"
            or self._others.get(_address(key)) == state.version
        ):
            return self._application(environ, start_response)
        return self._once(key, state, environ, start_response)

    def _key(self, environ: Environ) -> Key | None:
        """What the page depends on; None for a request that the cache does not answer."""
        path = environ.get("PATH_INFO", "")
        host = environ.get("HTTP_HOST", "")
        if (
            environ["REQUEST_METHOD"] not in ("GET", "HEAD")
            or "HTTP_AUTHORIZATION" in environ
            or settings.SESSION_COOKIE_NAME in environ.get("HTTP_COOKIE", "")
            or environ.get("CONTENT_LENGTH", "") not in ("", "0")
            or "HTTP_TRANSFER_ENCODING" in environ
            or environ.get("SCRIPT_NAME")
            or path.startswith(self._not_pages)
            or len(path) > LONGEST_PATH
            or not 0 < len(host) <= LONGEST_HOST
        ):
            return None
        given = environ.get("QUERY_STRING", "")
        query = normalized(given) if given else ""
        return None if query is None else (scheme_of(environ), host, path, query)

    def _send(
        self, key: Key, entry: Entry, state: State, environ: Environ, start_response: Any
    ) -> list[bytes]:
        chosen = entry.page.answer(
            environ.get("HTTP_ACCEPT_ENCODING", ""),
            environ.get("HTTP_IF_NONE_MATCH", ""),
            max(0, math.floor(entry.state.until - time.time())),
        )
        status, headers, lines, body = chosen
        # The seconds for which nobody could tell whether this is still the newest version.
        if (age := int(time.monotonic() - state.read_at)) >= 2:
            headers.append(("Age", str(age)))
            lines += f"Age: {age}\r\n"
        with self._lock:
            if self._entries.get(key) is entry:
                self._entries.move_to_end(key)
                self._resize(entry)
        length = None if status.startswith("304") else len(body)
        if environ["REQUEST_METHOD"] == "HEAD":
            body = b""
        if at_once.send(start_response, status, lines, body, length):
            return []
        start_response(status, headers)
        return [body] if body else []

    def _once(
        self, key: Key, state: State, environ: Environ, start_response: Any
    ) -> Iterable[bytes]:
        """Make the page, or wait while another request makes it."""
        with self._lock:
            making = self._makings.get(key)
            if making is None:
                mine = self._makings[key] = Making()
        if making is None:
            try:
                return self._make(key, state, mine, environ, start_response)
            finally:
                with self._lock:
                    del self._makings[key]
                mine.done.set()
        making.done.wait(WAIT)
        now = self._watcher.state()
        if making.entry is not None and now is not None and making.entry.is_valid(now):
            return self._send(key, making.entry, now, environ, start_response)
        return self._application(environ, start_response)

    def _make(
        self, key: Key, state: State, making: Making, environ: Environ, start_response: Any
    ) -> Iterable[bytes]:
        """Let Django answer, and keep the answer if it is a page."""
        query = key[3]
        if _address(key) in self._pages:
            environ = {name: text for name, text in environ.items() if name not in CONDITIONS}
            environ["QUERY_STRING"] = query
        started: list[tuple[str, Headers, Any]] = []

        def start(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], None]:
            started[:] = [(status, headers, exc_info)]
            return _refuse

        parts = self._application(environ, start)
        status, headers, exc_info = started[0]
        is_page = bool(environ.get(SAME_FOR_ALL))
        is_whole = is_page and is_same_for_all(status, headers)
        if is_page or self._may_be_other(key, state, status):
            self._remember(key, state, is_page and (is_whole or status.startswith("304")))
        if not is_whole or environ.get("QUERY_STRING", "") != query:
            start_response(status, headers, exc_info)
            return parts
        body, rest = read_up_to(parts, self._memory // 4)
        if rest is not None:
            self._remember(key, state, False)
            start_response(status, headers, exc_info)
            return rest
        page = Representations(status, for_shared_caches(headers), body)
        entry = Entry(page, state, environ.get(ENDS_WITHIN, math.inf))
        after = self._watcher.state(entry.made_at)
        # Otherwise the page may show content of before and after a change.
        if after and after.read_at >= entry.made_at and after.version == state.version:
            entry.state = replace(after, until=min(state.until, after.until))
            making.entry = entry
            self._keep(key, entry)
        return self._send(key, entry, after or state, environ, start_response)

    def _may_be_other(self, key: Key, state: State, status: str) -> bool:
        """Whether an answer that is no page says what is at its address.

        An error says nothing, and neither does one query of a page of this version.
        """
        is_error = status[0] == "5" or status[:3] in ("400", "429")
        return not is_error and self._pages.get(_address(key)) != state.version

    def _remember(self, key: Key, state: State, is_page: bool) -> None:
        """Note what is at an address."""
        here, there = (self._pages, self._others) if is_page else (self._others, self._pages)
        with self._lock:
            there.pop(_address(key), None)
            here[_address(key)] = state.version
            here.move_to_end(_address(key))
            while len(here) > REMEMBERED:
                here.popitem(last=False)

    def _keep(self, key: Key, entry: Entry) -> None:
        """Keep the page, and drop those that nobody has asked for longest."""
        with self._lock:
            before = self._entries.pop(key, None)
            if before is not None:
                self._size -= before.size
                entry.page.adopt(before.page)
            self._entries[key] = entry
            entry.size = 0
            self._resize(entry)

    def _resize(self, entry: Entry) -> None:
        """Count what ``entry`` takes now, and make room. The caller has the lock."""
        size = entry.page.size
        if size == entry.size:
            return
        self._size += size - entry.size
        entry.size = size
        while self._size > self._memory and self._entries:
            _key, dropped = self._entries.popitem(last=False)
            self._size -= dropped.size


def in_front_of_django() -> Application:
    """Django, with the page cache unless PAGE_CACHE_MEMORY is 0 or pages are being developed."""
    application: Application = Handler()
    if settings.DEBUG or not settings.PAGE_CACHE_MEMORY:
        return application
    return PageCache(application, int(settings.PAGE_CACHE_MEMORY * 1024 * 1024), Watcher())


def _address(key: Key) -> Key:
    """The key without its query."""
    return (*key[:3], "")


def _refuse(data: bytes) -> None:
    raise NotImplementedError("Django does not write to the server itself.")


@functools.lru_cache(maxsize=512)
def normalized(given: str) -> str | None:
    """The query of a page without what does not change the page.

    Returns:
        None for a query with an unknown parameter: the cache does not answer it.
    """
    if len(given) > LONGEST_QUERY or not given.isascii():
        return None
    try:
        named = QueryDict(given, mutable=True, encoding="utf-8")
    except TooManyFieldsSent:
        return None
    for name, values in list(named.lists()):
        if name in IGNORED or name.startswith(CAMPAIGN):
            del named[name]
        elif name not in PARAMETERS:
            return None
        elif any(values):
            named.setlist(name, [value for value in values if value])
        else:
            # A form that was sent without a choice.
            del named[name]
    return named.urlencode()


def is_same_for_all(status: str, headers: Headers) -> bool:
    """Whether a response may be kept, by what it says of itself."""
    control = value_of(headers, "cache-control")
    varies = {name.strip().lower() for name in value_of(headers, "vary").split(",")}
    return (
        status[:3] in ("200", "410")
        and "public" in control
        and not any(word in control for word in ("private", "no-store", "no-cache"))
        and varies <= {"", "accept-encoding"}
        and not any(name.lower() in NOT_KEPT for name, _value in headers)
    )


def for_shared_caches(headers: Headers) -> Headers:
    """The headers, in which ``Cache-Control`` also says how long a shared cache need not ask."""
    return [
        (name, f"{text}, s-maxage={SHARED_AGE}")
        if name.lower() == "cache-control" and "max-age=0" in text
        else (name, text)
        for name, text in headers
    ]


def read_up_to(parts: Iterable[bytes], most: int) -> tuple[bytes, Iterator[bytes] | None]:
    """Read a response.

    Returns:
        All bytes and None, or what is larger than ``most`` bytes as an iterator.
    """
    source = iter(parts)
    read: list[bytes] = []
    size = 0
    is_done = False
    try:
        for part in source:
            read.append(part)
            size += len(part)
            if size > most:
                break
        else:
            is_done = True
    except BaseException:
        _close(parts)
        raise
    if is_done:
        _close(parts)
        return b"".join(read), None
    return b"", _rest(read, source, parts)


def _rest(read: list[bytes], source: Iterator[bytes], parts: Any) -> Iterator[bytes]:
    try:
        yield from read
        read.clear()
        yield from source
    finally:
        _close(parts)


def _close(parts: Any) -> None:
    if hasattr(parts, "close"):
        parts.close()
