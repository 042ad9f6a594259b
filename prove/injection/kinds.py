"""What a fault is: what suffers it, what it may excuse, and how it is injected.

A fault is a generator: it does the damage, yields the seconds to wait, and repairs what it broke.
A target suffers one fault at a time; different targets suffer at the same time. A fault returns
whether it really happened: a planned death that killed nothing does not count.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prove.s3_proxy import S3Proxy
from tests.support.postgresql import PostgreSQL
from tests.support.stack import Stack

#: Seconds that a fault waits for the moment that it needs.
PATIENCE = 30
Injection = Iterator[float]


@dataclass(frozen=True)
class Fault:
    """One planned fault.

    Attributes:
        kind: what breaks.
        at: the application at whose sending it happens.
        seconds: how long it lasts, for faults that last.
        times: how often it happens in a row, for faults of single requests.
        chance: for everything else that the fault draws at random.
    """

    kind: str
    at: int
    seconds: float
    times: int
    chance: int

    def as_plan(self) -> str:
        """One line that differs when anything differs."""
        return f"{self.at}: {self.kind} ({self.seconds} s, ×{self.times}, {self.chance})"


@dataclass
class Site:
    """The site that the faults break."""

    stack: Stack
    proxy: S3Proxy
    plan: Path
    lease: float
    admin: Any = None
    postgres: PostgreSQL | None = None
    #: Parts that are down on purpose and not restarted.
    away: set[str] = field(default_factory=set)
    #: Whether nothing more will happen by itself; then no fault finds its moment.
    idle: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Kind:
    """A kind of fault.

    Attributes:
        target: what suffers it.
        blames: what it may excuse: ``web`` (an applicant may be asked to try again); and that a
            mail stays unconfirmed, because its sender was ``killed``, ``frozen`` or kept from
            writing (``stalled``), because one ``child`` of the worker died, or because the
            connection was ``cut`` in mid-message. A process that dies at a named point of a step
            records that itself (see ``tests.support.faulty_workers``).
        needs: ``sqlite``, ``postgresql``, ``server`` for a PostgreSQL that may be killed, or
            ``scanner``.
        gentle: whether it only disturbs and breaks nothing; then it is counted apart.
    """

    name: str
    target: str
    inject: Callable[[Site, Fault], Any]
    blames: frozenset[str] = frozenset()
    needs: str = ""
    gentle: bool = False


KINDS: dict[str, Kind] = {}
NOBODY: frozenset[str] = frozenset()
WEB, KILLED, FROZEN = frozenset({"web"}), frozenset({"killed"}), frozenset({"frozen"})
CHILD, CUT, DATABASE = frozenset({"child"}), frozenset({"cut"}), frozenset({"web", "stalled"})


def kind(
    name: str,
    target: str,
    blames: frozenset[str] = NOBODY,
    needs: str = "",
    *,
    gentle: bool = False,
) -> Callable[[Callable[[Site, Fault], Any]], Callable[[Site, Fault], Any]]:
    def known(inject: Callable[[Site, Fault], Any]) -> Callable[[Site, Fault], Any]:
        KINDS[name] = Kind(name, target, inject, blames, needs, gentle)
        return inject

    return known


def until(
    condition: Callable[[], object],
    seconds: float = PATIENCE,
    pause: float = 0.3,
    unless: Callable[[], bool] = lambda: False,
) -> Any:
    """Yield until a condition holds; returns whether it did."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(Exception):
            if condition():
                return True
        if time.monotonic() > deadline or unless():
            return False
        yield pause
