"""Dispatch steps: tell a worker, through the broker, that a row is ready.

Dispatching may fail without harm: then the row stays queued, and the sweeper dispatches it later.
No error of the broker reaches the caller.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterable

from django.db.models import F
from django.utils.translation import gettext as _

from careers.pipeline import broker, registry
from careers.pipeline.models import Step
from careers.pipeline.states import State
from careers.pipeline.transitions import db_now, move

log = logging.getLogger(__name__)

#: Seconds without an attempt after the broker failed to answer: a broker that is down delays at
#: most one applicant in ten seconds.
REST = 10

_resting_until = 0.0


def dispatch_steps(step_ids: Iterable[int], *, actor: str = "intake", insist: bool = False) -> int:
    """Publish a message for each step that is ready.

    Args:
        actor: who dispatches, for the history.
        insist: try even though the broker failed a moment ago.

    Returns:
        How many messages the broker accepted.
    """
    global _resting_until
    dispatched = 0
    for step_id in step_ids:
        if not insist and time.monotonic() < _resting_until:
            break
        # A kind that only a newer release knows waits for that release's workers.
        step = Step.objects.filter(pk=step_id, kind__in=registry.kinds())
        kind = step.values_list("kind", flat=True).first()
        if kind is None:
            continue
        task_id = str(uuid.uuid4())
        # Written first: a fast worker must find the row already sent.
        if not move(
            step_id,
            State.SENT,
            leaving=[State.QUEUED, State.RETRYING],
            actor=actor,
            dispatched_at=db_now(),
            dispatches=F("dispatches") + 1,
            celery_task_id=task_id,
        ):
            continue
        definition = registry.REGISTERED[kind]
        try:
            _publish(definition.task_name, definition.queue, step_id, task_id)
        except Exception as error:  # after any error, the row is safe and the sweeper finds it
            _resting_until = time.monotonic() + REST
            log.warning("the broker did not accept a message: %s", type(error).__name__)
            move(
                step_id,
                State.QUEUED,
                leaving=[State.SENT],
                actor=actor,
                guard={"celery_task_id": task_id},
                reason=_("The message broker did not accept the message."),
            )
            break
        _resting_until = 0.0
        dispatched += 1
    return dispatched


def dispatch_task(task: str) -> bool:
    """Publish a task that does not run a step; False when the broker does not accept it."""
    try:
        broker.send(task)
    except Exception as error:  # the caller reports the failure
        log.warning("the broker did not accept a message: %s", type(error).__name__)
        return False
    return True


def _publish(task: str, queue: str, step_id: int, task_id: str) -> None:
    broker.send(task, kwargs={"step_id": step_id}, task_id=task_id, queue=queue)
