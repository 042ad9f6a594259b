"""Create the steps of a new application, or the mails of an alert, as rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from careers.applications.inserting import insert
from careers.applications.models import Application
from careers.pipeline import registry
from careers.pipeline.dispatch import Message, new_task_id
from careers.pipeline.kinds import MAIL_OPERATORS
from careers.pipeline.models import Alert, Step, StepEvent
from careers.pipeline.registry import StepDefinition
from careers.pipeline.states import ENDED, State
from home.values import mail_address


def create_steps(
    application: Application,
    recipients: Iterable[str],
    *,
    at: dt.datetime,
    not_needed: Mapping[str, str] | None = None,
    sent: bool = False,
) -> list[Message]:
    """Write every step of an application, in the caller's transaction.

    Args:
        recipients: HR addresses; each gets a mail, and so a step, of its own.
        not_needed: kinds of steps that are created as cancelled, with the reason.
        sent: mark the steps that may start at once as sent. The caller publishes their messages
            after COMMIT (``dispatch.publish``).

    Returns:
        A message for each step that may start at once.
    """
    addresses = list(dict.fromkeys(map(mail_address.key, recipients)))
    steps, reasons = [], []
    for definition in registry.definitions():
        if definition.about != "application" or not definition.needed(application):
            continue
        waits = registry.predecessors_of(definition.kind) or not _is_open(definition, application)
        state = State.WAITING if waits else State.QUEUED
        reason = (not_needed or {}).get(definition.kind, "")
        if reason:
            state = State.CANCELLED
        for recipient in addresses if definition.per_recipient else [""]:
            steps.append(_new_step(application, definition.kind, recipient, state=state, at=at))
            reasons.append(reason)
    ready = [step for step in steps if step.state == State.QUEUED]
    for step in ready:
        step.celery_task_id = new_task_id()
        if sent:
            step.state, step.dispatched_at, step.dispatches = State.SENT, at, 1
    insert(steps)
    events = []
    for step, reason in zip(steps, reasons, strict=True):
        first = State.QUEUED if step.state == State.SENT else State(step.state)
        events.append(_first_event(step, first, at=at, reason=reason))
        if step.state == State.SENT:
            event = _first_event(step, State.SENT, at=at)
            event.from_state = first
            events.append(event)
    insert(events)
    return [Message(step.pk, step.kind, step.celery_task_id) for step in ready]


def _is_open(definition: StepDefinition, application: Application) -> bool:
    """Whether the step's gate, if it has one, lets the application through."""
    if registry.is_gated(definition.kind):
        return not application.quarantined
    return (
        definition.gate is None
        or Application.objects.filter(definition.gate, pk=application.pk).exists()
    )


def create_mails(
    alert: Alert, recipients: Iterable[str], *, at: dt.datetime, actor: str
) -> list[int]:
    """Write a mail for each operator, in the caller's transaction; returns the steps' ids."""
    return [
        create_step(alert, MAIL_OPERATORS, recipient, state=State.QUEUED, at=at, actor=actor).pk
        for recipient in recipients
    ]


def create_step(
    about: Application | Alert,
    kind: str,
    recipient: str,
    *,
    state: State,
    at: dt.datetime,
    sequence: int = 0,
    actor: str = "intake",
    reason: str = "",
) -> Step:
    """Create one step and its first event."""
    step = _new_step(about, kind, recipient, state=state, at=at, sequence=sequence)
    step.save(force_insert=True)
    _first_event(step, state, at=at, actor=actor, reason=reason).save(force_insert=True)
    return step


def _new_step(
    about: Application | Alert,
    kind: str,
    recipient: str,
    *,
    state: State,
    at: dt.datetime,
    sequence: int = 0,
) -> Step:
    return Step(
        application=about if isinstance(about, Application) else None,
        alert=about if isinstance(about, Alert) else None,
        kind=kind,
        recipient=recipient,
        sequence=sequence,
        state=state,
        state_since=at,
        ready_at=at if state == State.QUEUED else None,
        ended_at=at if state in ENDED else None,
        created_at=at,
    )


def _first_event(
    step: Step, state: State, *, at: dt.datetime, actor: str = "intake", reason: str = ""
) -> StepEvent:
    return StepEvent(step=step, at=at, attempt=0, to_state=state, actor=actor, reason=reason)
