"""What 10,000 open jobs cost, against 100."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from bench.pages import ratio
from bench.rows import Figure
from bench.sites import UNCACHED, Bench, Web
from bench.traffic import get

FEW, MANY = 100, 10_000
#: In a quick run the one site gets so many, and takes the place of both.
QUICK_MANY = 40
TURNS, QUICK_TURNS = 5, 1
LIST = "/careers/"
#: Each address, the bytes that begin an entry of it, and requests of a turn for few and many jobs.
ADDRESSES = {
    "list of 10,000 jobs": (LIST, b"", (20, 20)),
    "filter of 10,000 jobs": (f"{LIST}?department=department-3&place=town-3", b"", (20, 20)),
    "search in 10,000 jobs": (f"{LIST}?q=surveyor", b"", (20, 20)),
    "sitemap of 10,000 jobs, per job": ("/sitemap.xml", b"<url>", (20, 1)),
    "Atom feed of 10,000 jobs, per job": ("/jobs.atom", b"<entry>", (20, 1)),
}
QUERIES = "queries of the list of 10,000 jobs"


def measure(bench: Bench) -> Iterator[tuple[str, float] | Figure]:
    """CPU of pages that no cache holds, in turns on a site with few and one with many jobs."""
    turns = QUICK_TURNS if bench.quick else TURNS
    sizes = (QUICK_MANY, QUICK_MANY) if bench.quick else (FEW, MANY)
    webs = []
    if bench.quick:
        bench.run(bench.site, "bench.jobs", str(QUICK_MANY))
        webs = [(bench.site, bench.uncached)] * 2
    for size in () if bench.quick else sizes:
        site = bench.new_site(f"jobs-{size}", **UNCACHED)
        bench.run(site, "bench.jobs", str(size))
        site.query("ANALYZE")
        site.begin("web")
        webs.append((site, Web(site["web"], site.port)))
    costs: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in ADDRESSES}
    for name, (path, mark, counts) in ADDRESSES.items():
        entries = []
        for site, web in webs:
            status, _headers, body = site.get(path, port=web.port)
            if status != 200:
                raise RuntimeError(f"{path} answered {status}")
            entries.append(body.count(mark) if mark else 1)
        for _turn in range(turns):
            turn = zip(webs, costs[name], entries, counts, strict=True)
            for (_site, web), found, parts, count in turn:
                load = web.drive([get(path, web.port)], count=2 if bench.quick else count)
                found.append(load.cost / parts)
        few, many = costs[name]
        yield Figure(f"{name}: of {sizes[0]}", statistics.median(few) * 1000, "ms of CPU")
        yield Figure(f"{name}: of {sizes[1]}", statistics.median(many) * 1000, "ms of CPU")
        if mark:
            yield Figure(f"{name}: entries", entries[1], "jobs")
        yield name, ratio(many, few)
    queries = [
        bench.queries if site is bench.site else bench.run(site, "bench.queries", LIST, **UNCACHED)
        for site, _web in webs
    ]
    yield QUERIES, queries[1][LIST] / queries[0][LIST]
