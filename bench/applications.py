"""What operators and HR see with a million applications; ``bench.panel`` measures it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from bench.rows import Figure, Row
from bench.sites import Bench
from bench.targets import SIZES

#: What the name of a row about polls begins with.
POLL = "poll "


def measure(bench: Bench) -> Iterator[tuple[str, float] | Figure]:
    return compared(SIZES["applications"])


def compared(size: int) -> Iterator[tuple[str, float] | Figure]:
    """The worst of all ratios, the poll, and each of them, for so many applications."""
    # Loads Django's models; a run of other groups need not.
    rows: list[Row] = importlib.import_module("bench.panel").rows(large=size)
    found = {row.name: row.measured for row in rows if row.measured is not None}
    units = {row.name: row.unit for row in rows}
    for name, measured in found.items():
        yield Figure(name, measured, units[name])
    (poll,) = (measured for name, measured in found.items() if name.startswith(POLL))
    yield f"poll without news, {size:,} applications", poll
    others = [measured for name, measured in found.items() if not name.startswith(POLL)]
    yield f"slowest list, filter, search or function, {size:,} applications", max(others)
