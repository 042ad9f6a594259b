"""What a soak measures and finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from prove.soak.growth import Verdict


@dataclass
class Sample:
    """One row of the table.

    Attributes:
        at: seconds since the start.
        wanted, reached: applications a second.
        p50, p99: seconds that a POST took.
        oldest: seconds that the oldest ready step has waited.
        open: steps that have not ended.
        used: from ``gauges.everything``.
    """

    at: float
    wanted: float
    reached: float
    p50: float
    p99: float
    oldest: float
    open: int
    used: dict[str, Any]


@dataclass
class Outcome:
    """The result of a soak."""

    database: str
    seconds: float
    started: str
    posted: int = 0
    rate: float = 0.0
    drained: float = 0.0
    samples: list[Sample] = field(default_factory=list)
    after: dict[str, Any] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class DocumentSample:
    """How large a child was after so many documents, its own and its predecessors'."""

    child: int
    documents: int
    seconds: float
    rss: float
    pss: float
    files: int


@dataclass
class Documents:
    """What setting many documents cost, in seconds of a core: a life's first, and the others."""

    count: int
    children: int
    life: int
    started: str
    lives: int = 0
    seconds: float = 0.0
    first: float = 0.0
    median: float = 0.0
    p99: float = 0.0
    samples: list[DocumentSample] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
