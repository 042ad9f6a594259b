"""What happens after the receipt: how much CPU it takes, and how long."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from typing import Any

from bench.busy import frozen
from bench.forms import our_form, small_cv
from bench.processes import cpu_seconds
from bench.rows import Figure
from bench.sites import WORKERS, Bench
from bench.traffic import Load
from tests.support.processes import until
from tests.support.stack import ENDS
from tests.support.stack.site import as_moment

STARTS, LATER, FORMS, ALONE = 3, 4, 60, 15
QUICK_STARTS, QUICK_LATER, QUICK_FORMS, QUICK_ALONE = 1, 1, 2, 1


def measure(bench: Bench) -> Iterator[tuple[str, float] | Figure]:
    """All rows about workers. Nobody else uses the site meanwhile."""
    starts = QUICK_STARTS if bench.quick else STARTS
    work = Work(bench)
    firsts: list[float] = []
    later: list[float] = []
    for start in range(starts):
        with bench.workers():
            documents(work, firsts, later)
            if start == starts - 1:
                yield from alone(work)
                yield from throughput(bench, work)
    yield Figure("first PDF of a worker", statistics.median(firsts), "s")
    yield Figure("later PDF of a worker", statistics.median(later), "s")
    yield "first PDF of a worker", statistics.median(firsts) / statistics.median(later)


class Work:
    """Applications on the site whose workers run."""

    def __init__(self, bench: Bench) -> None:
        self.quick, self.site, self.web = bench.quick, bench.working, bench.working_web
        self.form = [our_form(bench, self.web, small_cv())]
        # In a quick run nobody waits for what other groups have left behind.
        newest = self.site.query("SELECT max(id) AS id FROM careers_application")[0]["id"]
        self.after = int(newest or 0) if bench.quick else 0

    def send(self, count: int) -> Load:
        """Send forms one after the other."""
        return self.web.drive(self.form, expect=303, count=count, connections=1)

    def wait(self) -> None:
        """Wait until every step has ended."""
        ended = ", ".join(f"'{state}'" for state in ENDS)
        rest = (
            f"SELECT count(*) AS n FROM careers_step WHERE state NOT IN ({ended})"
            f" AND application_id > {self.after}"
        )
        until(lambda: not self.site.query(rest)[0]["n"], 300, "some steps did not end")

    def send_and_wait(self, count: int) -> Load:
        load = self.send(count)
        self.wait()
        return load

    def steps(self) -> list[dict[str, Any]]:
        """The steps of the newest application."""
        return self.site.query(
            "SELECT kind, state, started_at, ended_at FROM careers_step"
            " WHERE application_id = (SELECT max(id) FROM careers_application)"
        )


def duration(step: dict[str, Any]) -> float:
    """Seconds from the claim of a step to its end."""
    return (as_moment(step["ended_at"]) - as_moment(step["started_at"])).total_seconds()


def documents(work: Work, firsts: list[float], later: list[float]) -> None:
    """Note the seconds of a new worker's first PDF, and of some later ones."""
    for number in range(1 + (QUICK_LATER if work.quick else LATER)):
        work.send_and_wait(1)
        took = [duration(step) for step in work.steps() if step["kind"] == "render_pdf"]
        (later if number else firsts).extend(took)


def alone(work: Work) -> Iterator[tuple[str, float] | Figure]:
    """One application at a time, from the first byte of the form to the end of the last step."""
    whole: list[float] = []
    parts: list[float] = []
    for _number in range(QUICK_ALONE if work.quick else ALONE):
        load = work.send_and_wait(1)
        steps, took = work.steps(), load.latencies[-1]
        last = max(as_moment(step["ended_at"]) for step in steps)
        whole.append(last.timestamp() - load.began)
        parts.append(took + sum(duration(step) for step in steps))
    yield Figure("application from end to end, idle, p50", statistics.median(whole) * 1000, "ms")
    yield Figure("the sum of its parts, p50", statistics.median(parts) * 1000, "ms")
    yield (
        "application from end to end, idle, p50",
        statistics.median(a / b for a, b in zip(whole, parts, strict=True)),
    )


def throughput(bench: Bench, work: Work) -> Iterator[tuple[str, float] | Figure]:
    """CPU of all workers for one application, when many wait."""
    count = QUICK_FORMS if work.quick else FORMS
    processes = [work.site[name] for name in WORKERS]
    with frozen(work.site, *WORKERS):
        work.web.drive(work.form, expect=303, count=count, connections=2)
        before = sum(cpu_seconds(process.pid) for process in processes)
    began = time.monotonic()
    work.wait()
    took = time.monotonic() - began
    cpu = (sum(cpu_seconds(process.pid) for process in processes) - before) / count
    yield Figure("application in the workers", cpu * 1000, "ms of CPU")
    yield Figure("applications through the workers", count / took, "a second")
    yield "applications per second and core", bench.pdf_costs["bare"] / cpu
