"""Every change is one guarded UPDATE with one event."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from careers.pipeline.models import Step, StepEvent
from careers.pipeline.states import LEAVES_TO, Phase, State
from careers.pipeline.transitions import db_now, enter_data_phase, enter_keyed_phase, move
from tests.support.concurrently import at_once
from tests.support.factories import StepFactory

pytestmark = pytest.mark.django_db

ALLOWED = [(before, to) for before, after in LEAVES_TO.items() for to in after]
FORBIDDEN = [(a, b) for a in State for b in State if (a, b) not in set(ALLOWED)]


def step_in(state: State, application: Any, **more: Any) -> Step:
    return StepFactory(application=application, state=state, events=False, **more)


@pytest.mark.parametrize(("before", "to"), sorted(ALLOWED))
def test_allowed_move_changes_the_state_with_one_event(
    application: Any, before: State, to: State
) -> None:
    step = step_in(before, application)
    assert move(step.pk, to, leaving=[before], actor="worker:1", reason="Why") is True
    step.refresh_from_db()
    event = StepEvent.objects.get(step=step)
    assert step.state == to
    assert (event.from_state, event.to_state) == (before, to)
    assert (event.actor, event.reason, event.at) == ("worker:1", "Why", step.state_since)


@pytest.mark.parametrize(("before", "to"), sorted(FORBIDDEN))
def test_forbidden_move_raises(before: State, to: State) -> None:
    with pytest.raises(ValueError, match=f"a step never goes from {before} to {to}"):
        move(1, to, leaving=[before], actor="worker:1")


@pytest.mark.parametrize("state", [state for state in State if state != State.QUEUED])
def test_move_of_a_step_in_another_state_changes_nothing(application: Any, state: State) -> None:
    step = step_in(state, application)
    assert move(step.pk, State.SENT, leaving=[State.QUEUED], actor="intake") is False
    step.refresh_from_db()
    assert step.state == state
    assert StepEvent.objects.count() == 0


@pytest.mark.parametrize("fence", [0, 2, 4])
def test_move_with_wrong_fence_changes_nothing(application: Any, fence: int) -> None:
    step = step_in(State.STARTED, application, token=3)
    assert move(step.pk, State.SUCCEEDED, leaving=[State.STARTED], fence=fence, actor="w") is False
    step.refresh_from_db()
    assert (step.state, step.ended_at) == (State.STARTED, None)
    assert StepEvent.objects.count() == 0


def test_move_with_failed_guard_changes_nothing(application: Any) -> None:
    step = step_in(State.STARTED, application, phase=Phase.DATA)
    moved = move(step.pk, State.CANCELLED, leaving=[State.STARTED], actor="u", guard={"phase": ""})
    assert moved is False
    assert StepEvent.objects.count() == 0


def test_move_of_unknown_step_changes_nothing(db: None) -> None:
    assert move(424242, State.SENT, leaving=[State.QUEUED], actor="w") is False


def test_move_with_a_failing_event_changes_nothing(application: Any) -> None:
    step = step_in(State.QUEUED, application)
    with pytest.raises((IntegrityError, ValueError)), transaction.atomic():
        move(step.pk, State.SENT, leaving=[State.QUEUED], actor=None)  # type: ignore[arg-type]
    step.refresh_from_db()
    assert step.state == State.QUEUED


def test_move_to_an_end_sets_the_time_and_clears_the_lease(application: Any) -> None:
    step = step_in(State.STARTED, application, lease_until=timezone.now(), phase=Phase.DATA)
    move(step.pk, State.SUCCEEDED, leaving=[State.STARTED], actor="w")
    step.refresh_from_db()
    assert step.ended_at == step.state_since
    assert (step.lease_until, step.phase) == (None, Phase.NONE)


def test_unconfirmed_step_keeps_its_phase(application: Any) -> None:
    step = step_in(State.STARTED, application, phase=Phase.DATA)
    move(step.pk, State.UNCERTAIN, leaving=[State.STARTED], actor="w")
    step.refresh_from_db()
    assert step.phase == Phase.DATA
    assert step.ended_at == step.state_since


def test_claim_counts_as_the_next_attempt_in_the_history(application: Any) -> None:
    step = step_in(State.QUEUED, application, attempts=2)
    move(step.pk, State.STARTED, leaving=[State.QUEUED], actor="w")
    assert StepEvent.objects.get().attempt == 3


def test_move_takes_few_queries(application: Any, django_assert_num_queries: Any) -> None:
    step = step_in(State.QUEUED, application)
    with django_assert_num_queries(4):  # clock, state, UPDATE, event
        move(step.pk, State.SENT, leaving=[State.QUEUED], actor="w")


def test_db_now_is_the_databases_clock(db: None) -> None:
    first, here, second = db_now(), timezone.now(), db_now()
    assert first <= second
    assert abs(here - first) < dt.timedelta(seconds=2)
    assert first.tzinfo is not None


# ── The point of no return ──────────────────────────────────────────────────────────────


def soon() -> dt.datetime:
    return timezone.now() + dt.timedelta(minutes=3)


def test_data_phase_is_entered_by_the_owner_of_the_claim(application: Any) -> None:
    step = step_in(State.STARTED, application, token=3, lease_until=soon())
    assert enter_data_phase(step.pk, 3) is True
    step.refresh_from_db()
    assert step.phase == Phase.DATA


@pytest.mark.parametrize(
    ("token", "changes"),
    [
        (2, {}),
        (4, {}),
        (3, {"lease_until": timezone.now() - dt.timedelta(seconds=1)}),
        (3, {"lease_until": None}),
        (3, {"state": State.RETRYING}),
        (3, {"state": State.CANCELLED}),
        (3, {"state": State.QUEUED}),
    ],
)
def test_data_phase_is_refused_to_every_other_caller(
    application: Any, token: int, changes: dict[str, Any]
) -> None:
    step = step_in(
        **{"state": State.STARTED, "application": application, "token": 3, "lease_until": soon()}
        | changes
    )
    assert enter_data_phase(step.pk, token) is False
    step.refresh_from_db()
    assert step.phase == Phase.NONE


def test_keyed_phase_stores_the_provider_and_the_end_of_the_window(application: Any) -> None:
    step, until = step_in(State.STARTED, application, token=3, lease_until=soon()), soon()
    assert enter_keyed_phase(step.pk, 3, repeat_until=until, of="resend:1") is True
    step.refresh_from_db()
    assert (step.phase, step.repeat_until, step.repeat_with) == (Phase.KEYED, until, "resend:1")


def test_keyed_phase_is_refused_to_other_callers_and_after_the_window(
    application: Any,
) -> None:
    step = step_in(State.STARTED, application, token=3, lease_until=soon())
    over = timezone.now() - dt.timedelta(seconds=1)
    assert enter_keyed_phase(step.pk, 2, repeat_until=soon(), of="resend:1") is False
    assert enter_keyed_phase(step.pk, 3, repeat_until=over, of="resend:1") is False
    step.refresh_from_db()
    assert (step.phase, step.repeat_until) == (Phase.NONE, None)


@pytest.mark.parametrize("to", [State.SUCCEEDED, State.FAILED, State.CANCELLED])
def test_ended_step_has_no_idempotency_window(application: Any, to: State) -> None:
    step = step_in(State.STARTED, application, repeat_until=soon())
    assert move(step.pk, to, leaving=[State.STARTED], actor="worker:1")
    step.refresh_from_db()
    assert step.repeat_until is None


# ── Many at once ────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db(transaction=True)
def test_concurrent_moves_succeed_once_per_step(application: Any) -> None:
    steps = [
        step_in(State.QUEUED, application, kind="mail_hr", recipient=f"{n}@example.org")
        for n in range(8)
    ]
    wins: list[tuple[int, int]] = []

    def claim_all(index: int) -> None:
        wins.extend(
            (step.pk, index)
            for step in steps
            if move(step.pk, State.STARTED, leaving=[State.QUEUED], fence=0, actor=f"w{index}")
        )

    at_once(claim_all, 6)
    assert sorted(pk for pk, _index in wins) == [step.pk for step in steps]
    assert StepEvent.objects.filter(to_state=State.STARTED).count() == len(steps)
