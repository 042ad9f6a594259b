"""Mails that may or may not have been sent.

Between the point of no return and the mail server's answer a worker or a connection may be lost.
Where the mail provider keeps an idempotency key, the mail is sent again under the same key while
the idempotency window is open. Elsewhere a person decides, or the provider's own report does.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.utils.translation import gettext as _

from careers.applications.errors import Uncertain, Undecidable
from careers.pipeline.models import Step
from careers.pipeline.retries import backoff
from careers.pipeline.states import ErrorClass, State
from careers.pipeline.transitions import db_now, move


def settle(step: Step, error: Uncertain, *, actor: str) -> bool:
    """Continue with a running step whose mail may have been sent.

    While the idempotency window is open the step is retried, which can't send the mail twice.
    Otherwise, or when another attempt would clarify nothing, it is left to a person.

    Returns:
        True when the step was changed; False when another process has it.
    """
    now, until = db_now(), step.repeat_until
    if until is None or until <= now or isinstance(error, Undecidable):
        return leave_to_a_person(step, error, actor=actor)
    public = _(
        "The mail provider received the mail but did not confirm it. It is asked again with the "
        "same key, so that the mail is sent once."
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


def leave_to_a_person(
    step: Step, error: Uncertain, *, actor: str, leaving: Collection[State] = (State.STARTED,)
) -> bool:
    """Leave a step to a person, unless the mail provider has already reported that it succeeded.

    Returns:
        True when the step was changed; False when another process has it.
    """
    with transaction.atomic():
        moved = move(
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
        if moved:
            confirm_reported(step.pk)
    return moved


def confirm_reported(step_id: int) -> bool:
    """Resolve an unconfirmed mail if its provider has reported that it has the mail.

    Two callers need it: the code that leaves a mail unconfirmed, and the code that receives the
    provider's reports. Each calls it after its own write, so the later one resolves the mail.

    Returns:
        True when the step was resolved.
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


def interrupted() -> Uncertain:
    """The worker was lost between the point of no return and the answer."""
    return Uncertain(
        "interrupted",
        _(
            "The step was interrupted after the mail had been passed to the mail server. "
            "The mail may have arrived. Ask the recipient, then choose “It arrived” or "
            "“Send again”."
        ),
    )


def window_closed() -> Uncertain:
    """The idempotency window closed before the provider confirmed the mail."""
    return Uncertain(
        "mail-unconfirmed",
        _(
            "The mail provider received the mail and never confirmed it, and by now it may have "
            "forgotten the key. The mail may have arrived. Ask the recipient or look into the "
            "provider’s log, then choose “It arrived” or “Send again”."
        ),
    )


def provider_changed() -> Undecidable:
    """The mail was passed to a provider that the settings no longer name."""
    return Undecidable(
        "mail-unconfirmed",
        _(
            "The mail was passed to a mail provider that did not confirm it, and the settings have "
            "changed since. The mail may have arrived. Ask the recipient or look into the "
            "provider’s log, then choose “It arrived” or “Send again”."
        ),
    )
