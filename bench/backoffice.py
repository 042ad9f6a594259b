"""What operators and HR see with 41,000 applications; ``bench.panel`` measures it."""

from __future__ import annotations

from collections.abc import Iterator

from bench import applications
from bench.rows import Figure
from bench.sites import Bench
from bench.targets import SIZES


def measure(bench: Bench) -> Iterator[tuple[str, float] | Figure]:
    return applications.compared(SIZES["backoffice"])
