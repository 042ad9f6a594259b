"""Signs of life, and what a stopped worker hands back."""

from __future__ import annotations

import datetime as dt
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.models import QuerySet
from django.utils import timezone

from careers.operations import heartbeat
from careers.operations.heartbeat import WorkerHeartbeat, beat, hand_back, let_finish
from careers.operations.models import Finding
from careers.pipeline.models import Heartbeat, Step
from careers.pipeline.states import State
from careers.pipeline.tasks import owner
from tests.support.factories import StepFactory
from tests.support.speed import patient

pytestmark = pytest.mark.django_db


def test_beat_makes_one_row_and_moves_it_on(db: None) -> None:
    beat("worker", "w@host", queues="io")
    first = Heartbeat.objects.get()
    Heartbeat.objects.update(seen_at=first.seen_at - dt.timedelta(minutes=1))
    beat("worker", "w@host", queues="cpu,io", facts={"a": 1})
    again = Heartbeat.objects.get()
    assert (again.queues, again.facts) == ("cpu,io", {"a": 1})
    assert again.started_at == first.started_at
    assert again.seen_at >= first.seen_at


def test_beat_that_can_not_be_written_is_only_logged(db: None, caplog: Any) -> None:
    def broken(execute: Any, sql: str, *args: Any) -> Any:
        if "careers_heartbeat" in sql:
            raise DatabaseError("disk full")
        return execute(sql, *args)

    with connection.execute_wrapper(broken):
        beat("worker", "w@host")
    assert "no heartbeat written" in caplog.text


class Worker:
    """What a heartbeat knows of its worker."""

    def __init__(self, *queues: str) -> None:
        self.hostname = "w@host"
        consumed = SimpleNamespace(consume_from=queues)
        self.app = SimpleNamespace(amqp=SimpleNamespace(queues=consumed))
        self.timer, self.timers = self, list[tuple[float, Any]]()

    def call_repeatedly(self, interval: float, call: Any) -> None:
        self.timers.append((interval, call))


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked in a thread, the database would not see this test's transaction."""

    def ask(query: Any, _seconds: float) -> threading.Thread:
        query()
        return threading.Thread()

    monkeypatch.setattr(heartbeat, "_wait_for", ask)


def test_worker_says_which_queues_it_serves_until_it_stops(
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
def test_database_that_does_not_answer_does_not_hold_up_the_worker(
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
def test_no_child_is_forked_while_sqlite_is_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child would take over SQLite's notes of locks, and no lock. The query gives up itself."""
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


def test_stopped_worker_hands_back_only_what_it_held(application: Any) -> None:

    def held(by: str, recipient: str, **more: Any) -> Step:
        return StepFactory(
            application=application,
            kind="mail_hr",
            recipient=recipient,
            started=True,
            events=False,
            owner=by,
            **more,
        )

    mine = held(owner(), "a@x.org")
    may_have_been_sent = held(owner(), "b@x.org", phase="data")
    later = timezone.now() + dt.timedelta(hours=1)
    keyed = held(owner(), "d@x.org", phase="keyed", repeat_until=later)
    others = held("worker:other", "c@x.org")
    hand_back()
    states = [
        Step.objects.get(pk=step.pk).state for step in (mine, may_have_been_sent, keyed, others)
    ]
    assert states == [State.QUEUED, State.UNCERTAIN, State.RETRYING, State.STARTED]
    event = mine.events.get()
    assert (event.actor, event.reason) == (owner(), "Handed back: the worker was stopped.")


def test_a_worker_waits_for_what_its_children_hold(monkeypatch: Any) -> None:
    held = iter([True, True, False])
    looked: list[bool] = []

    def exists(_self: Any) -> bool:
        looked.append(next(held))
        return looked[-1]

    monkeypatch.setattr(QuerySet, "exists", exists)
    let_finish(10)
    assert looked == [True, True, False]


def test_a_worker_looks_again_when_the_database_does_not_tell(monkeypatch: Any) -> None:
    answers = iter([True, DatabaseError("too many clients"), True, False])
    looked = list[object]()

    def exists(_self: Any) -> bool:
        looked.append(answer := next(answers))
        if isinstance(answer, DatabaseError):
            raise answer
        return bool(answer)

    monkeypatch.setattr(QuerySet, "exists", exists)
    let_finish(10)
    assert len(looked) == 4


def test_a_worker_does_not_wait_for_ever(monkeypatch: Any) -> None:
    stop = threading.Event()
    monkeypatch.setattr(QuerySet, "exists", lambda _self: not stop.is_set())
    before = set(threading.enumerate())
    began = time.monotonic()
    let_finish(0.3)
    stop.set()
    for looking in set(threading.enumerate()) - before:
        looking.join()
    assert 0.3 <= time.monotonic() - began < patient(5)
