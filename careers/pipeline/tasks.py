"""What Celery calls. A message says only "look at step 123"; the row says the rest."""

from __future__ import annotations

import functools
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from celery import Task, current_task, shared_task
from celery.exceptions import Retry
from celery.signals import worker_init, worker_process_init

from careers.pipeline import dispatch, registry, runner
from careers.pipeline.models import Step
from careers.pipeline.states import CELERY_WORDS, State

#: Who claims in this process; the children of a worker's pool share it, so that the main
#: process can hand back what they held when it shuts down.
_owner = f"worker:{uuid4()}"


@worker_init.connect
def _draw_owner(**_: Any) -> None:
    """Two workers may be forks of one process that had imported this module already."""
    global _owner
    _owner = f"worker:{uuid4()}"


def owner() -> str:
    """The name under which this worker claims steps."""
    return _owner


@worker_process_init.connect
def _start_fresh(**_: Any) -> None:
    dispatch.forget_connections()


class NotDone(Exception):
    """The step of a task failed; the row says why, this only makes Flower say so, too."""


def _run(kind: str, step_id: int) -> None:
    with _soft_limit():
        ready = runner.run(int(step_id), owner=_owner, kind=kind)
    dispatch.dispatch_steps(ready, actor=_owner)
    _end_like_the_step(int(step_id))


@contextmanager
def _soft_limit() -> Iterator[None]:
    """Let Celery's soft time limit, which is this signal, stop a step as the runner has it."""
    celerys = signal.signal(signal.SIGUSR1, runner.time_is_up)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, celerys)


def _end_like_the_step(step_id: int) -> None:
    """Let Celery's word for the task be the one that our own pages show for the step.

    Nothing depends on it. A message that came too late for its step ends as a success.

    Raises:
        Retry: the step will be tried again; Celery publishes nothing for it.
        NotDone: it failed, or nobody knows.
    """
    step = Step.objects.filter(pk=step_id, celery_task_id=current_task.request.id or "none").first()
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
