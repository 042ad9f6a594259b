"""Heartbeats of the processes."""

from __future__ import annotations

import datetime as dt
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError, connection

from careers.operations import heartbeat
from careers.operations.heartbeat import WorkerHeartbeat, beat
from careers.operations.models import Finding, Heartbeat

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
    assert "no heartbeat written" in caplog.text


class Worker:
    """The worker as its heartbeat sees it."""

    def __init__(self, *queues: str) -> None:
        self.hostname = "w@host"
        consumed = SimpleNamespace(consume_from=queues)
        self.app = SimpleNamespace(amqp=SimpleNamespace(queues=consumed))
        self.timer, self.timers = self, list[tuple[float, Any]]()

    def call_repeatedly(self, interval: float, call: Any) -> None:
        self.timers.append((interval, call))


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A query in another thread would not see this test's transaction."""

    def ask(query: Any, _seconds: float) -> threading.Thread:
        query()
        return threading.Thread()

    monkeypatch.setattr(heartbeat, "wait_for", ask)


def test_worker_heartbeat_names_its_queues_until_it_stops(
    db: None, at_once: None, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    ends: list[float] = []
    monkeypatch.setattr(heartbeat, "end_after", ends.append)
    worker, part = Worker("io", "cpu"), WorkerHeartbeat.__new__(WorkerHeartbeat)
    part.start(worker)
    assert Heartbeat.objects.get().queues == "cpu,io"
    ((interval, call),) = worker.timers
    call()
    assert (interval, Heartbeat.objects.count()) == (10, 1)
    part.stop(worker)
    assert (ends, Heartbeat.objects.count()) == ([settings.PIPELINE_LEASE], 0)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite gives up by itself")
def test_heartbeat_with_a_silent_database_does_not_block_the_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers, asked = threading.Event(), list[str]()

    def silent(kind: str, name: str, **_facts: Any) -> None:
        asked.append(name)
        answers.wait(60)

    monkeypatch.setattr(heartbeat, "INTERVAL", 0.4)
    monkeypatch.setattr(heartbeat, "beat", silent)
    worker, part = Worker("io"), WorkerHeartbeat.__new__(WorkerHeartbeat)
    part.start(worker)
    ((_interval, call),) = worker.timers
    call()
    assert (asked, part.beating.is_alive()) == (["w@host"], True)
    answers.set()
    part.beating.join()
    call()
    assert asked == ["w@host"] * 2


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's locks are the server's")
def test_heartbeat_on_sqlite_ends_before_a_child_can_be_forked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A forked child would inherit SQLite's record of locks, but not the locks."""
    patience = list[int]()

    def slow(*_args: Any, **_facts: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout")
            time.sleep(0.5)
            patience.extend(cursor.fetchone())

    monkeypatch.setattr(heartbeat, "INTERVAL", 0.4)
    monkeypatch.setattr(heartbeat, "beat", slow)
    part = WorkerHeartbeat.__new__(WorkerHeartbeat)
    part.start(Worker("io"))
    assert (part.beating.is_alive(), patience) == (False, [100])


@pytest.mark.parametrize(("queue", "codes"), [("cpu", ["fonts"]), ("io", [])])
def test_worker_that_makes_pdfs_reports_missing_fonts_until_it_stops(
    db: None, at_once: None, monkeypatch: pytest.MonkeyPatch, queue: str, codes: list[str]
) -> None:
    monkeypatch.setattr(heartbeat, "missing_scripts", lambda: ["thai"])
    monkeypatch.setattr(heartbeat, "end_after", lambda seconds: None)
    worker, part = Worker(queue), WorkerHeartbeat.__new__(WorkerHeartbeat)
    part.start(worker)
    assert [row.code for row in Finding.objects.all()] == codes
    assert {row.facts["scripts"][0] for row in Finding.objects.all()} <= {"thai"}
    part.stop(worker)
    assert Finding.objects.count() == 0
