"""Sending the form, against the other ways of doing what follows the receipt."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from bench.forms import our_form, small_cv
from bench.pages import ratio
from bench.rows import Figure
from bench.sites import Bench, Web

TURNS, FORMS, ALONE = 3, 24, 10
QUICK_TURNS, QUICK_FORMS, QUICK_ALONE = 1, 1, 1
OURS, SYNCHRONOUS, CHAIN = "our flow", "synchronous flow", "delay chain"


def measure(bench: Bench) -> Iterator[tuple[str, float] | Figure]:
    """Requests per second of four applicants, and the time of one alone, in turns."""
    turns, count, alone = (
        (QUICK_TURNS, QUICK_FORMS, QUICK_ALONE) if bench.quick else (TURNS, FORMS, ALONE)
    )
    flows: dict[str, Web] = {OURS: bench.web, SYNCHRONOUS: bench.synchronous, CHAIN: bench.chain}
    forms = {name: [our_form(bench, web, small_cv())] for name, web in flows.items()}
    rates: dict[str, list[float]] = {name: [] for name in flows}
    times: dict[str, list[float]] = {name: [] for name in flows}
    costs: dict[str, list[float]] = {name: [] for name in flows}
    for name, web in flows.items():
        # The first PDF of a process takes longest, and both processes make some.
        web.drive(forms[name], expect=303, count=1 if bench.quick else 12)
    for _turn in range(turns):
        for name, web in flows.items():
            load = web.drive(forms[name], expect=303, count=count)
            rates[name].append(load.rate)
            costs[name].append(load.cost)
        for name, web in flows.items():
            times[name].append(
                web.drive(forms[name], expect=303, count=alone, connections=1).median
            )
    for name in flows:
        yield Figure(f"POST, {name}, four at once", statistics.median(rates[name]), "requests/s")
        yield Figure(f"POST, {name}, four at once", cost(costs[name]), "ms of CPU")
        yield Figure(f"receipt, {name}, p50", cost(times[name]), "ms")
    yield "POST against the synchronous flow", ratio(rates[OURS], rates[SYNCHRONOUS])
    slower = ratio(times[SYNCHRONOUS], times[OURS])
    yield "time of the synchronous flow to the receipt", slower
    yield "POST against the delay chain", ratio(costs[OURS], costs[CHAIN])
    yield "time to the receipt against the delay chain", ratio(times[OURS], times[CHAIN])


def cost(seconds: list[float]) -> float:
    """The median in milliseconds."""
    return statistics.median(seconds) * 1000
