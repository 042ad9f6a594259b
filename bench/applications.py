"""What operators and HR see with a million applications; ``bench.panel`` measures it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from bench.rows import Figure, Row
from bench.sites import Bench

#: What the name of a row about polls begins with.
POLL = "poll "


def measure(bench: Bench) -> Iterator[tuple[str, float] | Figure]:
    """The worst of all ratios, the poll, and each of them."""
    rows: list[Row] = importlib.import_module("bench.panel").rows()
    found = {row.name: row.measured for row in rows if row.measured is not None}
    units = {row.name: row.unit for row in rows}
    for name, measured in found.items():
        yield Figure(name, measured, units[name])
    polls = [measured for name, measured in found.items() if name.startswith(POLL)]
    yield "poll without news, 1,000,000 applications", max(polls)
    others = [measured for name, measured in found.items() if not name.startswith(POLL)]
    yield "slowest list, filter, search or function, 1,000,000 applications", max(others)
