"""The Celery tasks of the steps. A message holds only the id of a step; the row holds the rest."""

from __future__ import annotations

import functools
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import Task, current_task, shared_task
from celery.exceptions import Retry

from careers.pipeline import dispatch, registry, runner, time_limit
from careers.pipeline.models import Step
from careers.pipeline.states import CELERY_WORDS, State
from careers.pipeline.worker import owner


class NotDone(Exception):
    """The step failed. The row says why; the exception makes Flower show the task as failed."""


def _run(kind: str, step_id: int) -> None:
    with _soft_limit():
        ready = runner.run(int(step_id), owner=owner(), kind=kind)
    dispatch.dispatch_steps(ready, actor=owner())
    _end_like_the_step(int(step_id))


@contextmanager
def _soft_limit() -> Iterator[None]:
    """Let Celery's soft time limit, which is this signal, stop only the step's effect."""
    handler_of_celery = signal.signal(signal.SIGUSR1, time_limit.time_is_up)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, handler_of_celery)


def _end_like_the_step(step_id: int) -> None:
    """End the Celery task in the state that our own pages show for the step.

    Only Flower shows it. A message that came too late for its step ends as a success.

    Raises:
        Retry: the step will be tried again; Celery publishes nothing for it.
        NotDone: the step failed or is unconfirmed.
    """
    of_this_task = Step.objects.filter(pk=step_id, celery_task_id=current_task.request.id or "none")
    step = of_this_task.only("state", "error_code", "run_after").first()
    if step is None:
        return
    word = CELERY_WORDS[State(step.state)]
    if word == "RETRY":
        raise Retry(step.error_code, when=step.run_after)
    if word == "FAILURE":
        raise NotDone(step.error_code)


@functools.cache
def task_for(kind: str) -> Task[..., None]:
    """The Celery task that runs the steps of one kind."""

    def run_step(*, step_id: int, **_: Any) -> None:
        _run(kind, step_id)

    name = registry.REGISTERED[kind].task_name
    task: Task[..., None] = shared_task(name=name, throws=(NotDone,))(run_step)
    return task


def step_tasks() -> dict[str, Task[..., None]]:
    """The task of each step; call it when every app is ready, so that every step is registered."""
    return {kind: task_for(kind) for kind in registry.kinds()}
