"""How long applicants wait for a receipt while what follows it is busy or hangs."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator

from bench.forms import our_form, small_cv
from bench.rows import Figure
from bench.sites import WORKERS, Bench
from tests.support.stack import Stack

#: Forms of a turn; two people send one each ``INTERVAL`` seconds.
TURNS, FORMS, INTERVAL = 3, 60, 0.4
QUICK_TURNS, QUICK_FORMS, QUICK_INTERVAL = 1, 2, 0.1
IDLE = "idle"


def measure(bench: Bench) -> Iterator[tuple[str, float] | Figure]:
    """The 99th percentile of each condition, in turns with that of the idle site."""
    turns, count, interval = (
        (QUICK_TURNS, QUICK_FORMS, QUICK_INTERVAL) if bench.quick else (TURNS, FORMS, INTERVAL)
    )
    site, web = bench.working, bench.working_web
    form = [our_form(bench, web, small_cv())]
    # Where the workers run, they make PDFs of what has been sent so far.
    conditions: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {
        IDLE: lambda: frozen(site, *WORKERS),
        "workers saturated": contextlib.nullcontext,
        "broker hangs": lambda: frozen(site, *WORKERS, "broker"),
        "S3 hangs": lambda: frozen(site, "archive"),
        "SMTP hangs": lambda: smtp_hangs(site),
    }
    times: dict[str, list[float]] = {name: [] for name in conditions}
    with bench.workers():
        with conditions[IDLE]():
            web.drive(form, expect=303, count=count)
        for _turn in range(turns):
            for name, condition in conditions.items():
                with condition():
                    load = web.drive(
                        form, expect=303, count=count, connections=2, interval=interval
                    )
                times[name] += load.latencies
    for name, found in times.items():
        yield Figure(f"POST p99, {name}", percentile(found) * 1000, "ms")
        if name != IDLE:
            yield f"POST p99, {name}", percentile(found) / percentile(times[IDLE])


def percentile(found: list[float], part: float = 0.99) -> float:
    """The smallest value that so many of the values do not exceed."""
    return sorted(found)[math.ceil(part * len(found)) - 1]


@contextlib.contextmanager
def frozen(site: Stack, *parts: str) -> Iterator[None]:
    """Stop parts of a site for a while (SIGSTOP): they keep their sockets and answer nothing.

    Workers on SQLite go on: one that is stopped inside a transaction would lock the database.
    """
    on_sqlite = site.database.startswith("sqlite")
    stopped = [site[name] for name in parts if not (on_sqlite and name in WORKERS)]
    for part in stopped:
        part.freeze()
    try:
        yield
    finally:
        for part in stopped:
            part.thaw()


@contextlib.contextmanager
def smtp_hangs(site: Stack) -> Iterator[None]:
    """The mail server accepts connections and says nothing."""
    site.smtp.mode = "no_banner"
    try:
        yield
    finally:
        site.smtp.mode = "ok"
