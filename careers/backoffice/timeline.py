"""The history of each step as bars on one scale: light for waiting, solid for running."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from careers.backoffice.presentation import span
from careers.pipeline.models import Step, StepEvent
from careers.pipeline.states import UNDER_WAY, State

#: The smallest visible width of a bar, in percent of the scale.
LEAST = 0.6


@dataclass(frozen=True)
class Bar:
    """One period of a step's life, in percent of the scale."""

    left: float
    width: float
    runs: bool
    title: str


@dataclass
class Lane:
    """One step on the scale."""

    bars: list[Bar] = field(default_factory=list)
    ticks: list[float] = field(default_factory=list)
    waited: dt.timedelta = dt.timedelta()
    ran: dt.timedelta = dt.timedelta()

    @property
    def in_words(self) -> str:
        """The bars in words, for screen readers."""
        parts = [_("Waited %(time)s") % {"time": span(self.waited)}]
        if self.ticks:
            parts.append(_("ran %(time)s") % {"time": span(self.ran)})
        if len(self.ticks) > 1:
            parts.append(
                ngettext("%(count)d attempt", "%(count)d attempts", len(self.ticks))
                % {"count": len(self.ticks)}
            )
        return ", ".join(parts)


def lanes(
    steps: Sequence[Step], events: dict[int, list[StepEvent]], now: dt.datetime
) -> tuple[dict[int, Lane], dt.timedelta]:
    """A lane for each step, by its id, and the length of the whole scale.

    Args:
        events: each step's events in their order, by the step's id.
    """
    moments = [event.at for history in events.values() for event in history]
    if not moments:
        return {step.pk: Lane() for step in steps}, dt.timedelta()
    start = min(moments)
    open_ended = any(step.state in UNDER_WAY for step in steps)
    end = max(max(moments), now) if open_ended else max(moments)
    whole = max(end - start, dt.timedelta(seconds=1))

    def percent(length: dt.timedelta) -> float:
        return round(length / whole * 100, 3)

    found = {}
    for step in steps:
        lane = found[step.pk] = Lane()
        history = events.get(step.pk, [])
        periods: list[tuple[dt.datetime, dt.datetime, bool]] = []
        for index, event in enumerate(history):
            if event.to_state == State.STARTED:
                lane.ticks.append(min(100 - LEAST, percent(event.at - start)))
            if event.to_state not in UNDER_WAY:
                continue
            until = history[index + 1].at if index + 1 < len(history) else now
            runs = event.to_state == State.STARTED
            if runs:
                lane.ran += until - event.at
            else:
                lane.waited += until - event.at
            if periods and periods[-1][2] == runs and periods[-1][1] == event.at:
                periods[-1] = (periods[-1][0], until, runs)
            else:
                periods.append((event.at, until, runs))
        for begin, until, runs in periods:
            width = max(percent(until - begin), LEAST if runs else 0)
            left = min(percent(begin - start), 100 - width)
            words = _("Ran %(time)s") if runs else _("Waited %(time)s")
            lane.bars.append(Bar(max(left, 0), width, runs, words % {"time": span(until - begin)}))
    return found, whole
