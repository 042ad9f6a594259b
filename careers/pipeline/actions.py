"""What a person may do to a step. Each act has a permission, a reason and an event.

The callers have checked that the person may see the application; these functions check the
right to act, so that no view can forget it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from careers.applications.models import Application
from careers.pipeline import dispatch
from careers.pipeline.enqueue import create_step
from careers.pipeline.models import CAME_BACK, Step, StepKind
from careers.pipeline.runner import release, release_successors
from careers.pipeline.states import UNDER_WAY, Phase, State
from careers.pipeline.steps import BY_KIND, STEPS
from careers.pipeline.transitions import db_now, move

RETRY, CANCEL = "careers.retry_step", "careers.cancel_step"
#: What a row holds as long as its mail is certainly not past its dot. A mail that its provider
#: is asked about again is in no phase, but it was handed over.
CERTAINLY_NOT_SENT: dict[str, Any] = {"phase": Phase.NONE, "repeat_until": None}


def may_have_been_sent(step: Step) -> bool:
    """Whether a mail under way may have been sent: nobody stops it, or sends it elsewhere."""
    return step.state in UNDER_WAY and any(
        getattr(step, name) != value for name, value in CERTAINLY_NOT_SENT.items()
    )


def retry(step: Step, user: Any, reason: str = "") -> bool:
    """Run a failed step again, or one that waits for its next attempt at once.

    The attempts are counted afresh. Returns False when the step is in another state by now,
    as after a double click.
    """
    actor = actor_of(user, RETRY)
    reason = reason or _("Asked to try again.")
    fresh: dict[str, Any] = {"attempts": 0, "failing_since": None, "actor": actor, "reason": reason}
    moved = move(step.pk, State.QUEUED, leaving=[State.FAILED], run_after=None, **fresh) or move(
        step.pk, State.RETRYING, leaving=[State.RETRYING], run_after=db_now(), **fresh
    )
    if moved:
        _dispatch_after_commit([step.pk], actor)
    return moved


def confirm_arrival(step: Step, user: Any, reason: str = "") -> bool:
    """A person found out that an unconfirmed mail did arrive."""
    return move(
        step.pk,
        State.SUCCEEDED,
        leaving=[State.UNCERTAIN],
        actor=actor_of(user, RETRY),
        reason=reason or _("Confirmed: it arrived."),
        error_class="",
        error_code="",
        error_public="",
    )


def send_again(step: Step, user: Any, reason: str = "") -> Step | None:
    """Replace a mail that is unconfirmed or came back by one with a Message-ID of its own.

    Returns the new step, or None when that was done, or the old one has been confirmed.
    """
    actor = actor_of(user, RETRY)
    reason = reason or _("Sent again: it did not arrive.")
    try:
        with transaction.atomic():
            unconfirmed = move(
                step.pk, State.CANCELLED, leaving=[State.UNCERTAIN], actor=actor, reason=reason
            )
            again = create_step(
                step.about,
                StepKind(step.kind),
                step.recipient,
                state=State.QUEUED,
                at=db_now(),
                sequence=step.sequence + 1,
                actor=actor,
                reason=reason,
            )
            old = Step.objects.filter(pk=step.pk) if unconfirmed else _came_back(step)
            if not old.update(result={**step.result, "instead": again.pk}):
                raise _Moved
    except (_Moved, IntegrityError):
        return None
    _dispatch_after_commit([again.pk], actor)
    return again


#: States in which a mail to HR may be sent to somebody else instead.
READDRESSED = (State.FAILED, State.UNCERTAIN, State.RETRYING, State.CANCELLED)


def _came_back(step: Step) -> QuerySet[Step]:
    return Step.objects.filter(CAME_BACK, pk=step.pk)


def may_be_readdressed(step: Step) -> bool:
    """Whether a mail to HR may be sent to somebody else instead."""
    bounced = step.state == State.SUCCEEDED and step.bounced_at is not None
    open_to_it = (step.state in READDRESSED and not may_have_been_sent(step)) or bounced
    return step.kind == StepKind.MAIL_HR and open_to_it and "instead" not in step.result


def send_to(step: Step, address: str, user: Any, reason: str = "") -> Step | None:
    """Send a mail to HR to another address instead of one that turned out wrong.

    What was under way to the wrong address is cancelled, as long as it is not past its dot.

    Args:
        address: valid, and nobody's who already has a mail about this application.

    Returns:
        The new step, or None when the old one is in another state by now.

    Raises:
        AlreadyTold: that address has a mail about this application.
    """
    actor = actor_of(user, RETRY)
    address = address.strip().lower()
    reason = reason or _("The address was wrong: sent to %(address)s.") % {"address": address}
    known = Step.objects.filter(
        application=step.application, kind=StepKind.MAIL_HR, recipient=address
    )
    if known.exclude(state=State.CANCELLED).exists():
        raise AlreadyTold(address)
    try:
        with transaction.atomic():
            instead = create_step(
                step.about,
                StepKind.MAIL_HR,
                address,
                state=State.WAITING,
                at=db_now(),
                sequence=known.count(),
                actor=actor,
                reason=reason,
            )
            result = {**step.result, "instead": instead.pk}
            over: dict[str, Any] = {"actor": actor, "reason": reason, "result": result}
            was_open = move(
                step.pk, State.CANCELLED, leaving=[State.FAILED, State.UNCERTAIN], **over
            ) or move(
                step.pk,
                State.CANCELLED,
                leaving=[State.RETRYING],
                guard=CERTAINLY_NOT_SENT,
                **over,
            )
            # A mail that was sent and came back stays as it is.
            cancelled = Step.objects.filter(pk=step.pk, state=State.CANCELLED).exclude(
                result__has_key="instead"
            )
            stopped = was_open or cancelled.update(result=result)
            if not stopped and not _came_back(step).update(result=result):
                raise _Moved
            ready = release(BY_KIND[StepKind.MAIL_HR], actor=actor, pk=instead.pk)
    except _Moved:
        return None
    except IntegrityError:
        raise AlreadyTold(address) from None
    _dispatch_after_commit(ready, actor)
    instead.refresh_from_db()
    return instead


class _Moved(Exception):
    """Somebody else was faster: take back what was begun."""


class AlreadyTold(Exception):
    """The address has a mail about the application already."""


def cancel(step: Step, user: Any, reason: str = "") -> bool:
    """Stop a step for good. A running one is fenced: whatever it still does is not recorded,
    and a mail not yet handed over is not sent. One past its dot goes on, until it is not confirmed.
    """
    actor = actor_of(user, CANCEL)
    states = (
        State.WAITING,
        State.QUEUED,
        State.SENT,
        State.STARTED,
        State.RETRYING,
        State.FAILED,
    )
    with transaction.atomic():
        over: dict[str, Any] = {"actor": actor, "reason": reason or _("Cancelled.")}
        moved = move(
            step.pk, State.CANCELLED, leaving=states, guard=CERTAINLY_NOT_SENT, **over
        ) or move(step.pk, State.CANCELLED, leaving=[State.UNCERTAIN], **over)
        if moved:
            _cancel_what_needs_it(step, actor)
        ready = release_successors(step, actor=actor) if moved else []
    _dispatch_after_commit(ready, actor)
    return moved


def _cancel_what_needs_it(step: Step, actor: str) -> None:
    """Steps that wait for the success of a cancelled one would wait for ever."""
    for definition in STEPS:
        if definition.after is not StepKind(step.kind) or definition.after_any_end:
            continue
        for waiting in Step.objects.filter(
            application=step.application, kind=definition.kind, state=State.WAITING
        ):
            move(
                waiting.pk,
                State.CANCELLED,
                leaving=[State.WAITING],
                actor=actor,
                reason=_("Cancelled with the step before it."),
            )


def release_from_quarantine(application: Application, user: Any, reason: str = "") -> bool:
    """An application held back as spam is none: now its mails go out."""
    actor = actor_of(user, RETRY)
    with transaction.atomic():
        freed = Application.objects.filter(pk=application.pk, quarantined=True).update(
            quarantined=False
        )
        reason = reason or _("Released: not spam.")
        ready = [
            pk
            for definition in STEPS
            if freed and definition.is_mail
            for pk in release(definition, actor=actor, reason=reason, application=application)
        ]
    _dispatch_after_commit(ready, actor)
    return bool(freed)


def actor_of(user: Any, permission: str) -> str:
    """The actor for a step's events, once the user may do this.

    Raises:
        PermissionDenied: the user lacks the permission.
    """
    if not user.has_perm(permission):
        raise PermissionDenied
    return f"user:{user.pk}"


def _dispatch_after_commit(step_ids: list[int], actor: str) -> None:
    transaction.on_commit(partial(dispatch.dispatch_steps, step_ids, actor=actor))
