"""Pausing and resuming: nothing of what is paused starts, and everything goes on afterwards."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from careers.operations import health, sweeper
from careers.pipeline import dispatch, pauses, registry
from careers.pipeline.kinds import ARCHIVE, MAIL_APPLICANT, MAIL_HR, MAIL_OPERATORS, RENDER_PDF
from careers.pipeline.models import Pause, Step
from careers.pipeline.runner import run, take
from careers.pipeline.states import State
from careers.pipeline.transitions import db_now
from tests.support import people
from tests.support.broker import Broker
from tests.support.concurrently import at_once
from tests.support.factories import ApplicationFactory, StepFactory

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def otto(db: None) -> Any:
    return people.otto()


def paused(scope: str, user: Any, hours: float = 1) -> Pause:
    made = pauses.pause(Pause(scope=scope, until=db_now() + hours * HOUR), user, "SMTP is repaired")
    assert isinstance(made, Pause)
    return made


def end_by_itself(pause: Pause, ago: dt.timedelta = dt.timedelta(seconds=1)) -> None:
    Pause.objects.filter(pk=pause.pk).update(until=db_now() - ago)


COVERED = {
    pauses.EVERYTHING: {RENDER_PDF, ARCHIVE, MAIL_APPLICANT, MAIL_HR},
    pauses.MAILS: {MAIL_APPLICANT, MAIL_HR},
    "queue:cpu": {RENDER_PDF},
    "queue:io": {ARCHIVE, MAIL_APPLICANT, MAIL_HR},
    f"kind:{ARCHIVE}": {ARCHIVE},
}


@pytest.mark.parametrize("scope", COVERED)
def test_pause_covers_the_kinds_of_its_scope(scope: str) -> None:
    mine = {RENDER_PDF, ARCHIVE, MAIL_APPLICANT, MAIL_HR, MAIL_OPERATORS}
    assert set(pauses.kinds_of(scope)) & mine == COVERED[scope]


def test_every_scope_covers_a_step_and_names_it() -> None:
    for scope in pauses.scopes():
        assert pauses.kinds_of(scope)
        assert pauses.name_of(scope) != scope


@pytest.mark.parametrize("state", ["queued", "sent", "retrying"])
def test_paused_step_is_not_claimed_and_counts_no_attempt(
    application: Any, otto: Any, effects: Any, state: str
) -> None:
    paused(pauses.EVERYTHING, otto)
    due = {"run_after": db_now() - HOUR} if state == "retrying" else {}
    step = StepFactory(application=application, events=False, **{state: True, **due})
    before = step.attempts
    assert run(step.pk, owner="worker:1") == []
    step.refresh_from_db()
    assert step.attempts == before
    assert step.error_code == ("archive-unavailable" if state == "retrying" else "")
    # A message was used up, so the step is dispatched again after the pause.
    assert step.state == ("queued" if state == "sent" else state)


def test_resumed_step_runs(application: Any, otto: Any, effects: Any) -> None:
    step = StepFactory(application=application, queued=True, events=False)
    pause = paused(f"kind:{step.kind}", otto)
    run(step.pk, owner="worker:1")
    assert pauses.resume(pause, otto) is True
    run(step.pk, owner="worker:1")
    step.refresh_from_db()
    assert step.state == State.SUCCEEDED


def test_pause_ends_by_itself(application: Any, otto: Any, effects: Any) -> None:
    step = StepFactory(application=application, queued=True, events=False)
    end_by_itself(paused(pauses.EVERYTHING, otto))
    run(step.pk, owner="worker:1")
    step.refresh_from_db()
    assert step.state == State.SUCCEEDED


def test_other_steps_run_during_a_pause(application: Any, otto: Any, effects: Any) -> None:
    step = StepFactory(application=application, kind=RENDER_PDF, queued=True, events=False)
    paused(pauses.MAILS, otto)
    run(step.pk, owner="worker:1")
    step.refresh_from_db()
    assert step.state == State.SUCCEEDED


def test_mail_to_operators_is_never_paused(otto: Any, effects: Any) -> None:
    step = StepFactory(to_operators=True, queued=True, events=False)
    for scope in (pauses.EVERYTHING, pauses.MAILS, "queue:io"):
        paused(scope, otto)
    run(step.pk, owner="worker:1")
    step.refresh_from_db()
    assert step.state == State.SUCCEEDED


def test_mail_that_may_have_been_sent_is_repeated_with_its_key_during_a_pause(
    application: Any, otto: Any
) -> None:
    now = db_now()
    step = StepFactory(
        application=application,
        kind=MAIL_APPLICANT,
        retrying=True,
        run_after=now - HOUR,
        repeat_until=now + HOUR,
        events=False,
    )
    paused(pauses.MAILS, otto)
    assert take(step.pk, owner="worker:1") is not None


def test_paused_mail_above_the_limit_of_its_mailbox_waits(
    application: Any, otto: Any, settings: Any
) -> None:
    settings.MAILS_PER_MAILBOX = 0
    step = StepFactory(application=application, kind=MAIL_APPLICANT, queued=True, events=False)
    paused(pauses.MAILS, otto)
    assert take(step.pk, owner="worker:1") is None
    step.refresh_from_db()
    assert step.state == State.QUEUED


def test_paused_step_is_not_dispatched(application: Any, otto: Any, broker: Broker) -> None:
    step = StepFactory(application=application, queued=True, events=False)
    other = StepFactory(application=application, kind=RENDER_PDF, queued=True, events=False)
    pause = paused("kind:archive", otto)
    assert dispatch.dispatch_steps([step.pk, other.pk]) == 1
    assert sweeper.forgotten() == []
    assert sweeper.due() == [other.pk]
    pauses.resume(pause, otto)
    assert sweeper.forgotten() == [step.pk]
    assert sweeper.due() == [step.pk, other.pk]


def test_step_that_waits_because_of_a_pause_is_no_finding(application: Any, otto: Any) -> None:
    """Neither during the pause nor at once after it."""
    hours_ago = db_now() - 3 * HOUR
    StepFactory(application=application, queued=True, ready_at=hours_ago, events=False)
    assert health.check().oldest_ready_seconds > 10_000  # type: ignore[operator]
    pause = paused("queue:io", otto)
    assert health.check().oldest_ready_seconds is None
    end_by_itself(pause, dt.timedelta(minutes=1))
    assert 59 < health.check().oldest_ready_seconds < 120  # type: ignore[operator]


def test_second_pause_of_the_same_scope_is_refused(otto: Any) -> None:
    paused(pauses.MAILS, otto)
    wanted = Pause(scope=pauses.MAILS, until=db_now() + 2 * HOUR)
    assert pauses.pause(wanted, otto, "too") is None
    assert Pause.objects.count() == 1


def test_pause_follows_one_that_has_ended_by_itself(otto: Any) -> None:
    first = paused(pauses.MAILS, otto)
    end_by_itself(first)
    paused(pauses.MAILS, otto)
    first.refresh_from_db()
    assert (first.resumed_at, first.resumed_by) == (first.until, "")


@pytest.mark.parametrize("hours", [-1, 24 * 7 + 1])
def test_pause_with_an_impossible_end_is_refused(otto: Any, hours: int) -> None:
    wanted = Pause(scope=pauses.MAILS, until=db_now() + hours * HOUR)
    assert pauses.pause(wanted, otto, "long") is None


def test_second_resume_does_nothing(otto: Any) -> None:
    pause = paused(pauses.MAILS, otto)
    assert [pauses.resume(pause, otto), pauses.resume(pause, otto)] == [True, False]
    pause.refresh_from_db()
    assert pause.resumed_by == f"user:{otto.pk}:otto"


def test_pause_without_permission_is_denied(bare_job: Any) -> None:
    hanna = people.hanna(bare_job, rights=("view_step", "retry_step", "cancel_step"))
    with pytest.raises(PermissionDenied):
        pauses.pause(Pause(scope=pauses.MAILS, until=db_now() + HOUR), hanna)


def test_pauses_are_read_with_one_query(
    otto: Any, django_assert_num_queries: Any, application: Any
) -> None:
    for scope in pauses.scopes():
        paused(scope, otto)
    now = db_now()
    with django_assert_num_queries(1):
        found = pauses.read(now)
    assert found.kinds == set(registry.kinds_about_applications())


@pytest.mark.django_db(transaction=True)
def test_pause_and_claims_at_the_same_moment_leave_no_step_between(
    effects: Any, bare_job: Any
) -> None:
    """Each step either ran before the pause or waits untouched."""
    otto = people.otto()
    steps = [
        StepFactory(application=ApplicationFactory(page=bare_job), queued=True, events=False)
        for _n in range(6)
    ]

    def work(index: int) -> None:
        if index == len(steps):
            paused(pauses.EVERYTHING, otto)
        else:
            run(steps[index].pk, owner=f"worker:{index}")

    at_once(work, len(steps) + 1)
    since = Pause.objects.get().since
    for step in Step.objects.all():
        assert (step.state, step.attempts) in [("queued", 0), ("succeeded", 1)]
        assert step.started_at is None or step.started_at <= since + dt.timedelta(seconds=1)
