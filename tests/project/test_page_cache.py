"""The page cache: which answers it keeps, for whom, and until when.

It stands before a small application here. ``test_page_freshness`` puts it before the site itself.
"""

from __future__ import annotations

import datetime as dt
import gzip
import threading
import time
from collections.abc import Iterator
from typing import Any

import brotli
import pytest
from django.db import OperationalError, ProgrammingError

from careersite import page_cache
from careersite.page_cache import PageCache
from careersite.representations import preferred
from home.caching import ENDS_WITHIN
from home.content_state import State, Watcher
from tests.support.wsgi import CONTROL, HTML, PAGE, Answer, Small, ask


class Known:
    """A watcher whose state the test sets; ``is_down`` is a database that does not answer."""

    def __init__(self) -> None:
        self.version, self.until, self.is_down = "1", time.time() + 3600, False
        self._last = State("", 0, -1)

    def state(self, since: float | None = None) -> State:
        if not self.is_down:
            self._last = State(self.version, self.until, time.monotonic())
        return self._last


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
def small() -> Small:
    return Small()


@pytest.fixture
def cache(small: Small, known: Known) -> PageCache:
    return PageCache(small, 1_000_000, known)  # type: ignore[arg-type]


# ── What is kept, and for whom ──────────────────────────────────────────────────────────


def test_second_request_is_answered_from_cache(cache: PageCache, small: Small) -> None:
    first, second = (ask(cache, "/careers/") for _ in range(2))
    assert first == second
    assert (first.status, first.body, small.count) == (200, PAGE, 1)
    assert first.headers["cache-control"] == "public, max-age=0, must-revalidate, s-maxage=60"


@pytest.mark.parametrize(
    "more",
    [
        {"HTTP_COOKIE": "sessionid=abc"},
        {"HTTP_COOKIE": "theme=dark; sessionid=abc"},
        {"HTTP_AUTHORIZATION": "Bearer x"},
        {"HTTP_TRANSFER_ENCODING": "chunked"},
        {"method": "POST"},
        {"method": "PUT"},
        {"method": "OPTIONS"},
    ],
)
def test_request_of_known_visitor_passes_by(
    cache: PageCache, small: Small, more: dict[str, Any]
) -> None:
    ask(cache, "/careers/")
    ask(cache, "/careers/", **more)
    assert small.count == 2
    ask(cache, "/careers/")
    assert small.count == 2


@pytest.mark.parametrize("path", ["/admin/login/", "/health/ready", "/metrics", "/static/a.css"])
def test_address_of_no_page_is_never_kept(cache: PageCache, small: Small, path: str) -> None:
    for _ in range(3):
        ask(cache, path)
    assert small.count == 3


@pytest.mark.parametrize(
    ("status", "header"),
    [
        ("404 Not Found", None),
        ("302 Found", None),
        ("400 Bad Request", None),
        ("500 Internal Server Error", None),
        ("206 Partial Content", None),
        ("200 OK", ("Set-Cookie", "seen=1")),
        ("200 OK", ("Vary", "Cookie")),
        ("200 OK", ("Vary", "Accept-Encoding, User-Agent")),
        ("200 OK", ("Vary", "*")),
        ("200 OK", ("Content-Encoding", "zstd")),
        ("200 OK", ("Cache-Control", "private, no-store")),
        ("200 OK", ("Cache-Control", "max-age=60")),
    ],
)
def test_response_for_one_visitor_is_never_kept(
    cache: PageCache, small: Small, status: str, header: tuple[str, str] | None
) -> None:
    small.status = status
    # The first header of a name counts.
    small.headers = [pair for pair in (header, HTML, CONTROL) if pair]
    for _ in range(3):
        ask(cache, "/careers/")
    assert small.count == 3


def test_response_without_mark_is_never_kept(cache: PageCache, small: Small) -> None:
    small.is_same_for_all = False
    for _ in range(3):
        ask(cache, "/careers/")
    assert small.count == 3


@pytest.mark.parametrize("status", ["500 Error", "503 Service Unavailable", "429 Too Many"])
def test_error_does_not_turn_the_cache_off(cache: PageCache, small: Small, status: str) -> None:
    well = small.status
    small.status, small.is_same_for_all = status, False
    ask(cache, "/careers/")
    small.status, small.is_same_for_all = well, True
    for _ in range(3):
        ask(cache, "/careers/")
    assert small.count == 2


def test_query_of_a_page_that_is_none_turns_no_other_query_off(
    cache: PageCache, small: Small
) -> None:
    ask(cache, "/careers/")
    small.status, small.is_same_for_all = "404 Not Found", False
    ask(cache, "/careers/?page=99")
    small.status, small.is_same_for_all = "200 OK", True
    for _ in range(3):
        ask(cache, "/careers/?page=2")
    assert small.count == 3


def test_condition_counts_only_for_a_success(cache: PageCache, small: Small) -> None:
    small.status = "410 Gone"
    tag = ask(cache, "/careers/gauge-keeper/").headers["etag"]
    assert ask(cache, "/careers/gauge-keeper/", HTTP_IF_NONE_MATCH=tag).status == 410


def test_no_cache_may_send_a_page_after_its_end(cache: PageCache, small: Small) -> None:
    small.headers = [HTML, ("Cache-Control", "public, max-age=9, stale-if-error=900")]
    assert ask(cache, "/careers/").headers["cache-control"] == "public, max-age=9"


def test_closed_job_is_kept(cache: PageCache, small: Small) -> None:
    small.status = "410 Gone"
    answers = [ask(cache, "/careers/gauge-keeper/") for _ in range(2)]
    assert ([answer.status for answer in answers], small.count) == ([410, 410], 1)


def test_scheme_and_host_have_pages_of_their_own(
    cache: PageCache, small: Small, settings: Any
) -> None:
    for more in (
        {},
        {"HTTP_HOST": "other.example"},
        {"HTTP_HOST": "localhost:8000"},
        {"wsgi.url_scheme": "https"},
    ):
        ask(cache, "/careers/", **more)
    assert small.count == 4


def test_scheme_of_stranger_is_not_believed(cache: PageCache, small: Small, settings: Any) -> None:
    settings.TRUSTED_PROXIES = []
    ask(cache, "/careers/")
    ask(cache, "/careers/", HTTP_X_FORWARDED_PROTO="https")
    assert small.count == 1


# ── Queries ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("utm_source=letter&utm_campaign=x", ""),
        ("gclid=1&fbclid=2", ""),
        ("q=", ""),
        ("q=&department=&place=", ""),
        ("q=gauge&utm_source=letter", "q=gauge"),
        ("place=oslo&place=bergen", "place=oslo&place=bergen"),
        ("q=a+b", "q=a+b"),
        ("q=a%20b", "q=a+b"),
        ("q=%C3%A5", "q=%C3%A5"),
        ("x=1", None),
        ("q=gauge&x=1", None),
        ("Q=gauge", None),
        ("=", None),
        ("q=å", None),
        ("q=" + "a" * 1000, None),
        ("&".join(["q=1"] * 5000), None),
    ],
)
def test_query_is_reduced_to_what_pages_read(query: str, expected: str | None) -> None:
    assert page_cache.normalized(query) == expected


def test_campaign_link_gets_the_kept_page_and_never_its_own(cache: PageCache, small: Small) -> None:
    ask(cache, "/careers/?utm_source=letter")
    assert small.seen[0]["QUERY_STRING"] == "utm_source=letter"
    for source in ("evil", "other"):
        ask(cache, f"/careers/?utm_source={source}")
    ask(cache, "/careers/")
    # The first answer only told that this is a page. The second was made without the campaign.
    assert [environ["QUERY_STRING"] for environ in small.seen] == ["utm_source=letter", ""]


def test_unknown_parameters_fill_nothing(cache: PageCache, small: Small) -> None:
    for number in range(50):
        ask(cache, f"/careers/?x={number}")
    assert (small.count, len(cache._entries)) == (50, 0)


def test_pages_take_no_more_memory_than_allowed(cache: PageCache, small: Small) -> None:
    small.body = b"x" * 100_000
    for number in range(50):
        ask(cache, f"/careers/?q={number}", HTTP_ACCEPT_ENCODING="br")
    assert cache._size == sum(entry.page.size for entry in cache._entries.values())
    assert 0 < cache._size <= 1_000_000
    before = small.count
    ask(cache, "/careers/?q=49")
    ask(cache, "/careers/?q=0")
    assert small.count == before + 1


def test_response_that_is_too_large_is_streamed(cache: PageCache, small: Small) -> None:
    small.body = b"x" * 400_000
    for _ in range(2):
        assert ask(cache, "/sitemap.xml").body == small.body
    assert (small.count, len(cache._entries)) == (2, 0)


# ── Encodings and conditions ────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("", ""),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("GZIP", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.5, gzip;q=0.9", "gzip"),
        ("*", "br"),
        ("*;q=0", ""),
        ("identity", ""),
        ("gzip;q=0.5, identity", ""),
        ("br;q=x, gzip;q=nan", ""),
        (",;=,;q=", ""),
        ("gzip," * 100, ""),
    ],
)
def test_encoding_is_the_best_that_was_accepted(accepted: str, expected: str) -> None:
    assert preferred(accepted) == expected


def test_each_encoding_has_its_own_bytes_and_tag(cache: PageCache, small: Small) -> None:
    plain, zipped, brotlied = (
        ask(cache, "/careers/", HTTP_ACCEPT_ENCODING=accepted) for accepted in ("", "gzip", "br")
    )
    assert gzip.decompress(zipped.body) == brotli.decompress(brotlied.body) == plain.body == PAGE
    assert len({answer.headers["etag"] for answer in (plain, zipped, brotlied)}) == 3
    assert "content-encoding" not in plain.headers
    for answer in (plain, zipped, brotlied):
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["content-length"] == str(len(answer.body))
    assert small.count == 1


def test_picture_is_not_compressed(cache: PageCache, small: Small) -> None:
    small.headers = [("Content-Type", "image/png"), CONTROL]
    answer = ask(cache, "/share/x.png", HTTP_ACCEPT_ENCODING="br")
    assert answer.body == PAGE
    assert "vary" not in answer.headers


@pytest.mark.parametrize("form", ["{}", "W/{}", '"a", {}', '"a", W/{}', "*"])
def test_known_version_is_answered_304(cache: PageCache, small: Small, form: str) -> None:
    tag = ask(cache, "/careers/", HTTP_ACCEPT_ENCODING="br").headers["etag"]
    answer = ask(cache, "/careers/", HTTP_ACCEPT_ENCODING="br", HTTP_IF_NONE_MATCH=form.format(tag))
    assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", tag)
    assert "content-length" not in answer.headers
    assert small.count == 1


@pytest.mark.parametrize("condition", ['"other"', "other", '"', "W/", '"a' * 2000])
def test_other_condition_gets_the_page(cache: PageCache, condition: str) -> None:
    ask(cache, "/careers/")
    answer = ask(cache, "/careers/", HTTP_IF_NONE_MATCH=condition)
    assert (answer.status, answer.body) == (200, PAGE)


def test_condition_does_not_keep_the_cache_empty(cache: PageCache, small: Small) -> None:
    ask(cache, "/jobs.atom", HTTP_IF_NONE_MATCH='"old"')
    ask(cache, "/jobs.atom", HTTP_IF_NONE_MATCH='"old"')
    assert "HTTP_IF_NONE_MATCH" not in small.seen[1]
    assert ask(cache, "/jobs.atom").body == PAGE
    assert small.count == 2


def test_head_has_headers_of_get_without_bytes(cache: PageCache, small: Small) -> None:
    page = ask(cache, "/careers/")
    head = ask(cache, "/careers/", "HEAD")
    assert (head.status, head.headers, head.body) == (200, page.headers, b"")
    assert small.count == 1


# ── Until when ──────────────────────────────────────────────────────────────────────────


def test_change_of_content_ends_all_pages(cache: PageCache, small: Small, known: Known) -> None:
    ask(cache, "/careers/")
    known.version, small.body = "2", b"new"
    assert ask(cache, "/careers/").body == b"new"


def test_page_made_during_a_change_is_not_kept(
    cache: PageCache, small: Small, known: Known
) -> None:
    def change() -> None:
        known.version = str(int(known.version) + 1)

    small.during = change
    ask(cache, "/careers/")
    small.during = lambda: None
    ask(cache, "/careers/")
    assert small.count == 2


@pytest.mark.parametrize("is_down", [False, True])
def test_nobody_gets_page_at_its_closing_moment(
    cache: PageCache, small: Small, known: Known, time_machine: Any, is_down: bool
) -> None:
    moment = dt.datetime(2027, 3, 1, 12, tzinfo=dt.UTC)
    time_machine.move_to(moment - dt.timedelta(seconds=20), tick=False)
    known.until = moment.timestamp()
    assert "s-maxage=20" in ask(cache, "/careers/").headers["cache-control"]
    known.is_down = is_down
    time_machine.move_to(moment - dt.timedelta(seconds=0.001), tick=False)
    assert "s-maxage=0" in ask(cache, "/careers/").headers["cache-control"]
    assert small.count == 1
    time_machine.move_to(moment, tick=False)
    small.body = b"closed"
    assert ask(cache, "/careers/").body == b"closed"


def test_page_is_made_again_when_it_is_old(
    cache: PageCache, small: Small, known: Known, monkeypatch: Any
) -> None:
    ask(cache, "/careers/")
    monkeypatch.setattr(page_cache, "MAX_AGE", -1)
    ask(cache, "/careers/")
    assert small.count == 2


def test_page_without_its_failed_picture_is_made_again_soon(
    cache: PageCache, small: Small, monkeypatch: Any
) -> None:
    small.during = lambda: small.seen[-1].update({ENDS_WITHIN: 30})
    ask(cache, "/careers/")
    ask(cache, "/careers/")
    assert small.count == 1
    later = time.monotonic() + 31
    monkeypatch.setattr(time, "monotonic", lambda: later)
    ask(cache, "/careers/")
    assert small.count == 2


def test_last_version_is_sent_while_database_is_down(
    cache: PageCache, small: Small, known: Known, monkeypatch: Any
) -> None:
    ask(cache, "/careers/")
    known.is_down = True
    known._last = State("1", known.until, time.monotonic() - 7)
    answer = ask(cache, "/careers/")
    assert (answer.body, answer.headers["age"], small.count) == (PAGE, "7", 1)


# ── One request makes a page ────────────────────────────────────────────────────────────


def test_one_of_many_requests_makes_the_page(cache: PageCache, small: Small) -> None:
    together = threading.Barrier(8)
    answers: list[Answer] = []

    def request() -> None:
        together.wait()
        answers.append(ask(cache, "/careers/"))

    small.during = lambda: time.sleep(0.1)
    threads = [threading.Thread(target=request) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (small.count, len(answers), {answer.body for answer in answers}) == (1, 8, {PAGE})


def test_error_while_page_is_made_frees_the_others(cache: PageCache, small: Small) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    small.during = fail
    with pytest.raises(ZeroDivisionError):
        ask(cache, "/careers/")
    small.during = lambda: None
    assert ask(cache, "/careers/").body == PAGE
    assert cache._makings == {}


# ── The watcher ─────────────────────────────────────────────────────────────────────────


class Database:
    """What a watcher reads."""

    def __init__(self) -> None:
        self.reads = 0
        self.error: Exception | None = None
        self.free = threading.Event()
        self.free.set()

    def read(self, known: State | None) -> State:
        self.reads += 1
        read_at = time.monotonic()
        self.free.wait(10)
        if self.error:
            raise self.error
        return State(str(self.reads), time.time() + 60, read_at)


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def watcher(database: Database) -> Iterator[Watcher]:
    found = Watcher(database.read)
    yield found
    database.free.set()
    found.close()


def test_watcher_reads_only_when_somebody_asks(watcher: Watcher, database: Database) -> None:
    assert database.reads == 0
    states = {watcher.state() for _ in range(1000)}
    assert (len(states), database.reads) == (1, 1)


def test_watcher_reads_again_after_change_in_this_process(
    watcher: Watcher, database: Database
) -> None:
    watcher.state()
    watcher.outdate()
    found = watcher.state()
    assert found is not None
    assert found.version == "2"


def test_watcher_keeps_last_state_while_database_is_down(
    watcher: Watcher, database: Database, monkeypatch: Any
) -> None:
    first = watcher.state()
    database.error = OperationalError()
    for _ in range(100):
        assert watcher.state(time.monotonic()) == first


def test_watcher_waits_for_hanging_database_once(
    watcher: Watcher, database: Database, monkeypatch: Any
) -> None:
    monkeypatch.setattr("home.content_state.PATIENCE", 0.05)
    first = watcher.state()
    database.free.clear()
    for _ in range(100):
        assert watcher.state(time.monotonic()) == first
    assert database.reads == 2


def test_watcher_has_no_state_before_migrations(watcher: Watcher, database: Database) -> None:
    database.error = ProgrammingError()
    assert [watcher.state() for _ in range(10)] == [None] * 10


def test_watcher_has_no_state_while_a_hook_fails(watcher: Watcher, database: Database) -> None:
    assert watcher.state() is not None
    database.error = ValueError()
    assert watcher.state(time.monotonic()) is None
    database.error = None
    assert watcher.state(time.monotonic()) is not None
