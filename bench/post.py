"""Sending the form, against the form of a plain Wagtail project."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from bench.forms import our_form, plain_form, real_cv, small_cv
from bench.pages import ratio
from bench.rows import Figure
from bench.sites import Bench

TURNS, FORMS = 5, 24
QUICK_TURNS, QUICK_FORMS = 1, 2


def measure(bench: Bench) -> Iterator[tuple[str, float] | Figure]:
    """CPU of the web processes per form, with the children that judge files."""
    turns, count = (QUICK_TURNS, QUICK_FORMS) if bench.quick else (TURNS, FORMS)
    large = real_cv()
    runs = {
        "plain form": (bench.plain, plain_form(bench), 200),
        "POST, small CV": (bench.web, our_form(bench, bench.web, small_cv()), 303),
        "POST, real PDF of 1 MB": (bench.web, our_form(bench, bench.web, large), 303),
    }
    costs: dict[str, list[float]] = {name: [] for name in runs}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for web, request, expect in runs.values():
        web.drive([request], expect=expect, count=1 if bench.quick else 8)
    for _turn in range(turns):
        for name, (web, request, expect) in runs.items():
            load = web.drive([request], expect=expect, count=count, connections=2)
            costs[name].append(load.cost)
            times[name] += load.latencies
    yield Figure("size of the real PDF", len(large) / 1000, "KB")
    for name, found in costs.items():
        yield Figure(name, statistics.median(found) * 1000, "ms of CPU")
        yield Figure(f"{name}, p50", statistics.median(times[name]) * 1000, "ms")
        if name != "plain form":
            yield name, ratio(found, costs["plain form"])
