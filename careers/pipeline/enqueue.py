"""The steps of a new application, or the mails of a alert, as rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from careers.applications.models import Application
from careers.pipeline import restored_database
from careers.pipeline.models import Alert, Step, StepEvent, StepKind
from careers.pipeline.states import State
from careers.pipeline.steps import STEPS


def create_steps(
    application: Application, recipients: Iterable[str], *, at: dt.datetime
) -> list[int]:
    """Write every step of an application, in the caller's transaction.

    Args:
        recipients: HR addresses; each gets a mail, and so a step, of its own.

    Returns:
        The ids of the steps that may start at once.
    """
    # In a restored database the old mails are parked before there are new ones beside them.
    restored_database.recognise()
    addresses = list(dict.fromkeys(address.strip().lower() for address in recipients))
    for definition in STEPS:
        if definition.kind is StepKind.MAIL_OPERATORS:
            continue
        held = definition.is_mail and application.quarantined
        state = State.WAITING if held or definition.after else State.QUEUED
        for recipient in addresses if definition.kind is StepKind.MAIL_HR else [""]:
            create_step(application, definition.kind, recipient, state=state, at=at)
    return list(
        Step.objects.filter(application=application, state=State.QUEUED).values_list(
            "pk", flat=True
        )
    )


def create_mails(
    alert: Alert, recipients: Iterable[str], *, at: dt.datetime, actor: str
) -> list[int]:
    """Write a mail for each operator, in the caller's transaction; returns the steps' ids."""
    restored_database.recognise()
    return [
        create_step(
            alert, StepKind.MAIL_OPERATORS, recipient, state=State.QUEUED, at=at, actor=actor
        ).pk
        for recipient in recipients
    ]


def create_step(
    about: Application | Alert,
    kind: StepKind,
    recipient: str,
    *,
    state: State,
    at: dt.datetime,
    sequence: int = 0,
    actor: str = "intake",
    reason: str = "",
) -> Step:
    """Write one step and the event of its birth."""
    step = Step.objects.create(
        application=about if isinstance(about, Application) else None,
        alert=about if isinstance(about, Alert) else None,
        kind=kind,
        recipient=recipient,
        sequence=sequence,
        state=state,
        state_since=at,
        ready_at=at if state == State.QUEUED else None,
        created_at=at,
    )
    StepEvent.objects.create(
        step=step, at=at, attempt=0, to_state=state, actor=actor, reason=reason
    )
    return step
