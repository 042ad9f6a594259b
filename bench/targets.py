"""Every target, by group of measurements; ``docs/performance.md`` explains each."""

from __future__ import annotations

from dataclasses import dataclass

from bench.rows import Row


@dataclass(frozen=True)
class Target:
    """What a measurement must reach.

    Attributes:
        group: the measurements that take it.
        name: the name of its row.
        value: in ``unit``.
        at_least: whether larger is better. Else smaller is better.
    """

    group: str
    name: str
    value: float
    unit: str
    at_least: bool = False

    def row(self, measured: float) -> Row:
        return Row(self.name, measured, self.value, self.unit, self.at_least)

    def unmeasured(self, why: str) -> Row:
        return Row(self.name, None, self.value, self.unit, self.at_least, why)


#: Pages that visitors read, by their words in the table.
PAGES = ("home", "list", "job", "closed job", "Atom feed", "sitemap")
#: Applications of the groups that compare the back office with one of 1,000 applications.
SIZES = {"backoffice": 41_000, "applications": 1_000_000}
RATE, CPU = "× plain page’s requests/s", "× plain page’s CPU"
IDLE = "× idle"

TARGETS: tuple[Target, ...] = (
    *(Target("pages", f"GET {page}, cached", 40, RATE, at_least=True) for page in PAGES),
    *(Target("pages", f"GET {page}, not cached", 1.3, CPU) for page in PAGES),
    *(Target("pages", f"GET {page}, not cached: queries", 10, "queries") for page in PAGES),
    Target("post", "POST, small CV", 1.5, "× plain form’s CPU"),
    Target("post", "POST, real PDF of 1 MB", 2.5, "× plain form’s CPU"),
    Target("busy", "POST p99, workers saturated", 1.5, IDLE),
    Target("busy", "POST p99, broker hangs", 1.5, IDLE),
    Target("busy", "POST p99, S3 hangs", 1.5, IDLE),
    Target("busy", "POST p99, SMTP hangs", 1.5, IDLE),
    Target("flows", "POST against the synchronous flow", 10, "× its requests/s", at_least=True),
    Target("flows", "time of the synchronous flow to the receipt", 20, "× ours", at_least=True),
    Target("flows", "POST against the delay chain", 1.3, "× its CPU"),
    Target("flows", "time to the receipt against the delay chain", 1.3, "× its time"),
    Target("pdf", "PDF", 1.1, "× bare write_pdf’s CPU"),
    Target("pdf", "PDF of 100 pages, per page", 1.1, "× of 10 pages"),
    Target("pipeline", "first PDF of a worker", 2, "× a later one"),
    Target("pipeline", "applications per second and core", 0.85, "× bare PDFs", at_least=True),
    Target("pipeline", "application from end to end, idle, p50", 1.5, "× sum of its parts"),
    Target("many", "list of 10,000 jobs", 2, "× of 100 jobs"),
    Target("many", "filter of 10,000 jobs", 2, "× of 100 jobs"),
    Target("many", "search in 10,000 jobs", 2, "× of 100 jobs"),
    Target("many", "sitemap of 10,000 jobs, per job", 2, "× of 100 jobs"),
    Target("many", "Atom feed of 10,000 jobs, per job", 2, "× of 100 jobs"),
    Target("many", "queries of the list of 10,000 jobs", 1, "× of 100 jobs"),
    *(
        Target(
            group,
            f"slowest list, filter, search or function, {size:,} applications",
            2,
            "× of 1,000",
        )
        for group, size in SIZES.items()
    ),
    *(
        Target(group, f"poll without news, {size:,} applications", 5, "ms of CPU")
        for group, size in SIZES.items()
    ),
    Target("start", "warm start of bin/run", 10, "s"),
    Target("start", "memory of the embedded site (PSS)", 700, "MB"),
    Target("weight", "requests before the first text of the job page", 3, "requests"),
    Target("weight", "CSS and JS of the job page, raw", 40, "KB"),
    Target("weight", "CSS and JS of the job page, compressed", 12, "KB"),
    Target("lighthouse", "Lighthouse performance, home", 99, "points", at_least=True),
    Target("lighthouse", "Lighthouse performance, list", 99, "points", at_least=True),
    Target("lighthouse", "Lighthouse performance, job", 99, "points", at_least=True),
    Target("hostile", "job page while 20 people send a phone number of 300 kB", 2, IDLE),
    Target("hostile", "job page while 20 people send 80,000 alternating combining marks", 2, IDLE),
    Target(
        "hostile",
        "job page while 20 people send a PDF whose page tree repeats its children",
        2,
        IDLE,
    ),
)
GROUPS = tuple(dict.fromkeys(target.group for target in TARGETS))
