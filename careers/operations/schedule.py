"""What runs by the clock: how each run went, when the next one is, and that the clock ticks."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from celery import Celery, current_app, shared_task
from celery.beat import PersistentScheduler
from celery.signals import task_postrun, task_prerun
from django.db import Error as DatabaseError
from django.db import connection

from careers.operations import alerts, archive_check
from careers.operations.heartbeat import INTERVAL, beat
from careers.pipeline import dispatch
from careers.pipeline.actions import RETRY
from careers.pipeline.acts import actor_of
from careers.pipeline.models import Heartbeat, ScheduledRun, title_of
from careers.pipeline.transitions import db_now
from careers.pipeline.worker import owner

log = logging.getLogger(__name__)

#: There is one clock; under another name it would be a second one.
NAME = "beat"


# ── The tasks of the pipeline's own ─────────────────────────────────────────────────────


@shared_task(name="careers.watch")
def watch(**_: Any) -> None:
    """Look whether operators must be told something; the sweeper can't tell its own absence."""
    alerts.look(actor=owner())


@shared_task(name="careers.daily_digest")
def daily_digest(**_: Any) -> None:
    """Write the summary of yesterday once the morning has come."""
    alerts.daily_digest(actor=owner())


#: Longer than a step, for there may be millions of files; shorter than the broker's patience.
@shared_task(name=archive_check.TASK, soft_time_limit=600, time_limit=660)
def check_archive(**_: Any) -> None:
    """Look whether everything that was archived is still there."""
    archive_check.take()


# ── The clock ───────────────────────────────────────────────────────────────────────────


class Scheduler(PersistentScheduler):
    """Celery's own scheduler, which also says that it ticks and when it rings next.

    ``CELERY_BEAT_MAX_LOOP_INTERVAL`` makes it tick often enough.
    """

    _heap: list[Any] | None
    _said_at = float("-inf")

    def tick(self, *args: Any, **kwargs: Any) -> float:
        for entry in self.schedule.values():
            # Else nothing is rung for until the clock is again where it was set back from.
            if entry.last_run_at and entry.last_run_at > (now := entry.default_now()):
                entry.last_run_at = now
                self._heap = None
        pause: float = super().tick(*args, **kwargs)
        if time.monotonic() - self._said_at >= INTERVAL:
            self._said_at = time.monotonic()
            due = {
                event.entry.name: dt.datetime.fromtimestamp(round(event.time), dt.UTC).isoformat()
                for event in self._heap or ()
            }
            beat(Heartbeat.Kind.SCHEDULER, NAME, facts={"next": due})
        return pause


# ── The runs ────────────────────────────────────────────────────────────────────────────


@task_prerun.connect
def _note_start(task: Any, **_: Any) -> None:
    if task.name in _scheduled(task.app):
        now = db_now()
        _note(
            lambda: ScheduledRun.objects.update_or_create(
                task=task.name, defaults={"started_at": now}
            )
        )


@task_postrun.connect
def _note_end(task: Any, state: str, retval: Any, **_: Any) -> None:
    if task.name in _scheduled(task.app):
        error = type(retval).__name__ if state == "FAILURE" else ""
        _note(
            lambda: ScheduledRun.objects.filter(task=task.name).update(
                ended_at=db_now(), error=error
            )
        )


def _scheduled(app: Celery) -> set[str]:
    return {entry["task"] for entry in app.conf.beat_schedule.values()}


def _note(write: Callable[[], object]) -> None:
    try:
        write()
    except DatabaseError as error:  # the record must not keep the task from its work
        log.warning("a scheduled run was not noted: %s", type(error).__name__)
        connection.close_if_unusable_or_obsolete()


# ── For people ──────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Schedule:
    """One thing that runs by the clock."""

    task: str
    title: str
    last: ScheduledRun | None
    next_at: dt.datetime | None


def schedules() -> list[Schedule]:
    """Everything that runs by the clock, with its last and its next run; two queries."""
    runs = {run.task: run for run in ScheduledRun.objects.all()}
    clock = Heartbeat.objects.filter(kind=Heartbeat.Kind.SCHEDULER).first()
    due = clock.facts.get("next", {}) if clock else {}
    return [
        Schedule(
            task=entry["task"],
            title=title_of(entry["task"]),
            last=runs.get(entry["task"]),
            next_at=dt.datetime.fromisoformat(due[name]) if name in due else None,
        )
        for name, entry in current_app.conf.beat_schedule.items()
    ]


def run_now(task: str, user: Any) -> bool:
    """Ring for something that runs by the clock out of turn.

    Returns False when the broker takes no message, or nothing of that name runs by the clock.
    """
    actor_of(user, RETRY)
    return task in {entry.task for entry in schedules()} and dispatch.dispatch_task(task)
