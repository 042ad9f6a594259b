"""Run one step: claim it, perform its effect, record the result.

This module does not know Celery: a worker, the sweeper and a test all call ``run``.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q

from careers.applications.errors import (
    EffectError,
    Fenced,
    Misconfigured,
    Permanent,
    Transient,
    Uncertain,
)
from careers.notifications import IdempotencyWindow
from careers.pipeline import (
    circuit_breaker,
    mailbox_limit,
    pauses,
    rate_limit,
    registry,
    restored_database,
    retries,
    unconfirmed,
)
from careers.pipeline.models import Step
from careers.pipeline.registry import Outcome
from careers.pipeline.states import CLAIMABLE, ErrorClass, State
from careers.pipeline.successors import release_successors
from careers.pipeline.time_limit import OutOfTime, stoppable
from careers.pipeline.transitions import db_now, enter_data_phase, enter_keyed_phase, move
from home import log_ids

log = logging.getLogger(__name__)

#: Seconds between attempts to record a result.
RECORD_PAUSES = (1, 5)


@dataclass
class Claim:
    """A step that this process may work on until the lease ends.

    Attributes:
        unconfirmed_until: the time until which the mail may be repeated under its idempotency key,
            because an earlier attempt may have sent it; None when there is no such attempt.
        may_have_been_sent: whether this attempt has passed its point of no return.
    """

    step: Step
    actor: str
    unconfirmed_until: dt.datetime | None = None
    may_have_been_sent: bool = False

    def before_send(self, window: IdempotencyWindow | None = None, /) -> None:
        """Pass the point of no return: call it right before the bytes that cause the effect.

        Args:
            window: the provider's idempotency window; None when it takes no key.

        Raises:
            Fenced: the step belongs to another process by now.
            Undecidable: an earlier attempt went to a provider or account that is not used now.
        """
        step, first_until = self.step, self.unconfirmed_until
        if first_until and (window is None or window.key != step.repeat_with):
            raise unconfirmed.provider_changed()
        now = db_now()
        # What a person looks for in the log of the mail server if no answer comes.
        noted = {**step.result, "sent_at": now.isoformat(timespec="seconds")}
        noted.pop("response", None)
        if window is None:
            entered = enter_data_phase(step.pk, step.token, result=noted)
        else:
            until = first_until or now + window.duration
            entered = enter_keyed_phase(
                step.pk, step.token, repeat_until=until, of=window.key, result=noted
            )
            step.repeat_until = until
        if not entered:
            raise Fenced
        step.result = noted
        self.may_have_been_sent = True


def run(step_id: int, *, owner: str, kind: str | None = None) -> list[int]:
    """Claim and run one step.

    Args:
        owner: who runs it, such as ``worker:<uuid>``; new for each process.
        kind: the kind that the caller expects; a step of another kind is left alone.

    Returns:
        The ids of steps that became ready. The list is also empty when the step was not
        available (done, taken, not due, unknown), which is normal: messages arrive twice.
    """
    claim = take(step_id, owner=owner, kind=kind)
    if claim is None:
        return []
    ids = {"application": claim.step.application_id, "alert": claim.step.alert_id}
    with log_ids.noted(step=step_id, kind=claim.step.kind, **ids):
        return _run(claim)


def _run(claim: Claim) -> list[int]:
    definition = registry.REGISTERED[claim.step.kind]
    # A mail inside its idempotency window is not postponed: the window could close meanwhile.
    if (
        definition.is_mail
        and not claim.unconfirmed_until
        and (slot := rate_limit.next_slot(claim.step.started_at))
    ):
        rate_limit.postpone(claim.step, slot, actor=claim.actor)
        return []
    if open_error := circuit_breaker.known_error(claim.step):
        return _fail(claim, open_error)
    try:
        with stoppable():
            outcome = definition.effect(claim.step, claim.before_send)
    except Fenced:
        log.warning("step %s was taken over while it ran", claim.step.pk)
        return []
    except (Transient, Permanent, Misconfigured) as error:
        # The receiver refused, so nothing was sent, even after the point of no return.
        return _written(claim, partial(_fail, claim, error))
    except Uncertain as error:
        return _written(claim, partial(_settle, claim, error))
    except (Exception, OutOfTime) as error:  # whatever happens, the step gets a new state
        if claim.may_have_been_sent:
            return _written(claim, partial(_settle, claim, unconfirmed.interrupted()))
        slow = isinstance(error, OutOfTime) and definition.waits_for_a_server
        return _written(claim, partial(_fail, claim, retries.too_slow() if slow else error))
    return record(claim, outcome)


def take(step_id: int, *, owner: str, kind: str | None = None) -> Claim | None:
    """Claim a step that is due; None when it is not available.

    A mail whose idempotency window has closed is left to a person. A mail to an applicant whose
    mailbox got enough mails is cancelled. A step that is paused waits.
    """
    now = db_now()
    expected = {} if kind is None else {"kind": kind}
    known = Step.objects.select_related("application", "alert").filter(
        pk=step_id, kind__in=registry.kinds(), state__in=CLAIMABLE, **expected
    )
    step = known.first()
    if step is None or (step.run_after is not None and step.run_after > now):
        return None
    definition = registry.REGISTERED[step.kind]
    if definition.is_mail:
        restored_database.recognise_once()
    if step.repeat_until is not None and step.repeat_until <= now:
        unconfirmed.leave_to_a_person(
            step, unconfirmed.window_closed(), actor=owner, leaving=CLAIMABLE
        )
        return None
    start = _start_within_limit if definition.to_applicant else _start
    if not start(step, owner, now):
        if step.state == State.SENT and pauses.is_held(step, now):
            pauses.put_back(step, actor=owner)
        return None
    return Claim(step, actor=owner, unconfirmed_until=step.repeat_until)


def _start(step: Step, owner: str, now: dt.datetime) -> bool:
    """Start a step, also in memory. Whatever the caller read of it must still hold."""
    claim: dict[str, Any] = {
        "owner": owner,
        "lease_until": now + dt.timedelta(seconds=settings.PIPELINE_LEASE),
        "started_at": now,
        "ended_at": None,
    }
    started = move(
        step.pk,
        State.STARTED,
        leaving=CLAIMABLE,
        known=step,
        actor=owner,
        fence=step.token,
        at=now,
        guard=Q(run_after=step.run_after, repeat_until=step.repeat_until)
        & pauses.not_held(step.kind, now),
        token=F("token") + 1,
        attempts=F("attempts") + 1,
        **claim,
    )
    if started:
        # The token is the one of this claim: if another process claims the step now, it gets a
        # higher one.
        claim |= {"state": State.STARTED, "state_since": now}
        claim |= {"token": step.token + 1, "attempts": step.attempts + 1}
        for name, value in claim.items():
            setattr(step, name, value)
    return started


def _start_within_limit(step: Step, owner: str, now: dt.datetime) -> bool:
    """Start a mail to an applicant, or cancel it if their mailbox got enough mails."""
    with transaction.atomic():
        if sent := mailbox_limit.mails_above_limit(step, now):
            if pauses.is_held(step, now):
                return False
            mailbox_limit.refuse(step, sent, actor=owner)
            return False
        return _start(step, owner, now)


def record(claim: Claim, outcome: Outcome) -> list[int]:
    """Record a success; returns the ids of steps that became ready.

    If the result can't be recorded, the completed effect is not repeated at once: the step keeps
    its state until the lease ends, and then the sweeper decides by the phase.
    """
    return _written(claim, partial(_succeed, claim, outcome))


def _written(claim: Claim, write: Callable[[], list[int]]) -> list[int]:
    """Write the result of a step; try again when the database does not answer.

    The connection may have broken during the step. If a write took effect and only its answer was
    lost, the next write changes nothing, because the step has left its state.
    """
    for pause in RECORD_PAUSES:
        try:
            return write()
        except (OperationalError, InterfaceError):
            log.warning("the result of step %s could not be recorded yet", claim.step.pk)
            connection.close()
            time.sleep(pause)
    return write()


def _settle(claim: Claim, error: Uncertain) -> list[int]:
    unconfirmed.settle(claim.step, error, actor=claim.actor)
    return []


def _succeed(claim: Claim, outcome: Outcome) -> list[int]:
    step = claim.step
    with transaction.atomic():
        moved = move(
            step.pk,
            State.SUCCEEDED,
            leaving=[State.STARTED],
            known=step,
            fence=step.token,
            actor=claim.actor,
            reason=outcome.reason,
            result={**step.result, **outcome.result},
            error_class="",
            error_code="",
            error_public="",
            failing_since=None,
        )
        if not moved:
            log.warning("step %s was taken over while it ran", step.pk)
            return []
        outcome.record()
        return release_successors(step, actor=claim.actor)


def _fail(claim: Claim, error: BaseException) -> list[int]:
    step, now = claim.step, db_now()
    verdict = retries.judge(step, error, now)
    error_class, gives_up = verdict.error_class, verdict.gives_up
    log.warning("step %s: %s %s (attempt %s)", step.pk, error_class, verdict.code, step.attempts)
    retry_after = retries.retry_after_of(error)
    if error_class == ErrorClass.TRANSIENT:
        retry_after = max(retry_after, circuit_breaker.open_after(step, now))
    pause = retries.backoff(verdict.attempts, retry_after)
    with transaction.atomic():
        moved = move(
            step.pk,
            retries.state_when_given_up(claim.unconfirmed_until) if gives_up else State.RETRYING,
            leaving=[State.STARTED],
            known=step,
            fence=step.token,
            actor=claim.actor,
            reason=verdict.public,
            # This attempt certainly sent nothing; an earlier one may have.
            repeat_until=claim.unconfirmed_until,
            traceback=(
                retries.anonymous_traceback(error) if error_class == ErrorClass.UNKNOWN else ""
            ),
            at=now,
            error_class=error_class,
            error_code=verdict.code,
            error_public=verdict.public,
            failing_since=verdict.failing_since,
            result=_with_answer(step, error),
            attempts=verdict.attempts,
            run_after=None if gives_up else now + pause,
        )
        if not moved or not gives_up:
            return []
        unconfirmed.confirm_reported(step.pk)
        return release_successors(step, actor=claim.actor)


def _with_answer(step: Step, error: BaseException) -> dict[str, Any]:
    """The result of a step with what the other server answered."""
    answer = error.answer if isinstance(error, EffectError) else ""
    return {**step.result, "response": answer} if answer else step.result
