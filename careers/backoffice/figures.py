"""The last 24 hours of each kind of step in figures."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from statistics import quantiles

from careers.backoffice.presentation import span
from careers.pipeline.models import Step, StepKind
from careers.pipeline.states import State
from careers.pipeline.transitions import db_now

#: Enough for figures that no longer change, few enough for every look.
SAMPLE = 5000


@dataclass(frozen=True)
class Figures:
    """How one kind of step fared; the spans are of the attempt that ended it."""

    step: str
    done: int
    failed: int
    half: str
    nearly_all: str


def last_day() -> list[Figures]:
    """Figures for each kind of step, in the order of the flow; one query."""
    ended = Step.objects.filter(
        state__in=[State.SUCCEEDED, State.FAILED], ended_at__gt=db_now() - dt.timedelta(days=1)
    ).order_by("-ended_at")
    runs: dict[tuple[str, str], list[float]] = defaultdict(list)
    for kind, state, started_at, ended_at in ended.values_list(
        "kind", "state", "started_at", "ended_at"
    )[:SAMPLE]:
        length = (ended_at - started_at).total_seconds() if started_at and ended_at else 0.0
        runs[kind, state].append(length)
    found = []
    for kind in StepKind:
        done = runs[kind, State.SUCCEEDED]
        found.append(
            Figures(
                step=str(kind.label),
                done=len(done),
                failed=len(runs[kind, State.FAILED]),
                half=_within(done, 50),
                nearly_all=_within(done, 95),
            )
        )
    return found


def _within(lengths: list[float], percent: int) -> str:
    """The span that so many in a hundred stay within; "" for none at all."""
    if not lengths:
        return ""
    if len(lengths) == 1:
        return span(dt.timedelta(seconds=lengths[0]))
    return span(dt.timedelta(seconds=quantiles(lengths, n=100, method="inclusive")[percent - 1]))
