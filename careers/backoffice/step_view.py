"""One step as the page of a task shows it: state, cause, history and buttons."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from careers.backoffice import presentation
from careers.backoffice.permissions import Held
from careers.backoffice.tasks import step_title
from careers.backoffice.timeline import Lane, lanes
from careers.pipeline import actions, registry
from careers.pipeline.acts import Act
from careers.pipeline.attention import BOUNCED, NEEDS_ATTENTION, RECEIPT_CANCELLED
from careers.pipeline.effects.mails import message_id_of
from careers.pipeline.models import Step, StepEvent
from careers.pipeline.retries import UNKNOWN_ATTEMPTS
from careers.pipeline.states import ErrorClass, State


@dataclass(frozen=True)
class EventLine:
    """One event in words."""

    at: dt.datetime
    at_exactly: str
    before: str
    after: str
    tone: str
    icon: str
    actor: str
    attempt: int
    reason: str
    traceback: str


@dataclass(frozen=True)
class Stored:
    """One archived object. The link is "" for a reader who may not have the file."""

    key: str
    verified_at: dt.datetime | None
    url: str


@dataclass(frozen=True)
class StepView:
    """Everything that the page shows of one step."""

    step: Step
    title: str
    chip: presentation.Chip
    state: str
    replaced: bool
    lane: Lane
    events: list[EventLine]
    flower_url: str
    message_id: str
    recipient: str
    sent_at: dt.datetime | None
    response: str
    objects: list[Stored]
    acts: list[Act]

    @property
    def anchor(self) -> str:
        return f"step-{self.step.pk}"

    @property
    def troubled(self) -> bool:
        """Whether the top of the page must show it."""
        bounced = BOUNCED(self.step) and not self.replaced
        return (
            NEEDS_ATTENTION(self.step)
            or bounced
            or RECEIPT_CANCELLED(self.step)
            or self.step.state == State.RETRYING
        )

    @property
    def heading(self) -> str:
        """What is wrong, at the top of the page."""
        if RECEIPT_CANCELLED(self.step):
            return _("Receipt not sent: the step was cancelled")
        return _("%(step)s: %(state)s") % {"step": self.title, "state": self.state}

    @property
    def cause(self) -> str:
        """The cause of the trouble, in words."""
        if BOUNCED(self.step):
            return presentation.bounces([self.step])[0][1]
        return self.step.error_public or (self.events[-1].reason if self.events else "")

    @property
    def attempts(self) -> str:
        """The number of attempts, and the limit where there is one. "" for fewer than two."""
        if self.step.attempts < 2 or self.step.state == State.SUCCEEDED:
            return ""
        if self.step.error_class == ErrorClass.UNKNOWN:
            return _("%(done)d of %(most)d") % {
                "done": self.step.attempts,
                "most": UNKNOWN_ATTEMPTS,
            }
        return str(self.step.attempts)


def step_views(
    steps: list[Step],
    events: dict[int, list[StepEvent]],
    stored: dict[str, Stored],
    *,
    held: Held,
    may_see_flower: bool,
    quarantined: bool,
    paused: Collection[str],
    to_applicant: str,
    now: dt.datetime,
) -> Iterator[StepView]:
    """The steps of one task, in words.

    Args:
        events: each step's events in their order, by the step's id.
        stored: the archived objects by their keys.
        held: what the reader may do; it decides which buttons they see.
        may_see_flower: whether to link each step to its task in Flower.
        quarantined: whether the mails wait because the application may be spam.
        paused: the kinds of steps that are paused.
        to_applicant: the applicant's address; "" for a reader who may not see it.
    """
    actors = presentation.Actors.of(event.actor for history in events.values() for event in history)
    on_scale, _whole = lanes(steps, events, now)
    kept = {step.pk for step in presentation.current(steps)}
    with_traceback = actions.retry.permission in held
    for step in steps:
        yield StepView(
            step=step,
            title=step_title(step),
            chip=presentation.chip(step, quarantined, paused),
            state=presentation.state_in_words(step, quarantined, paused),
            replaced=step.pk not in kept,
            lane=on_scale[step.pk],
            events=[
                line(event, actors, with_traceback=with_traceback)
                for event in events.get(step.pk, [])
            ],
            flower_url=reverse("flower_page", args=[f"task/{step.celery_task_id}"])
            if step.celery_task_id and may_see_flower
            else "",
            message_id=message_id_of(step) if registry.is_mail(step.kind) else "",
            recipient=step.recipient
            or (to_applicant if registry.is_to_applicant(step.kind) else ""),
            sent_at=dt.datetime.fromisoformat(step.result["sent_at"])
            if step.result.get("sent_at")
            else None,
            response=str(step.result.get("response", "")),
            objects=[
                stored.get(key, Stored(key, None, "")) for key in step.result.get("objects", [])
            ],
            acts=[act for act in actions.STEP_ACTS if held.offers(act, step)],
        )


def in_order(steps: Iterable[Step]) -> list[Step]:
    """Steps in the order of the flow."""
    kinds = registry.in_order(step.kind for step in steps)
    return sorted(steps, key=lambda step: (kinds.index(step.kind), step.recipient, step.sequence))


def line(event: StepEvent, actors: presentation.Actors, *, with_traceback: bool) -> EventLine:
    """An event in words; the traceback only for users who may retry the step."""
    after = State(event.to_state)
    tone, icon = presentation.LOOKS[after]
    return EventLine(
        at=event.at,
        at_exactly=presentation.exactly(event.at),
        # A provider's report about a mail that is done changes no state.
        before=str(State(event.from_state).label)
        if event.from_state and event.from_state != event.to_state
        else "",
        after=str(after.label),
        tone=tone,
        icon=icon,
        actor=actors.name(event.actor),
        attempt=event.attempt,
        reason=event.reason,
        traceback=event.traceback if with_traceback else "",
    )
