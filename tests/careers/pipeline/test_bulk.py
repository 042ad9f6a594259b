"""One act on many steps: the whole number, in the background, once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from careers.operations.sweeper import Sweeper
from careers.pipeline import actions, bulk
from careers.pipeline.bulk import Chosen
from careers.pipeline.models import BulkAct, Step, StepEvent
from careers.pipeline.states import State
from careers.pipeline.transitions import db_now
from tests.support import people
from tests.support.broker import Broker
from tests.support.factories import ApplicationFactory, JobPageFactory, StepFactory, root_page

pytestmark = pytest.mark.django_db
CODE = "ValueError"


@pytest.fixture
def otto(db: None) -> Any:
    return people.otto()


def failed(job: Any, number: int) -> list[Step]:
    return [
        StepFactory(application=ApplicationFactory(page=job), failed=True, events=False)
        for _n in range(number)
    ]


def chosen(**more: Any) -> Chosen:
    return Chosen.of(**{"kind": "archive", "code": CODE} | more)


def states() -> list[str]:
    return list(Step.objects.order_by("pk").values_list("state", flat=True))


def begin(user: Any, choice: Chosen | None = None, act: Any = actions.retry) -> BulkAct:
    row = bulk.begin(act, choice or chosen(), user, "The disk is back.")
    assert row is not None
    return row


def test_all_chosen_steps_are_retried_with_actor_and_reason(bare_job: Any, otto: Any) -> None:
    failed(bare_job, 4)
    other = StepFactory(application=ApplicationFactory(page=bare_job), misconfigured=True)
    row = begin(otto)
    assert (row.total, bulk.advance(row)) == (4, True)
    row.refresh_from_db()
    assert row.done == 4
    assert row.finished_at is not None
    other.refresh_from_db()
    assert other.state == State.RETRYING
    events = StepEvent.objects.filter(to_state=State.QUEUED, from_state=State.FAILED)
    assert {(event.actor, event.reason) for event in events} == {
        (f"user:{otto.pk}:otto", "The disk is back.")
    }


def test_progress_is_stored_and_the_next_call_goes_on(bare_job: Any, otto: Any) -> None:
    failed(bare_job, 5)
    row = begin(otto)
    assert bulk.advance(row, steps=2) is False
    left = BulkAct.objects.get()
    assert (left.done, left.total, left.touched_at) == (2, 5, None)
    assert states().count("failed") == 3
    assert bulk.continue_all(60) is True
    assert "failed" not in states()


def test_stopped_act_is_continued_after_a_minute_by_the_sweeper(bare_job: Any, otto: Any) -> None:
    """A worker was killed, or none runs."""
    failed(bare_job, 2)
    row = begin(otto)
    bulk.continue_all(1, left_alone=True)
    assert states() == ["failed", "failed"]
    long_ago = db_now() - 2 * bulk.LEFT_ALONE
    BulkAct.objects.filter(pk=row.pk).update(created_at=long_ago, touched_at=long_ago)
    Sweeper._continue_bulk_acts()
    assert "failed" not in states()


def test_same_request_twice_is_one_act(bare_job: Any, otto: Any) -> None:
    failed(bare_job, 3)
    assert begin(otto).pk == begin(otto).pk
    assert BulkAct.objects.count() == 1


def test_two_processes_on_one_act_do_each_step_once(bare_job: Any, otto: Any) -> None:
    failed(bare_job, 3)
    row = begin(otto)
    stale = BulkAct.objects.get(pk=row.pk)
    bulk.advance(row)
    bulk.advance(stale)
    row.refresh_from_db()
    assert row.done == 3
    assert StepEvent.objects.filter(from_state=State.FAILED).count() == 3


def test_steps_that_fail_again_are_not_retried_twice(bare_job: Any, otto: Any) -> None:
    steps = failed(bare_job, 2)
    row = begin(otto)
    bulk.advance(row, steps=1)
    Step.objects.filter(pk=steps[0].pk).update(state=State.FAILED)
    failed(bare_job, 1)
    bulk.advance(row)
    assert states() == ["failed", states()[1], "failed"]
    assert states()[1] != "failed"


def test_steps_of_other_jobs_are_left_alone(bare_job: Any, otto: Any) -> None:
    failed(bare_job, 1)
    failed(ApplicationFactory().page, 1)
    begin(otto, chosen(jobs=[bare_job.translation_key]))
    bulk.continue_all(60)
    assert states()[1] == "failed"


def test_choice_by_time_takes_only_that_time(bare_job: Any, otto: Any) -> None:
    early, late = failed(bare_job, 2)
    now = db_now()
    Step.objects.filter(pk=early.pk).update(state_since=now - dt.timedelta(hours=2))
    Step.objects.filter(pk=late.pk).update(state_since=now)
    begin(otto, chosen(until=(now - dt.timedelta(hours=1)).isoformat()))
    bulk.continue_all(60)
    assert states()[1] == "failed"
    assert states()[0] != "failed"


@pytest.mark.parametrize("act", [actions.confirm_arrival, actions.send_again])
def test_unconfirmed_mails_are_decided_together(bare_job: Any, otto: Any, act: Any) -> None:
    mails = [
        StepFactory(application=ApplicationFactory(page=bare_job), uncertain=True, events=False)
        for _n in range(3)
    ]
    choice = Chosen.of(mails[0].kind, mails[0].error_code)
    begin(otto, choice, act)
    begin(otto, choice, act)
    bulk.continue_all(60)
    sent_again = Step.objects.filter(sequence=1).count()
    assert sent_again == (0 if act is actions.confirm_arrival else 3)
    ended = "succeeded" if act is actions.confirm_arrival else "cancelled"
    assert states()[:3] == [ended] * 3


def test_mail_that_was_handled_by_hand_is_left_alone(bare_job: Any, otto: Any) -> None:
    handled, other = (
        StepFactory(application=ApplicationFactory(page=bare_job), uncertain=True, events=False)
        for _n in range(2)
    )
    assert actions.mark_handled(handled, otto, "They have it: I called.")
    row = begin(otto, Chosen.of(handled.kind, handled.error_code), actions.send_again)
    assert (row.total, bulk.advance(row)) == (1, True)
    assert Step.objects.filter(application=handled.application).count() == 1
    assert Step.objects.filter(application=other.application).count() == 2


@pytest.mark.parametrize("act", [actions.retry, actions.send_again])
def test_mail_that_is_handled_after_the_act_has_read_it_is_left_alone(
    bare_job: Any, otto: Any, monkeypatch: pytest.MonkeyPatch, act: Any
) -> None:
    state = "failed" if act is actions.retry else "uncertain"
    first, second = (
        StepFactory(application=ApplicationFactory(page=bare_job), events=False, **{state: True})
        for _n in range(2)
    )
    row = begin(otto, Chosen.of(first.kind, first.error_code), act)

    def note_and_handle(row: BulkAct, done: int) -> None:
        # A colleague marks the second step while the first one is done.
        actions.mark_handled(second, otto, "They have it: I called.")

    monkeypatch.setattr(bulk, "PROGRESS", 1)
    monkeypatch.setattr(bulk, "_note", note_and_handle)
    bulk.advance(row)
    second.refresh_from_db()
    assert (second.state, second.handled_at is None) == (state, False)
    assert not Step.objects.filter(application=second.application, sequence=1).exists()


def test_act_ends_when_the_person_loses_the_permission(bare_job: Any, otto: Any) -> None:
    failed(bare_job, 2)
    begin(otto)
    otto.groups.clear()
    assert bulk.continue_all(60) is True
    assert states() == ["failed", "failed"]
    assert BulkAct.objects.get().done == 0


def test_begin_without_permission_is_denied(bare_job: Any) -> None:
    failed(bare_job, 1)
    with pytest.raises(PermissionDenied):
        begin(people.hanna(bare_job))


def test_begin_without_steps_stores_nothing(otto: Any) -> None:
    assert bulk.begin(actions.retry, chosen(), otto, "") is None
    assert not BulkAct.objects.exists()


def test_task_asks_for_another_one_until_all_is_done(
    bare_job: Any, otto: Any, monkeypatch: pytest.MonkeyPatch, broker: Broker
) -> None:
    failed(bare_job, 3)
    begin(otto)
    asked: list[str] = []
    monkeypatch.setattr(bulk.dispatch, "dispatch_task", lambda task: asked.append(task))
    monkeypatch.setattr(bulk, "PROGRESS", 1)
    monkeypatch.setattr(bulk, "TASK_SECONDS", -1)
    rounds = 0
    while "failed" in states():
        bulk.bulk_acts()
        rounds += 1
    assert (rounds, asked[:2]) == (3, [bulk.TASK, bulk.TASK])


def test_statements_do_not_grow_with_the_steps_that_are_left(
    bare_job: Any, otto: Any, django_assert_max_num_queries: Any
) -> None:
    failed(bare_job, 8)
    row = begin(otto)
    with django_assert_max_num_queries(30):
        bulk.advance(row, steps=2)


def test_act_stops_where_the_person_lost_the_permission(bare_job: Any) -> None:
    """Hanna asks for all steps of her job, and is given another part of the site meanwhile."""
    failed(bare_job, 2)
    rights = ["view_step", "retry_step"]
    hanna = people.hanna(bare_job, rights=rights)
    row = begin(hanna, chosen(jobs=[bare_job.translation_key]))
    other = people.hanna(JobPageFactory(parent=root_page()), "other", rights)
    hanna.groups.set(other.groups.all())
    assert bulk.advance(row) is True
    row.refresh_from_db()
    assert row.done == 0
    assert states() == ["failed", "failed"]
