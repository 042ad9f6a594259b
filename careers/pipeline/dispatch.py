"""Dispatch steps: tell a worker, through the broker, that a row is ready.

A row is marked as sent first, because a fast worker must find it so. Then its message is published.
Publishing may fail without harm: then the row is queued again, and the sweeper dispatches it later.
If the process dies in between, no worker answers, and the sweeper dispatches the row, too. No error
of the broker reaches the caller.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from careers.pipeline import broker, pauses, registry
from careers.pipeline.models import Step
from careers.pipeline.states import State
from careers.pipeline.transitions import db_now, move

log = logging.getLogger(__name__)

#: Seconds without an attempt after the broker failed to answer: a broker that is down delays at
#: most one caller in ten seconds.
REST = 10
#: Steps that are marked in one transaction.
TOGETHER = 20

_resting_until = 0.0


class Message(NamedTuple):
    """A message for a worker. Its step is marked as sent, with the id of this task."""

    step_id: int
    kind: str
    task_id: str


def is_resting() -> bool:
    """Whether the broker failed a moment ago, so that nothing is sent to it for now."""
    return time.monotonic() < _resting_until


def new_task_id() -> str:
    """The id of the Celery task that runs a step."""
    return str(uuid.uuid4())


def dispatch_steps(step_ids: Iterable[int], *, actor: str = "intake", insist: bool = False) -> int:
    """Mark steps that are ready as sent, and publish a message for each.

    Args:
        actor: who dispatches, for the history.
        insist: try even though the broker failed a moment ago.

    Returns:
        How many messages the broker accepted.
    """
    step_ids = list(step_ids)
    if not step_ids or (is_resting() and not insist):
        return 0
    accepted = 0
    for start in range(0, len(step_ids), TOGETHER):
        messages = _mark(step_ids[start : start + TOGETHER], actor)
        sent = publish(messages, actor=actor)
        accepted += sent
        if sent < len(messages):
            break
    return accepted


def _mark(step_ids: list[int], actor: str) -> list[Message]:
    """Mark steps as sent; returns the messages to publish, in the same order."""
    messages: dict[int, Message] = {}
    # A kind that only a newer release knows waits for that release's workers.
    known = Step.objects.filter(pk__in=step_ids, kind__in=registry.kinds())
    with transaction.atomic():
        steps = known.only("state", "attempts", "kind").in_bulk()
        now = db_now()
        # Two processes that mark the same steps take the rows in the same order.
        for step_id, step in sorted(steps.items()):
            message = Message(step_id, step.kind, new_task_id())
            if move(
                step_id,
                State.SENT,
                leaving=[State.QUEUED, State.RETRYING],
                known=step,
                actor=actor,
                at=now,
                guard=pauses.not_held(step.kind, now),
                dispatched_at=now,
                dispatches=F("dispatches") + 1,
                celery_task_id=message.task_id,
            ):
                messages[step_id] = message
    return [messages[step_id] for step_id in step_ids if step_id in messages]


def publish(messages: Iterable[Message], *, actor: str = "intake") -> int:
    """Publish messages whose steps are marked as sent.

    They go to the broker together. If it does not accept them all, every step is queued again; a
    worker may get a message of such a step, and then starts it.

    Returns:
        How many messages the broker accepted: all or none.
    """
    global _resting_until
    messages = list(messages)
    if not messages:
        return 0
    try:
        _publish(messages)
    except Exception as error:  # after any error, the rows are safe and the sweeper finds them
        _resting_until = time.monotonic() + REST
        log.warning("the broker did not accept a message: %s", type(error).__name__)
        take_back(messages, actor=actor)
        return 0
    _resting_until = 0.0
    return len(messages)


def take_back(messages: Iterable[Message], *, actor: str = "intake") -> None:
    """Queue the steps of messages again that were not published. The sweeper dispatches them."""
    for message in messages:
        move(
            message.step_id,
            State.QUEUED,
            leaving=[State.SENT],
            actor=actor,
            guard={"celery_task_id": message.task_id},
            reason=_("The message broker did not accept the message."),
        )


def dispatch_task(task: str) -> bool:
    """Publish a task that does not run a step; False when the broker does not accept it."""
    try:
        broker.send(task)
    except Exception as error:  # the caller reports the failure
        log.warning("the broker did not accept a message: %s", type(error).__name__)
        return False
    return True


def _publish(messages: Sequence[Message]) -> None:
    tasks: list[tuple[str, dict[str, Any]]] = []
    for step_id, kind, task_id in messages:
        step = registry.REGISTERED[kind]
        options = {"kwargs": {"step_id": step_id}, "task_id": task_id, "queue": step.queue}
        tasks.append((step.task_name, options))
    broker.send_all(tasks)
