"""Create the steps of a new application, or the mails of an alert, as rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from careers.applications.models import Application
from careers.pipeline import registry
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
) -> list[int]:
    """Write every step of an application, in the caller's transaction.

    Args:
        recipients: HR addresses; each gets a mail, and so a step, of its own.
        not_needed: kinds of steps that are created as cancelled, with the reason.

    Returns:
        The ids of the steps that may start at once.
    """
    addresses = list(dict.fromkeys(map(mail_address.key, recipients)))
    for definition in registry.definitions():
        if definition.about != "application" or not definition.needed(application):
            continue
        waits = registry.predecessors_of(definition.kind) or not _is_open(definition, application)
        state = State.WAITING if waits else State.QUEUED
        reason = (not_needed or {}).get(definition.kind, "")
        if reason:
            state = State.CANCELLED
        for recipient in addresses if definition.per_recipient else [""]:
            create_step(application, definition.kind, recipient, state=state, at=at, reason=reason)
    return list(
        Step.objects.filter(application=application, state=State.QUEUED).values_list(
            "pk", flat=True
        )
    )


def _is_open(definition: StepDefinition, application: Application) -> bool:
    """Whether the step's gate, if it has one, lets the application through."""
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
    step = Step.objects.create(
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
    StepEvent.objects.create(
        step=step, at=at, attempt=0, to_state=state, actor=actor, reason=reason
    )
    return step
