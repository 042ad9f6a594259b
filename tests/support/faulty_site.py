"""A site whose processes die at planned points."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.support.stack import Stack


@dataclass(frozen=True)
class FaultySite:
    """A stack with a plan of deaths.

    Attributes:
        plan: a directory with a file for each death (see ``tests.support.faulty_workers``).
    """

    stack: Stack
    plan: Path
