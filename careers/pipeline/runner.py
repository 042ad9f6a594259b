"""Run one step: claim it, do it, record what came of it.

Knows no Celery: a worker, the sweeper and a test all call ``run`` the same way.
"""

from __future__ import annotations

import datetime as dt
import logging
import random
import time
import traceback as tracebacks
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Exists, F, OuterRef
from django.utils.translation import gettext as _

from careers.applications.errors import (
    EffectError,
    Fenced,
    Misconfigured,
    Permanent,
    Uncertain,
    Undecidable,
)
from careers.applications.errors import Transient as TransientError
from careers.applications.models import Application
from careers.notifications import IdempotencyWindow
from careers.pipeline import rate_limit, registry, restored_database
from careers.pipeline.models import Step
from careers.pipeline.registry import Outcome, StepDefinition
from careers.pipeline.states import CLAIMABLE, ErrorClass, State
from careers.pipeline.transitions import db_now, enter_data_phase, enter_keyed_phase, move

log = logging.getLogger(__name__)

BACKOFF_CAP = 3600  # seconds
TRANSIENT_PATIENCE = dt.timedelta(days=3)
UNKNOWN_ATTEMPTS = 5
RECORD_PAUSES = (1, 5)  # seconds
#: Rows that are changed at one go.
BATCH = 200


class OutOfTime(BaseException):
    """A step takes longer than PIPELINE_SOFT_LIMIT.

    No Exception: libraries catch these and go on, or begin anew, until the process is killed.
    """


_performing = False


def time_is_up(*_signal: object) -> None:
    """A handler of signals: stop the step that is being performed in this process."""
    if _performing:
        raise OutOfTime


@contextmanager
def _stoppable() -> Iterator[None]:
    """Only what is done outside may be stopped; what came of it is always recorded."""
    global _performing
    _performing = True
    try:
        yield
    finally:
        _performing = False


@dataclass
class Claim:
    """A step that is ours until the lease ends, and the fence that proves it.

    Attributes:
        unconfirmed_until: an earlier handing over is unconfirmed, and until then repeating it
            is safe; None when there is none.
    """

    step: Step
    actor: str
    unconfirmed_until: dt.datetime | None = None
    may_have_been_sent: bool = False

    def before_send(self, window: IdempotencyWindow | None = None, /) -> None:
        """Call right before the bytes that make an effect happen.

        Args:
            window: the provider's idempotency window; None when it takes no key.

        Raises:
            Fenced: the step is no longer ours.
            Undecidable: it was handed over before, to one whom we would not ask now.
        """
        step, known = self.step, self.unconfirmed_until
        if known and (window is None or window.key != step.repeat_with):
            raise Undecidable("mail-unconfirmed", _elsewhere())
        if window is None:
            entered = enter_data_phase(step.pk, step.token)
        else:
            until = known or db_now() + window.duration
            entered = enter_keyed_phase(step.pk, step.token, repeat_until=until, of=window.key)
            step.repeat_until = until
        if not entered:
            raise Fenced
        self.may_have_been_sent = True


def run(step_id: int, *, owner: str, kind: str | None = None) -> list[int]:
    """Claim and run one step.

    Args:
        owner: who runs it, such as ``worker:<uuid>``; new for each process.
        kind: what the caller takes the step for; any other kind is left alone.

    Returns:
        The ids of steps that became ready; an empty list also when the step was not to be
        had (done, taken, not due, unknown), which is normal: messages come twice.
    """
    claim = take(step_id, owner=owner, kind=kind)
    if claim is None:
        return []
    definition = registry.REGISTERED[claim.step.kind]
    # A mail that its provider must be asked about again has no time to lose.
    if definition.is_mail and not claim.unconfirmed_until and (turn := rate_limit.next_slot()):
        rate_limit.postpone(claim.step, turn, actor=claim.actor)
        return []
    if fault := rate_limit.known_fault(claim.step):
        return _fail(claim, fault)
    try:
        with _stoppable():
            outcome = definition.effect(claim.step, claim.before_send)
    except Fenced:
        log.warning("step %s was taken over while it ran", step_id)
        return []
    except (TransientError, Permanent, Misconfigured) as error:
        # The other side has said no: certain, even after the handing over.
        return _written(claim, partial(_fail, claim, error))
    except Uncertain as error:
        return _written(claim, partial(_left_open, claim, error))
    except (Exception, OutOfTime) as error:  # every failure of an effect ends as a state
        if claim.may_have_been_sent:
            return _written(claim, partial(_left_open, claim, interrupted()))
        slow = isinstance(error, OutOfTime) and definition.waits_for_a_server
        return _written(claim, partial(_fail, claim, _too_slow() if slow else error))
    return _record(claim, outcome)


def take(step_id: int, *, owner: str, kind: str | None = None) -> Claim | None:
    """Claim a step that is due; None when it is not to be had.

    One that was handed over unconfirmed and may no longer be repeated is left to a person.
    """
    now = db_now()
    guard: dict[str, object] = {} if kind is None else {"kind": kind}
    known = Step.objects.filter(pk=step_id, kind__in=registry.kinds())
    step = known.filter(state__in=CLAIMABLE, **guard).first()
    if step is None or (step.run_after is not None and step.run_after > now):
        return None
    if registry.REGISTERED[step.kind].is_mail:
        restored_database.recognise()
    if step.repeat_until is not None and step.repeat_until <= now:
        park(step, _too_late(), actor=owner, leaving=CLAIMABLE)
        return None
    won = move(
        step_id,
        State.STARTED,
        leaving=CLAIMABLE,
        actor=owner,
        fence=step.token,
        at=now,
        guard={"run_after": step.run_after},
        token=F("token") + 1,
        owner=owner,
        lease_until=now + dt.timedelta(seconds=settings.PIPELINE_LEASE),
        attempts=F("attempts") + 1,
        started_at=now,
        ended_at=None,
    )
    if not won:
        return None
    claimed = Step.objects.select_related("application", "alert").get(pk=step_id)
    # Whoever claimed again in between has a higher token; then ours is already void.
    claimed.token = step.token + 1
    return Claim(claimed, actor=owner, unconfirmed_until=claimed.repeat_until)


def _record(claim: Claim, outcome: Outcome) -> list[int]:
    """Record a success.

    What was done is never done again because it could not be recorded: then the step stays
    as it is until its lease ends, and the sweeper judges by the phase.
    """
    return _written(claim, partial(_succeed, claim, outcome))


def _written(claim: Claim, write: Callable[[], list[int]]) -> list[int]:
    """Write what came of a step, with some patience for the database.

    It may have broken the connection in the middle of the step. What was written although its
    answer was lost is not written twice: the step has left its state.
    """
    for pause in RECORD_PAUSES:
        try:
            return write()
        except (OperationalError, InterfaceError):
            log.warning("what came of step %s could not be recorded yet", claim.step.pk)
            connection.close()
            time.sleep(pause)
    return write()


def _left_open(claim: Claim, error: Uncertain) -> list[int]:
    unconfirmed(claim.step, error, actor=claim.actor)
    return []


def interrupted() -> Uncertain:
    """What to say of a mail whose sender was stopped between handing over and the answer."""
    return Uncertain(
        "interrupted",
        _(
            "The step was interrupted after the mail had been handed to the mail server. "
            "The mail may have arrived. Ask the recipient, then confirm or send again."
        ),
    )


def _too_slow() -> TransientError:
    return TransientError(
        "too-slow",
        _(
            "The other side was so slow that the step was stopped after %(seconds)d seconds. It "
            "will be tried again."
        )
        % {"seconds": settings.PIPELINE_SOFT_LIMIT},
    )


def _too_late() -> Uncertain:
    return Uncertain(
        "mail-unconfirmed",
        _(
            "The mail provider got the mail and never confirmed it, and by now it may have "
            "forgotten the key. The mail may have arrived. Ask the recipient or look into the "
            "provider’s log, then confirm or send again."
        ),
    )


def _elsewhere() -> str:
    return _(
        "The mail was handed to a mail provider that did not confirm it, and the settings have "
        "changed since. The mail may have arrived. Ask the recipient or look into the "
        "provider’s log, then confirm or send again."
    )


def _succeed(claim: Claim, outcome: Outcome) -> list[int]:
    step = claim.step
    with transaction.atomic():
        won = move(
            step.pk,
            State.SUCCEEDED,
            leaving=[State.STARTED],
            fence=step.token,
            actor=claim.actor,
            reason=outcome.reason,
            result=outcome.result,
            error_class="",
            error_code="",
            error_public="",
            failing_since=None,
        )
        if not won:
            log.warning("step %s was taken over while it ran", step.pk)
            return []
        outcome.record()
        return release_successors(step, actor=claim.actor)


def unconfirmed(step: Step, error: Uncertain, *, actor: str) -> bool:
    """Go on with a running step of which nobody knows whether it took effect.

    Where the other side remembers its key it is repeated, which can't do it twice; elsewhere,
    and when that would tell nothing, it is left to a person.
    """
    now, until = db_now(), step.repeat_until
    if until is None or until <= now or isinstance(error, Undecidable):
        return park(step, error, actor=actor)
    public = _(
        "The mail provider got the mail but did not confirm it. It is asked again with the same "
        "key, so that the mail is sent once."
    )
    return move(
        step.pk,
        State.RETRYING,
        leaving=[State.STARTED],
        fence=step.token,
        actor=actor,
        reason=public,
        error_class=ErrorClass.TRANSIENT,
        error_code=error.code,
        error_public=public,
        failing_since=step.failing_since or now,
        run_after=min(now + backoff(step.attempts), until),
    )


def park(
    step: Step, error: Uncertain, *, actor: str, leaving: Collection[State] = (State.STARTED,)
) -> bool:
    """Leave a step to a person: nobody can know whether it took effect.

    Unless the mail provider has reported meanwhile that it did.
    """
    with transaction.atomic():
        parked = move(
            step.pk,
            State.UNCERTAIN,
            leaving=leaving,
            fence=step.token,
            actor=actor,
            reason=error.public,
            error_class=ErrorClass.UNKNOWN,
            error_code=error.code,
            error_public=error.public,
        )
        if parked:
            confirm_reported(step.pk)
    return parked


def confirm_reported(step_id: int) -> bool:
    """Resolve an unconfirmed mail of which its provider says by itself that it has it.

    Called by whoever leaves a mail unconfirmed and by whoever hears the provider, each after he
    has written what he knows: whoever comes second resolves it.
    """
    return move(
        step_id,
        State.SUCCEEDED,
        leaving=[State.UNCERTAIN],
        actor="provider",
        guard={"reported_at__isnull": False},
        reason=_("The mail provider reports that it has the mail."),
        error_class="",
        error_code="",
        error_public="",
    )


def given_up(unconfirmed_until: dt.datetime | None) -> State:
    """How a step ends that is not tried again: one that may have taken effect did not fail."""
    return State.UNCERTAIN if unconfirmed_until else State.FAILED


def _fail(claim: Claim, error: BaseException) -> list[int]:
    step, now = claim.step, db_now()
    error_class, code, public = classify(error)
    failing_since = step.failing_since or now
    if step.error_class == ErrorClass.CONFIGURATION:
        failing_since = now  # patience with the other side begins when the setting is right
    attempts = unexpected(step) if error_class == ErrorClass.UNKNOWN else step.attempts
    gives_up = {
        ErrorClass.PERMANENT: True,
        ErrorClass.CONFIGURATION: False,
        ErrorClass.TRANSIENT: now - failing_since > TRANSIENT_PATIENCE,
        ErrorClass.UNKNOWN: attempts >= UNKNOWN_ATTEMPTS,
    }[error_class]
    log.warning("step %s: %s %s (attempt %s)", step.pk, error_class, code, step.attempts)
    retry_after = error.retry_after if isinstance(error, EffectError) else None
    if error_class == ErrorClass.TRANSIENT:
        retry_after = max(retry_after or 0, rate_limit.spared(step, now))
    with transaction.atomic():
        won = move(
            step.pk,
            given_up(claim.unconfirmed_until) if gives_up else State.RETRYING,
            leaving=[State.STARTED],
            fence=step.token,
            actor=claim.actor,
            reason=public,
            # This handing over is known to have come to nothing; an earlier one may not be.
            repeat_until=claim.unconfirmed_until,
            traceback=anonymous_traceback(error) if error_class == ErrorClass.UNKNOWN else "",
            at=now,
            error_class=error_class,
            error_code=code,
            error_public=public,
            failing_since=failing_since,
            attempts=attempts,
            run_after=None if gives_up else now + backoff(attempts, retry_after),
        )
        if not won or not gives_up:
            return []
        confirm_reported(step.pk)
        return release_successors(step, actor=claim.actor)


def unexpected(step: Step) -> int:
    """How many attempts in a row failed unexpectedly, counting the present one.

    A step that a long outage made try twenty times has not failed unexpectedly yet.
    """
    return step.attempts if step.error_class in ("", ErrorClass.UNKNOWN) else 1


def release_successors(step: Step, *, actor: str) -> list[int]:
    """Queue the steps that waited for this one; to be called in the transaction that ends it."""
    return [
        pk
        for successor in registry.successors_of(step.kind)
        for pk in release(successor, actor=actor, application_id=step.application_id)
    ]


def release(
    definition: StepDefinition, *, actor: str, reason: str = "", **among: object
) -> list[int]:
    """Queue the steps of one kind that wait for nothing any more; returns their ids.

    Every predecessor of such a step has come as far as the step needs, and its gate is open.

    Args:
        among: lookups that say which steps to look at.
    """
    waiting = Step.objects.filter(kind=definition.kind, state=State.WAITING, **among)
    if definition.gate is not None:
        let_through = Application.objects.filter(definition.gate, pk=OuterRef("application"))
        waiting = waiting.filter(Exists(let_through))
    for kind, enough, may_be_missing in registry.predecessors_of(definition.kind):
        before = Step.objects.filter(application=OuterRef("application"), kind=kind)
        far_enough: Any = Exists(before.filter(state__in=enough))
        waiting = waiting.filter(far_enough | ~Exists(before) if may_be_missing else far_enough)
    return [
        pk
        for pk in waiting.values_list("pk", flat=True)[:BATCH]
        if move(pk, State.QUEUED, leaving=[State.WAITING], actor=actor, reason=reason)
    ]


def classify(error: BaseException) -> tuple[ErrorClass, str, str]:
    """What kind of failure this is, a slug for it, and words for people."""
    match error:
        case TransientError():
            return ErrorClass.TRANSIENT, error.code, error.public
        case Permanent():
            return ErrorClass.PERMANENT, error.code, error.public
        case Misconfigured():
            return ErrorClass.CONFIGURATION, error.code, error.public
        case OperationalError() | InterfaceError():
            # Restarted, locked, full or away: none of it is the fault of this step.
            words = _("The database did not answer. The step will be tried again.")
            return ErrorClass.TRANSIENT, "database", words
        case OutOfTime():
            words = _("The step was not done after %(seconds)d seconds and was stopped.")
            return ErrorClass.UNKNOWN, "too-slow", words % {"seconds": settings.PIPELINE_SOFT_LIMIT}
        case _:
            name = type(error).__name__
            return (
                ErrorClass.UNKNOWN,
                name,
                _("Something unexpected happened (%(name)s). The traceback tells where.")
                % {"name": name},
            )


def backoff(attempts: int, retry_after: int | None = None) -> dt.timedelta:
    """The pause before the next attempt: doubling, capped, jittered by up to a half.

    Args:
        retry_after: seconds that the other side asked for. Never less; and who were told the
            same thing at the same moment don't all come back at the same moment.
    """
    seconds = min(BACKOFF_CAP, settings.PIPELINE_BACKOFF_BASE * 2 ** min(attempts - 1, 20))
    jittered = seconds * random.uniform(0.5, 1)  # noqa: S311 -- spreads load, hides nothing
    asked = (retry_after or 0) * random.uniform(1, 1.5)  # noqa: S311 -- the same
    return dt.timedelta(seconds=max(jittered, asked))


def anonymous_traceback(error: BaseException) -> str:
    """Where it happened, without any value: messages and locals may hold personal data."""
    frames = tracebacks.extract_tb(error.__traceback__)
    lines = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    return "\n".join([*lines, type(error).__name__])
