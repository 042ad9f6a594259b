"""Histories as bars."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from careers.backoffice.timeline import LEAST, Lane, lanes
from careers.pipeline.models import Step, StepEvent
from careers.pipeline.states import State
from tests.support.factories import StepFactory

START = dt.datetime(2026, 3, 5, 12, tzinfo=dt.UTC)


def lane_of(
    state: State, *moves: tuple[float, State], now: float = 100
) -> tuple[Lane, dt.timedelta]:
    """A lane for a step that went through ``moves``, each at so many seconds."""
    step = Step(pk=1, state=state)
    events = [
        StepEvent(step_id=1, at=START + dt.timedelta(seconds=at), to_state=to, attempt=0)
        for at, to in moves
    ]
    found, whole = lanes([step], {1: events}, START + dt.timedelta(seconds=now))
    return found[1], whole


def test_lane_has_bars_for_waiting_and_running() -> None:
    lane, whole = lane_of(
        State.SUCCEEDED,
        (0, State.QUEUED),
        (4, State.SENT),
        (5, State.STARTED),
        (10, State.SUCCEEDED),
    )
    assert whole == dt.timedelta(seconds=10)
    assert [(bar.left, bar.width, bar.runs) for bar in lane.bars] == [
        (0, 50, False),
        (50, 50, True),
    ]
    assert lane.ticks == [50]
    assert lane.in_words == "Waited 5.0 s, ran 5.0 s"


def test_lane_has_a_tick_for_each_attempt() -> None:
    lane, _whole = lane_of(
        State.FAILED,
        (0, State.QUEUED),
        (10, State.STARTED),
        (20, State.RETRYING),
        (50, State.STARTED),
        (100, State.FAILED),
    )
    assert lane.ticks == [10, 50]
    assert lane.waited == dt.timedelta(seconds=40)
    assert lane.ran == dt.timedelta(seconds=60)
    assert lane.in_words.endswith("2 attempts")


def test_running_step_ends_now() -> None:
    lane, whole = lane_of(State.STARTED, (0, State.QUEUED), (50, State.STARTED), now=100)
    assert whole == dt.timedelta(seconds=100)
    assert lane.bars[-1].width == 50


def test_time_after_failure_has_no_bar() -> None:
    lane, _whole = lane_of(
        State.SUCCEEDED,
        (0, State.QUEUED),
        (1, State.STARTED),
        (2, State.FAILED),
        (98, State.QUEUED),
        (99, State.STARTED),
        (100, State.SUCCEEDED),
    )
    assert lane.waited == dt.timedelta(seconds=2)
    assert lane.ran == dt.timedelta(seconds=2)


def test_short_run_has_minimum_width() -> None:
    lane, _whole = lane_of(
        State.SUCCEEDED,
        (0, State.QUEUED),
        (3 * 86400 - 1, State.STARTED),
        (3 * 86400, State.SUCCEEDED),
    )
    run = lane.bars[-1]
    assert run.width == LEAST
    assert run.left + run.width <= 100


def test_step_without_events_has_no_bars() -> None:
    found, whole = lanes([Step(pk=1, state=State.QUEUED)], {}, timezone.now())
    assert found[1].bars == []
    assert whole == dt.timedelta()


@pytest.mark.parametrize("trait", ["queued", "sent", "started", "retrying", "failed", "cancelled"])
def test_bars_stay_within_the_scale(db: None, trait: str) -> None:
    step = StepFactory(**{trait: True})
    events = list(step.events.all())
    found, _whole = lanes([step], {step.pk: events}, timezone.now())
    for bar in found[step.pk].bars:
        assert bar.left >= 0
        assert bar.left + bar.width <= 100.001
