"""Heartbeats of the processes: what a row says, and what is left of a process that was killed."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from typing import Any

import pytest
from django.db import DatabaseError, connection

from careers.operations import heartbeat
from careers.operations.heartbeat import beat, begin, end
from careers.operations.models import Heartbeat
from careers.pipeline.transitions import db_now
from tests.support.factories import HeartbeatFactory, StepFactory

pytestmark = pytest.mark.django_db


def test_second_beat_updates_the_same_row(db: None) -> None:
    beat("worker", "w@host", queues="io")
    first = Heartbeat.objects.get()
    Heartbeat.objects.update(seen_at=first.seen_at - dt.timedelta(minutes=1))
    beat("worker", "w@host", queues="cpu,io", facts={"a": 1})
    again = Heartbeat.objects.get()
    assert (again.queues, again.facts) == ("cpu,io", {"a": 1})
    assert again.started_at == first.started_at
    assert again.seen_at >= first.seen_at


def test_beat_with_a_database_error_is_only_logged(db: None, caplog: Any) -> None:
    def broken(execute: Any, sql: str, *args: Any) -> Any:
        if "careers_heartbeat" in sql:
            raise DatabaseError("disk full")
        return execute(sql, *args)

    with connection.execute_wrapper(broken):
        beat("worker", "w@host")
        assert begin("worker", "w@host") == []
    assert "no heartbeat written" in caplog.text


def test_process_that_stopped_in_order_leaves_no_row(db: None) -> None:
    assert begin("worker", "w@host") == []
    end("worker", "w@host")
    assert begin("worker", "w@host") == []


def test_begin_after_a_kill_remembers_the_end_and_the_steps(db: None, bare_job: Any) -> None:
    step = StepFactory(application__page=bare_job, started=True, owner="worker:1")
    ended = db_now() - dt.timedelta(minutes=5)
    HeartbeatFactory(name="w@host", seen_at=ended, started_at=ended, facts={"owner": "worker:1"})
    (lost,) = begin("worker", "w@host", facts={"owner": "worker:2"})
    assert lost == {"at": ended.isoformat(), "ran": [step.pk]}
    row = Heartbeat.objects.get()
    assert row.facts == {"owner": "worker:2", "lost": [lost]}
    assert row.started_at > ended


def test_begin_forgets_ends_of_earlier_days(db: None) -> None:
    days = [db_now() - dt.timedelta(days=n) for n in (0, 2)]
    facts = {"lost": [{"at": day.isoformat(), "ran": []} for day in days], "ended": True}
    HeartbeatFactory(name="w@host", facts=facts)
    assert [one["at"] for one in begin("worker", "w@host")] == [days[0].isoformat()]


def test_begin_of_a_family_takes_over_only_dead_processes_of_this_host(db: None) -> None:
    """Each start of a sweeper has another name."""
    here = heartbeat.own_facts()
    with subprocess.Popen([sys.executable, "-c", "pass"]) as ended:
        ended.wait()
    HeartbeatFactory(sweeper=True, name="a:1", facts={**here, "pid": ended.pid})
    HeartbeatFactory(sweeper=True, name="a:2", facts={**here, "pid": os.getppid()})
    HeartbeatFactory(sweeper=True, name="a:3", facts={**here, "host": "elsewhere"})
    lost = begin("sweeper", "a:4", family="a:")
    assert len(lost) == 1
    names = Heartbeat.objects.order_by("name").values_list("name", flat=True)
    assert list(names) == ["a:2", "a:3", "a:4"]


def test_rows_of_lost_workers_keep_their_steps_for_a_day(db: None, bare_job: Any) -> None:
    step = StepFactory(application__page=bare_job, started=True, owner="worker:1")
    seen = db_now() - dt.timedelta(minutes=1)
    gone = HeartbeatFactory(seen_at=seen, facts={"owner": "worker:1"})
    alive = HeartbeatFactory(facts={"owner": "worker:2"})
    heartbeat.note_lost_workers()
    heartbeat.forget_gone()
    gone.refresh_from_db()
    alive.refresh_from_db()
    assert (gone.facts["ran"], "ran" in alive.facts) == ([step.pk], False)
    Heartbeat.objects.update(seen_at=db_now() - dt.timedelta(hours=25))
    heartbeat.forget_gone()
    assert Heartbeat.objects.count() == 0


def test_own_facts_name_host_version_and_memory(db: None) -> None:
    facts = heartbeat.own_facts()
    assert facts["pid"] == os.getpid()
    assert facts["host"]
    assert facts["memory"] is None or facts["memory"] > 1_000_000


@pytest.mark.parametrize(("trouble", "served"), [("", True), ("no-broker", False)])
def test_queue_is_served_only_by_workers_that_take_messages(
    db: None, trouble: str, served: bool
) -> None:
    HeartbeatFactory(queues="io", facts={"trouble": trouble})
    assert heartbeat.is_served("io") is served
    assert heartbeat.is_served("cpu") is False
