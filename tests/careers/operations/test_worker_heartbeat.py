"""The heartbeat of a Celery worker, which goes on while its event loop does not."""

from __future__ import annotations

import os
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connection

from careers.operations import worker_heartbeat
from careers.operations.models import Finding, Heartbeat
from careers.operations.worker_heartbeat import STALLED_AFTER, Beats, WorkerHeartbeat, guard_forks

pytestmark = pytest.mark.django_db


class Worker:
    """The worker as its heartbeat sees it."""

    def __init__(self, *queues: str) -> None:
        self.hostname = "w@host"
        consumed = SimpleNamespace(consume_from=queues)
        self.app = SimpleNamespace(amqp=SimpleNamespace(queues=consumed))
        self.consumer = SimpleNamespace(connection=object())
        self.timer, self.timers = self, list[Any]()

    def call_repeatedly(self, _interval: float, call: Any) -> None:
        self.timers.append(call)


def trouble() -> str:
    return str(Heartbeat.objects.get().facts["trouble"])


def test_heartbeat_names_queues_host_and_owner(db: None) -> None:
    Beats(Worker("io", "cpu")).write()
    row = Heartbeat.objects.get()
    assert (row.kind, row.name, row.queues) == ("worker", "w@host", "cpu,io")
    assert row.facts["owner"].startswith("worker:")
    assert {"host", "pid", "version", "memory", "trouble", "lost"} <= row.facts.keys()


def test_worker_without_connection_is_alive_and_says_so(db: None) -> None:
    worker = Worker("io")
    beats = Beats(worker)
    worker.consumer.connection = None
    beats.write()
    # It has not connected for the first time yet.
    assert trouble() == ""
    beats.write()
    assert trouble() == "no-broker"
    since = Heartbeat.objects.get().facts["trouble_since"]
    beats.write()
    assert Heartbeat.objects.get().facts["trouble_since"] == since
    worker.consumer.connection = object()
    beats.write()
    assert trouble() == ""


def test_heartbeat_goes_on_after_broker_and_database_failed_together(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the machine of both restarts."""
    worker = Worker("io")
    beats = Beats(worker)
    beats.write()
    worker.consumer.connection = None

    def fail() -> None:
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(connection, "close", lambda: None)
        patch.setattr(worker_heartbeat, "db_now", fail)
        patch.setattr(beats.ended, "wait", lambda _seconds: beats.ended.set())
        beats.run()
    assert beats.ended.is_set()
    beats.write()
    assert trouble() == "no-broker"
    assert Heartbeat.objects.get().facts["trouble_since"]


def test_worker_whose_loop_hangs_is_stalled(db: None) -> None:
    beats = Beats(Worker("io"))
    beats.write()
    beats.turned_at -= STALLED_AFTER + 1
    beats.write()
    assert trouble() == "stalled"
    beats.turned()
    beats.write()
    assert trouble() == ""


def test_worker_that_stops_in_order_leaves_no_row(
    db: None, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    ends: list[float] = []
    monkeypatch.setattr(worker_heartbeat, "end_after", ends.append)
    # Another thread would not see this test's transaction.
    monkeypatch.setattr(Beats, "run", Beats.write)
    monkeypatch.setattr(threading.Thread, "start", threading.Thread.run)
    monkeypatch.setattr(worker_heartbeat, "guard_forks", lambda lock: None)
    worker, part = Worker("io"), WorkerHeartbeat.__new__(WorkerHeartbeat)
    part.start(worker)
    assert (worker.timers, Heartbeat.objects.count()) == ([part.beats.turned], 1)
    part.terminate(worker)
    assert (ends, Heartbeat.objects.count()) == ([settings.PIPELINE_LEASE], 0)
    assert part.beats.ended.is_set()


def test_stop_waits_for_a_beat_that_is_being_written_but_not_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_heartbeat, "PATIENCE", 0.01)
    beats = Beats(Worker("io"))
    with beats.writing:
        beats.stop()
    assert beats.ended.is_set()


def test_fork_waits_for_a_beat_that_is_being_written(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: dict[str, Any] = {}
    monkeypatch.setattr(os, "register_at_fork", lambda **given: hooks.update(given))
    writing = threading.Lock()
    guard_forks(writing)
    hooks["before"]()
    assert writing.locked()
    hooks["after_in_parent"]()
    assert not writing.locked()


@pytest.mark.parametrize(("queue", "codes"), [("cpu", ["fonts"]), ("io", [])])
def test_worker_that_makes_pdfs_reports_missing_fonts(
    db: None, monkeypatch: pytest.MonkeyPatch, queue: str, codes: list[str]
) -> None:
    monkeypatch.setattr(worker_heartbeat, "missing_scripts", lambda: ["thai"])
    Beats(Worker(queue)).write()
    assert [row.code for row in Finding.objects.all()] == codes
