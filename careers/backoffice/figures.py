"""The last 24 hours of each kind of step in figures."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from statistics import quantiles

from careers.backoffice.presentation import span
from careers.pipeline import registry
from careers.pipeline.models import Step
from careers.pipeline.states import State
from careers.pipeline.transitions import db_now

#: How many steps the figures use: enough for stable values, few enough to read on every view.
SAMPLE = 5000


@dataclass(frozen=True)
class Figures:
    """Figures of one kind of step. The times are those of the attempt that ended a step."""

    step: str
    done: int
    failed: int
    median: str
    percentile_95: str


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
    for kind in registry.kinds_to_show(kind for kind, _state in list(runs)):
        done = runs[kind, State.SUCCEEDED]
        found.append(
            Figures(
                step=registry.label_of(kind),
                done=len(done),
                failed=len(runs[kind, State.FAILED]),
                median=_percentile(done, 50),
                percentile_95=_percentile(done, 95),
            )
        )
    return found


def _percentile(lengths: list[float], percent: int) -> str:
    """This percentile of lengths in seconds, as a span; "" for no lengths."""
    if not lengths:
        return ""
    if len(lengths) == 1:
        return span(dt.timedelta(seconds=lengths[0]))
    return span(dt.timedelta(seconds=quantiles(lengths, n=100, method="inclusive")[percent - 1]))
