"""The only code that writes a step's state.

Every change is one guarded UPDATE. When it finds no row, another process was faster, which is no
error here. The event is written in the same transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from careers.pipeline.models import Step, StepEvent
from careers.pipeline.states import ENDED, LEAVES_TO, Phase, State


def db_now() -> dt.datetime:
    """The time of the database, so that leases hold between hosts whose clocks differ."""
    if connection.vendor == "postgresql":
        # now() would be the start of the transaction.
        statement = "SELECT clock_timestamp()"
    else:
        statement = "SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')"
    with connection.cursor() as cursor:
        cursor.execute(statement)
        (value,) = cursor.fetchone()
    return value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)


def move(
    step_id: int,
    to: State,
    *,
    leaving: Collection[State],
    actor: str,
    known: Step | None = None,
    fence: int | None = None,
    reason: str = "",
    traceback: str = "",
    at: dt.datetime | None = None,
    guard: Q | dict[str, Any] | None = None,
    **changes: Any,
) -> bool:
    """Change one step's state, if it still is in a state that the caller expects.

    Args:
        leaving: the states that the caller expects; each must allow ``to``.
        known: the step as the caller read it, which saves reading it here.
        fence: the token that the caller got when it claimed the step.
        guard: what else must hold, as a query or as field lookups.
        changes: other columns to write along with the state.

    Returns:
        True when the step was changed; False when another process was faster.

    Raises:
        ValueError: the state machine does not allow the change.
    """
    for state in leaving:
        if to not in LEAVES_TO[state]:
            raise ValueError(f"a step never goes from {state} to {to}")
    at = at or db_now()
    also = guard if isinstance(guard, Q) else Q()
    guards: dict[str, Any] = {"pk": step_id, **(guard if isinstance(guard, dict) else {})}
    if fence is not None:
        guards["token"] = fence
    if to in ENDED or to == State.UNCERTAIN:
        changes.setdefault("ended_at", at)
    # What a person handled by hand was the state that the step now leaves.
    changes.setdefault("handled_at", None)
    if to != State.STARTED:
        changes.setdefault("lease_until", None)
        if to in ENDED:
            changes.setdefault("repeat_until", None)
        # The phase is kept only while it is unknown whether the mail was sent.
        if to != State.UNCERTAIN:
            changes.setdefault("phase", Phase.NONE)
    # Nothing catches an error in between, so the caller's transaction needs no savepoint.
    with transaction.atomic(savepoint=False):
        row = known or _read(step_id)
        while row is not None and row.state in leaving:
            if to == State.QUEUED and row.state != State.SENT:
                changes.setdefault("ready_at", at)
            elif to == State.RETRYING:
                changes.setdefault("ready_at", changes.get("run_after") or at)
            changed = Step.objects.filter(also, state=row.state, **guards).update(
                state=to, state_since=at, **changes
            )
            if changed:
                StepEvent.objects.create(
                    step_id=step_id,
                    at=at,
                    attempt=row.attempts + (to == State.STARTED),
                    from_state=row.state,
                    to_state=to,
                    actor=actor,
                    reason=reason,
                    traceback=traceback,
                )
                return True
            # It may have gone to another state from which it may be changed as well.
            row = _read(step_id) if row is known else None
    return False


def _read(step_id: int) -> Step | None:
    return Step.objects.filter(pk=step_id).only("state", "attempts").first()


def note(step_id: int, *, actor: str, reason: str, guard: Q, **changes: Any) -> bool:
    """Write columns of a step without changing its state, together with an event.

    Args:
        guard: what must hold.
        changes: the columns to write.

    Returns:
        Whether the guard held.
    """
    with transaction.atomic():
        if not Step.objects.filter(guard, pk=step_id).update(**changes):
            return False
        state, attempts = Step.objects.values_list("state", "attempts").get(pk=step_id)
        StepEvent.objects.create(
            step_id=step_id,
            at=db_now(),
            attempt=attempts,
            from_state=state,
            to_state=state,
            actor=actor,
            reason=reason,
        )
    return True


def enter_data_phase(step_id: int, token: int, **noted: Any) -> bool:
    """Record that the next bytes may cause the effect.

    Args:
        noted: other columns to write.

    Returns:
        False when the step is no longer the caller's; then the caller must not send them.
    """
    return _enter(step_id, token, phase=Phase.DATA, **noted)


def enter_keyed_phase(
    step_id: int, token: int, *, repeat_until: dt.datetime, of: str, **noted: Any
) -> bool:
    """As ``enter_data_phase``, for a mail provider that keeps the idempotency key.

    Args:
        repeat_until: when the idempotency window closes.
        of: the name of the provider.
        noted: other columns to write.

    Returns:
        False also when the window has closed.
    """
    keyed = {"phase": Phase.KEYED, "repeat_until": repeat_until, "repeat_with": of, **noted}
    return (
        repeat_until > db_now()
        and _enter(step_id, token, **keyed)
        # A process that was stopped at that statement may continue after the window has closed.
        and repeat_until > db_now()
    )


def _enter(step_id: int, token: int, **changes: Any) -> bool:
    rows = Step.objects.filter(
        pk=step_id, token=token, state=State.STARTED, lease_until__gt=db_now()
    ).update(**changes)
    return rows == 1
