"""Scheduled tasks: their last results, their next runs, and the scheduler's heartbeat."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.utils import timezone

from careers.applications.errors import Transient
from careers.applications.sentences import to_facts
from careers.forms import tasks as forms_tasks
from careers.operations import findings, health, schedule
from careers.operations.models import Finding, Heartbeat, ScheduledRun
from careers.operations.schedule import Scheduler, schedules
from careers.operations.titles import effect_of, title_of
from careers.operations.words import clock
from careers.pipeline import broker
from tests.support import people
from tests.support.factories import HeartbeatFactory

pytestmark = pytest.mark.django_db

CLEAN_UP = "careers.clean_up_uploads"


@pytest.fixture
def ticking(tmp_path: Path) -> Any:
    """Celery's scheduler as ``celery beat`` makes it, with a file of its own."""
    made = Scheduler(current_app, schedule_filename=str(tmp_path / "beat"), Producer=object)
    yield made
    made.close()


def clean_up(monkeypatch: pytest.MonkeyPatch, error: Exception | None = None) -> ScheduledRun:
    """Let the hourly task run as a worker runs it."""

    def effect() -> None:
        if error is not None:
            raise error

    monkeypatch.setattr(forms_tasks, "clean_up", effect)
    forms_tasks.clean_up_uploads.apply()
    return ScheduledRun.objects.get()


def test_each_run_of_a_scheduled_task_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    run = clean_up(monkeypatch)
    assert (run.task, run.error) == (CLEAN_UP, "")
    assert run.started_at <= run.ended_at
    again = clean_up(monkeypatch)
    assert again.started_at > run.started_at


def test_failure_is_a_finding_until_the_task_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    HeartbeatFactory(scheduler=True)
    run = clean_up(monkeypatch, ValueError("jane@example.org"))
    assert run.error == "ValueError"
    (finding,) = [f for f in health.check().faults if f.code.startswith("schedule-failed")]
    assert finding.code == f"schedule-failed.{CLEAN_UP}"
    assert (
        "“Delete uploads of forms that were not sent, and old hashes of networks” failed at "
        in finding.message
    )
    assert "An error in the program ended it (ValueError)." in finding.message
    assert "Meanwhile kept files of unsent forms stay longer than a day." in finding.message
    assert "Search the log of" in finding.action
    assert "jane" not in finding.message + finding.action
    clean_up(monkeypatch)
    assert "schedule-failed" not in str(health.check().faults)


def test_failure_names_the_cause_in_the_words_of_the_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    HeartbeatFactory(scheduler=True)
    words = "The archive (S3) did not answer. The site tries again."
    clean_up(monkeypatch, Transient("archive-unavailable", words))
    (finding,) = [f for f in health.check().faults if f.code.startswith("schedule-failed")]
    assert words in finding.message
    assert "Transient" not in finding.message + finding.action
    # The archive itself is the one cause, once it is known.
    facts = {"cause": to_facts(words)}
    down = Finding(code="archive-unavailable", severity="warning", facts=facts)
    findings.report("sweeper:a", [down], lasts=findings.PROCESS)
    assert "schedule-failed" not in str(health.check().faults)


def test_run_whose_worker_was_killed_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    HeartbeatFactory(scheduler=True)
    now = timezone.now()
    ScheduledRun.objects.create(task=CLEAN_UP, started_at=now - dt.timedelta(seconds=200))
    running = ScheduledRun.objects.create(
        task="careers.check_archive", started_at=now - dt.timedelta(seconds=200)
    )
    schedule.end_lost_runs()
    (finding,) = [f for f in health.check().faults if f.code.startswith("schedule-failed")]
    assert "Its worker ended before the task did." in finding.message
    running.refresh_from_db()
    assert running.ended_at is None


def test_every_scheduled_task_has_an_effect() -> None:
    tasks = {entry["task"] for entry in current_app.conf.beat_schedule.values()}
    assert [task for task in tasks if not effect_of(task)] == []


def test_task_that_is_not_scheduled_is_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(current_app.conf, "beat_schedule", {})
    forms_tasks.clean_up_uploads.apply()
    assert ScheduledRun.objects.count() == 0


def test_scheduled_task_runs_when_its_record_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(**_: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(ScheduledRun.objects, "update_or_create", refuse)
    done = []
    monkeypatch.setattr(forms_tasks, "clean_up", lambda: done.append(1))
    forms_tasks.clean_up_uploads.apply()
    assert done == [1]
    assert "a scheduled run was not recorded: OperationalError" in caplog.text


def test_tick_writes_a_heartbeat_with_the_next_runs(ticking: Any) -> None:
    ticking.schedule.clear()
    ticking.update_from_dict({"x": {"task": CLEAN_UP, "schedule": 3600.0}})
    ticking.populate_heap()
    before = timezone.now()
    assert 0 < ticking.tick() <= 10
    beat = Heartbeat.objects.get()
    assert (beat.kind, beat.name) == ("scheduler", "beat")
    due = dt.datetime.fromisoformat(beat.facts["next"]["x"])
    assert dt.timedelta(minutes=59) < due - before < dt.timedelta(minutes=61)
    # The next tick comes within seconds; one heartbeat in ten seconds is enough.
    Heartbeat.objects.all().delete()
    ticking.tick()
    assert Heartbeat.objects.count() == 0


def test_every_scheduled_task_has_a_title() -> None:
    HeartbeatFactory(
        scheduler=True, facts={"next": {"clean-up-uploads": "2026-11-22T15:00:00+00:00"}}
    )
    ScheduledRun.objects.create(task=CLEAN_UP, started_at=timezone.now())
    shown = {schedule.task: schedule for schedule in schedules()}
    tasks = {entry["task"] for entry in current_app.conf.beat_schedule.values()}
    assert shown.keys() == tasks
    assert [task for task in tasks if title_of(task) == task] == []
    assert shown[CLEAN_UP].next_at == dt.datetime(2026, 11, 22, 15, tzinfo=dt.UTC)
    assert shown["careers.watch"].last is None


def test_every_scheduled_task_exists() -> None:
    current_app.loader.import_default_modules()
    tasks = {entry["task"] for entry in current_app.conf.beat_schedule.values()}
    assert tasks - set(current_app.tasks) == set()


# ── Health ──────────────────────────────────────────────────────────────────────────────


def no_scheduler() -> list[str]:
    return [f.message for f in health.check(broker_error="").faults if f.code == "no-scheduler"]


def test_missing_scheduler_is_reported_with_the_time_of_its_last_run() -> None:
    late = "Scheduled pages do not go live or expire, and no daily summary is sent."
    assert no_scheduler() == [f"The scheduler has never run. {late}"]
    seen = timezone.now() - dt.timedelta(seconds=36)
    beat = HeartbeatFactory(scheduler=True, seen_at=seen)
    assert no_scheduler() == [
        f"The scheduler last ran at {clock(seen)}. {late}",
    ]
    beat.seen_at = timezone.now()
    beat.save()
    assert no_scheduler() == []


def test_missing_scheduler_is_not_reported_while_the_broker_is_down() -> None:
    assert "no-scheduler" not in [f.code for f in health.check(broker_error="Down.").faults]


# ── Run now ─────────────────────────────────────────────────────────────────────────────


def test_run_now_dispatches_only_scheduled_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(broker, "send", sent.append)
    assert schedule.run_now(CLEAN_UP, people.otto()) is True
    assert schedule.run_now("careers.mail_hr", people.ada()) is False
    assert sent == [CLEAN_UP]


def test_run_now_returns_false_when_the_broker_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(task: str) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(broker, "send", refuse)
    assert schedule.run_now(CLEAN_UP, people.otto()) is False


def test_run_now_needs_the_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "send", lambda task: pytest.fail("dispatched"))
    with pytest.raises(PermissionDenied):
        schedule.run_now(CLEAN_UP, people.charlie())


def test_scheduled_tasks_update_the_alerts(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(schedule.alerts, "update_alerts", lambda actor: done.append("look"))
    monkeypatch.setattr(schedule.alerts, "daily_digest", lambda actor: done.append("digest"))
    schedule.watch()
    schedule.daily_digest()
    assert done == ["look", "digest"]


def test_tasks_stay_due_after_the_clock_was_set_back(ticking: Any) -> None:
    """Celery counts from the last run, which is in the future now."""
    ticking.tick()
    for entry in ticking.schedule.values():
        entry.last_run_at += dt.timedelta(days=365)
    ticking._heap = None
    ticking.tick()
    day = dt.timedelta(days=1).total_seconds()
    now = timezone.now().timestamp()
    assert [event for event in ticking._heap if event.time > now + day] == []
