"""Snooze a step until later; mark one as handled by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from careers.applications.errors import Transient
from careers.operations import health, sweeper
from careers.pipeline import actions, retries
from careers.pipeline.attention import NEEDS_ATTENTION
from careers.pipeline.models import Step
from careers.pipeline.runner import run
from careers.pipeline.states import State
from careers.pipeline.transitions import db_now
from tests.support import people
from tests.support.factories import StepFactory

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def otto(db: None) -> Any:
    return people.otto()


def snoozed(application: Any, otto: Any, **more: Any) -> Step:
    step: Step = StepFactory(application=application, events=False, **more)
    assert actions.snooze(step, otto, "Later.", until=db_now() + HOUR)
    step.refresh_from_db()
    return step


@pytest.mark.parametrize(
    ("state", "after"),
    [("queued", "queued"), ("sent", "queued"), ("failed", "queued"), ("retrying", "retrying")],
)
def test_snoozed_step_waits_until_its_time(
    application: Any, otto: Any, effects: Any, state: str, after: str
) -> None:
    step = snoozed(application, otto, **{state: True})
    assert step.state == after
    run(step.pk, owner="worker:1")
    assert (sweeper.due(), sweeper.forgotten()) == ([], [])
    assert health.check().oldest_ready_seconds is None
    event = step.events.last()
    assert event is not None
    assert (event.actor, event.reason) == (f"user:{otto.pk}:otto", "Later.")
    Step.objects.filter(pk=step.pk).update(run_after=db_now())
    run(step.pk, owner="worker:1")
    step.refresh_from_db()
    assert step.state == State.SUCCEEDED


def test_step_that_was_snoozed_for_days_is_not_given_up_at_its_next_error(
    application: Any, otto: Any, effects: Any
) -> None:
    days_ago = db_now() - retries.TRANSIENT_PATIENCE
    step = snoozed(application, otto, retrying=True, failing_since=days_ago)
    Step.objects.filter(pk=step.pk).update(run_after=db_now())
    effects(archive=Transient("archive-unavailable", "The archive did not answer."))
    run(step.pk, owner="worker:1")
    step.refresh_from_db()
    assert (step.state, step.attempts) == (State.RETRYING, 1)


@pytest.mark.parametrize("hours", [-1, 24 * 31])
def test_snooze_until_an_impossible_time_is_refused(
    application: Any, otto: Any, hours: int
) -> None:
    step = StepFactory(application=application, failed=True, events=False)
    assert actions.snooze(step, otto, until=db_now() + hours * HOUR) is False


@pytest.mark.parametrize("trait", ["failed", "uncertain"])
def test_handled_step_needs_nobody_and_keeps_its_state(
    application: Any, otto: Any, trait: str
) -> None:
    step = StepFactory(application=application, events=False, **{trait: True})
    assert health.check().needs_attention == 1
    assert actions.mark_handled(step, otto, "Called the applicant.")
    assert actions.mark_handled(step, otto, "Again.") is False
    step.refresh_from_db()
    assert (step.state, NEEDS_ATTENTION(step)) == (trait, False)
    assert health.check().needs_attention == 0
    assert not Step.objects.needing_a_person().exists()
    assert [event.reason for event in step.events.all()] == ["Called the applicant."]


def test_handled_step_that_is_retried_and_fails_needs_a_person_again(
    application: Any, otto: Any, effects: Any
) -> None:
    step = StepFactory(application=application, failed=True, events=False)
    actions.mark_handled(step, otto, "By hand.")
    actions.retry(step, otto)
    step.refresh_from_db()
    assert step.handled_at is None
