"""Scheduled tasks: the result of each last run, the next runs, and the scheduler's heartbeat."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from celery import Celery, current_app, shared_task
from celery.beat import PersistentScheduler
from celery.signals import task_postrun, task_prerun
from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import F, Q

from careers.applications import sentences
from careers.applications.errors import EffectError
from careers.operations import (
    alerts,
    archive_check,
    content_check,
    database,
    findings,
    heartbeat,
    indexing,
    thinning,
)
from careers.operations.heartbeat import INTERVAL
from careers.operations.models import Finding, Heartbeat, ScheduledRun, Severity
from careers.operations.titles import title_of
from careers.pipeline import dispatch
from careers.pipeline.acts import RETRY, actor_of
from careers.pipeline.transitions import db_now
from careers.pipeline.worker import owner

log = logging.getLogger(__name__)

#: There is one scheduler; another name would be a second row.
NAME = "beat"
#: What the record of a run's end may take beyond the hard limit of the task.
LATE = dt.timedelta(seconds=60)


# ── Tasks ───────────────────────────────────────────────────────────────────────────────


@shared_task(name="careers.watch")
def watch(**_: Any) -> None:
    """Send due alerts to operators; the sweeper can't report its own absence."""
    alerts.update_alerts(actor=owner())


@shared_task(name="careers.daily_digest")
def daily_digest(**_: Any) -> None:
    """Send the summary of yesterday, once, in the morning."""
    alerts.daily_digest(actor=owner())


@shared_task(name=indexing.TASK)
def index_texts(**_: Any) -> None:
    """Let search find the applications, files and pages that it has not read yet."""
    indexing.run()


#: Longer than a step may run, for millions of files; shorter than the visibility timeout.
@shared_task(name=archive_check.TASK, soft_time_limit=600, time_limit=660)
def check_archive(**_: Any) -> None:
    """Check that every archived file is still there."""
    archive_check.run()


@shared_task(name=content_check.TASK, soft_time_limit=300, time_limit=330)
def check_content(**_: Any) -> None:
    """Check the pictures, documents, links and settings that the pages show."""
    content_check.run()


@shared_task(name=thinning.TASK, soft_time_limit=300, time_limit=330)
def thin_history(**_: Any) -> None:
    """Delete old history, if a setting says so, and count finished work again."""
    thinning.run()


# ── The scheduler ───────────────────────────────────────────────────────────────────────


class Scheduler(PersistentScheduler):
    """Celery's own scheduler, with a heartbeat that holds the next run of each task.

    ``CELERY_BEAT_MAX_LOOP_INTERVAL`` makes it tick often enough.
    """

    _heap: list[Any] | None
    _said_at = float("-inf")
    _lost: list[dict[str, Any]] | None = None

    def tick(self, *args: Any, **kwargs: Any) -> float:
        for entry in self.schedule.values():
            # After the clock was set back, nothing would be due until it reaches that time again.
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
            facts = {**heartbeat.own_facts(), "next": due}
            if self._lost is None:
                self._lost = heartbeat.begin(Heartbeat.Kind.SCHEDULER, NAME, facts=facts)
            else:
                facts["lost"] = self._lost
                heartbeat.beat(Heartbeat.Kind.SCHEDULER, NAME, facts=facts)
        return pause

    def close(self) -> None:
        """Say that the scheduler stops in order. Its row stays, with the next run of each task."""
        super().close()
        if self._lost is not None:
            facts = {**heartbeat.own_facts(), "next": {}, "lost": self._lost, "ended": True}
            heartbeat.beat(Heartbeat.Kind.SCHEDULER, NAME, facts=facts)


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
def _note_end(task: Any, task_id: str, state: str, retval: Any, **_: Any) -> None:
    if task.name in _scheduled(task.app):
        facts: dict[str, Any] = {}
        if state == "FAILURE":
            facts = _explain(retval)
            facts |= {"worker": getattr(task.request, "hostname", None), "task_id": task_id}
        _note(partial(_end, task.name, facts))


def _explain(error: BaseException) -> dict[str, Any]:
    """The cause of a failure as facts; the text of an unknown error may hold personal data."""
    facts: dict[str, Any] = {"error": type(error).__name__}
    if isinstance(error, EffectError):
        return {**facts, "code": error.code, "cause": sentences.to_facts(error.public)}
    if isinstance(error, DatabaseError):
        code, cause = database.cause(error)
        return {**facts, "code": code, "cause": sentences.to_facts(cause)}
    return facts


def _end(task: str, facts: dict[str, Any]) -> None:
    """Note the end of a run; ``facts`` explain a failure and are empty after a success."""
    now = db_now()
    error = facts.get("error", "")
    ScheduledRun.objects.filter(task=task).update(ended_at=now, error=error)
    failure = Finding(
        code=f"schedule-failed.{task}",
        severity=Severity.WARNING,
        facts={"task": task, "at": now.isoformat(), **facts},
    )
    findings.report(f"schedule:{task}", [failure] if error else [], lasts=findings.RUNS)


def end_lost_runs() -> None:
    """Note the end of runs whose worker was killed; the sweeper calls it.

    Celery kills a task at its hard limit, and nothing runs in a process that was killed.
    """
    now = db_now()
    started = ScheduledRun.objects.filter(Q(ended_at=None) | Q(ended_at__lt=F("started_at")))
    for run in started:
        task = current_app.tasks.get(run.task)
        limit = (task and task.time_limit) or current_app.conf.task_time_limit
        if now - run.started_at > dt.timedelta(seconds=limit) + LATE:
            _end(run.task, {"error": "WorkerLost"})


def _scheduled(app: Celery) -> set[str]:
    return {entry["task"] for entry in app.conf.beat_schedule.values()}


def _note(write: Callable[[], object]) -> None:
    try:
        write()
    except DatabaseError as error:  # the task must run even if its record can't be written
        log.warning("a scheduled run was not recorded: %s", type(error).__name__)
        connection.close_if_unusable_or_obsolete()


# ── For people ──────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Schedule:
    """A scheduled task, with its last and its next run."""

    task: str
    title: str
    last: ScheduledRun | None
    next_at: dt.datetime | None


def schedules() -> list[Schedule]:
    """Every scheduled task, with its last and its next run; two queries."""
    runs = {run.task: run for run in ScheduledRun.objects.all()}
    scheduler = Heartbeat.objects.filter(kind=Heartbeat.Kind.SCHEDULER).first()
    # Without a scheduler, no run comes.
    runs_now = scheduler is not None and heartbeat.is_alive(scheduler, db_now())
    due = scheduler.facts.get("next", {}) if scheduler and runs_now else {}
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
    """Start a scheduled task now.

    Returns:
        False if the broker accepts no message, or no task of this name is scheduled.

    Raises:
        PermissionDenied: the user may not do this.
    """
    actor_of(user, RETRY)
    return task in {entry.task for entry in schedules()} and dispatch.dispatch_task(task)
