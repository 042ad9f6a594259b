"""One row of the result, the table, and the JSON form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One measurement.

    Attributes:
        name: what was measured.
        measured: in ``unit``; None when it could not be measured.
        target: in ``unit``.
        at_least: whether larger is better. Else smaller is better.
        why: why there is no measurement; "" when there is one.
    """

    name: str
    measured: float | None
    target: float
    unit: str
    at_least: bool = False
    why: str = ""

    @property
    def met(self) -> bool:
        """Whether the target is met; never for a row without a measurement."""
        if self.measured is None or not math.isfinite(self.measured):
            return False
        if self.at_least:
            return self.measured >= self.target
        return self.measured <= self.target

    @property
    def cells(self) -> tuple[str, str, str, str, str]:
        """The row as a table shows it: name, measured, target, unit and verdict."""
        measured = "—" if self.measured is None else figure(self.measured)
        target = f"{'≥' if self.at_least else '≤'} {figure(self.target)}"
        verdict = "met" if self.met else "MISSED"
        if self.why:
            verdict = f"not measured: {self.why}"
        return self.name, measured, target, self.unit, verdict


@dataclass(frozen=True)
class Figure:
    """A number beside the rows, for instance what one request costs; it has no target."""

    name: str
    value: float
    unit: str


def figure(number: float) -> str:
    """A number with about three digits that count."""
    digits = 0 if abs(number) >= 100 else 1 if abs(number) >= 10 else 2
    return f"{number:,.{digits}f}"


def as_json(rows: Sequence[Row], figures: Sequence[Figure] = ()) -> dict[str, Any]:
    """The form of ``--json``: ``{"rows": [{"name", "measured", "target", "unit", "met"}]}``.

    ``measured`` is null for a row that could not be measured. ``figures`` has the numbers beside.
    """
    return {
        "rows": [
            {
                "name": row.name,
                "measured": row.measured,
                "target": row.target,
                "unit": row.unit,
                "met": row.met,
            }
            for row in rows
        ],
        "figures": [asdict(figure) for figure in figures],
    }


def table(rows: Sequence[Row]) -> list[str]:
    """The rows as lines of text, with a heading."""
    cells = [("", "measured", "target", "", ""), *(row.cells for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    return [
        f"{name:{widths[0]}}  {measured:>{widths[1]}}  {target:>{widths[2]}}  "
        f"{unit:{widths[3]}}  {verdict}".rstrip()
        for name, measured, target, unit, verdict in cells
    ]


def markdown(rows: Sequence[Row]) -> list[str]:
    """The rows as the lines of a table in Markdown."""
    lines = ["| what | measured | target | unit | |", "|---|---:|---:|---|---|"]
    return lines + [f"| {' | '.join(row.cells)} |" for row in rows]


def figures_as_text(figures: Sequence[Figure]) -> list[str]:
    """The numbers beside, as lines of text."""
    width = max((len(one.name) for one in figures), default=0)
    return [f"{one.name:{width}}  {figure(one.value):>9}  {one.unit}" for one in figures]


def figures_as_markdown(figures: Sequence[Figure]) -> list[str]:
    """The numbers beside, as the lines of a table in Markdown."""
    lines = ["| beside | | unit |", "|---|---:|---|"]
    return lines + [f"| {one.name} | {figure(one.value)} | {one.unit} |" for one in figures]
