"""One row of the result, the table, and the JSON form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One measurement.

    Attributes:
        name: what was measured.
        measured, target: in ``unit``; smaller is better.
    """

    name: str
    measured: float
    target: float
    unit: str

    @property
    def met(self) -> bool:
        return self.measured <= self.target


def as_json(rows: Sequence[Row]) -> dict[str, Any]:
    """The form of ``--json``: ``{"rows": [{"name", "measured", "target", "unit", "met"}]}``."""
    return {"rows": [asdict(row) | {"met": row.met} for row in rows]}


def table(rows: Sequence[Row]) -> list[str]:
    """The rows as lines of text, with a heading."""
    width = max((len(row.name) for row in rows), default=0)
    lines = [f"{'':{width}}  {'measured':>9}  {'target':>9}"]
    for row in rows:
        verdict = "met" if row.met else "MISSED"
        lines.append(
            f"{row.name:{width}}  {row.measured:9.2f}  {row.target:9.2f}  {row.unit}  {verdict}"
        )
    return lines
