"""Pages that visitors read: from the cache against a plain page, and made anew."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from bench.rows import Figure
from bench.sites import CLOSED_JOB, JOB, Bench, Web
from bench.targets import PAGES
from bench.traffic import BROWSER, get

ADDRESSES = {
    "home": "/",
    "list": "/careers/",
    "job": f"/careers/{JOB}/",
    "closed job": f"/careers/{CLOSED_JOB}/",
    "Atom feed": "/jobs.atom",
    "sitemap": "/sitemap.xml",
}
PLAIN = "/job/"
#: Turns, and in each the seconds and the requests for one page.
TURNS, SECONDS, REQUESTS = 5, 2.0, 40
QUICK_TURNS, QUICK_SECONDS, QUICK_REQUESTS = 1, 0.1, 3


def measure(bench: Bench) -> Iterator[tuple[str, float] | Figure]:
    """The ratios of each page, with the figures behind them."""
    yield from uncached(bench)
    yield from cached(bench)
    for page in PAGES:
        yield f"GET {page}, not cached: queries", bench.queries[ADDRESSES[page]]


def uncached(bench: Bench) -> Iterator[tuple[str, float] | Figure]:
    """CPU per request of pages that no cache holds, in turns with the plain page."""
    turns, count = (QUICK_TURNS, QUICK_REQUESTS) if bench.quick else (TURNS, REQUESTS)
    plain, ours = [get(PLAIN, bench.plain.port)], bench.uncached
    pages = {page: [get(path, ours.port)] for page, path in ADDRESSES.items()}
    for web, requests in ((bench.plain, plain), *((ours, found) for found in pages.values())):
        web.drive(requests, count=1 if bench.quick else 10)  # the first ones fill caches
    costs: dict[str, list[float]] = {page: [] for page in ("plain", *PAGES)}
    for _turn in range(turns):
        costs["plain"].append(bench.plain.drive(plain, count=count).cost)
        for page, requests in pages.items():
            costs[page].append(ours.drive(requests, count=count).cost)
    yield Figure("GET plain page", statistics.median(costs["plain"]) * 1000, "ms of CPU")
    for page in PAGES:
        yield Figure(f"GET {page}, not cached", statistics.median(costs[page]) * 1000, "ms of CPU")
        yield f"GET {page}, not cached", ratio(costs[page], costs["plain"])


def cached(bench: Bench) -> Iterator[tuple[str, float] | Figure]:
    """Requests per second of pages that the cache holds, in turns with the plain page."""
    turns, seconds = (QUICK_TURNS, QUICK_SECONDS) if bench.quick else (TURNS, SECONDS)
    path, port = ADDRESSES["job"], bench.web.port
    _status, headers, content = bench.site.get(path, BROWSER, port=port)
    bare = bench.bare(content)
    runs: dict[str, tuple[Web, bytes, int]] = {
        "plain page": (bench.plain, get(PLAIN, bench.plain.port), 200),
        "bare WSGI function": (bare, get("/", bare.port), 200),
        **{page: (bench.web, get(path, port), 200) for page, path in ADDRESSES.items()},
    }
    if known := headers.get("ETag"):
        request = get(path, port, {"If-None-Match": known})
        runs["job, not modified"] = bench.web, request, 304
    for web, request, status in runs.values():
        web.drive([request], expect=status, count=1 if bench.quick else 20)
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for _turn in range(turns):
        for name, (web, request, status) in runs.items():
            rates[name].append(web.drive([request], expect=status, seconds=seconds).rate)
    plain = rates["plain page"]
    for name, found in rates.items():
        words = f"GET {name}, cached" if name in PAGES else f"GET {name}"
        yield Figure(words, statistics.median(found), "requests/s")
        if name in PAGES:
            yield words, ratio(found, plain)
    yield Figure(
        "GET bare WSGI function", ratio(rates["bare WSGI function"], plain), "× plain page"
    )


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the ratios of each turn."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
