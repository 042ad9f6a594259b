"""Dispatch may fail: without a broker no step is lost and no request is delayed."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from redis import Redis
from redis.client import Pipeline

from careers.pipeline import broker as broker_module
from careers.pipeline import dispatch
from careers.pipeline.dispatch import Message
from careers.pipeline.models import Step
from careers.pipeline.states import State
from tests.support.broker import Broker
from tests.support.factories import StepFactory
from tests.support.processes import Process, until
from tests.support.servers import HOST, reserve_port
from tests.support.speed import patient
from tests.support.stack import ROOT

pytestmark = pytest.mark.django_db

#: ``tests.conftest`` gives tests another one.
PUBLISH = dispatch._publish


@pytest.fixture
def steps(application: Any) -> list[Step]:
    return [
        StepFactory(application=application, kind=kind, queued=True, events=False)
        for kind in ("render_pdf", "mail_applicant")
    ]


def test_dispatch_publishes_to_each_queue_and_marks_the_row(
    steps: list[Step], broker: Broker
) -> None:
    assert dispatch.dispatch_steps([step.pk for step in steps], actor="intake") == 2
    assert broker.messages == [
        ("careers.render_pdf", "cpu", steps[0].pk),
        ("careers.mail_applicant", "io", steps[1].pk),
    ]
    steps[0].refresh_from_db()
    assert (steps[0].state, steps[0].dispatches) == (State.SENT, 1)
    assert steps[0].dispatched_at is not None
    assert len(steps[0].celery_task_id) == 36


def test_dispatch_of_a_step_that_is_not_queued_publishes_nothing(
    steps: list[Step], broker: Broker
) -> None:
    Step.objects.update(state=State.STARTED)
    assert dispatch.dispatch_steps([step.pk for step in steps]) == 0
    assert dispatch.dispatch_steps([424242]) == 0
    assert broker.messages == []


def test_refused_message_leaves_the_row_queued(steps: list[Step], broker: Broker) -> None:
    broker.refuses = True
    assert dispatch.dispatch_steps([step.pk for step in steps]) == 0
    assert set(Step.objects.values_list("state", flat=True)) == {State.QUEUED}
    last = steps[0].events.last()
    assert last is not None
    assert last.reason == "The message broker did not accept the message."
    assert [event.to_state for event in steps[1].events.all()] == [State.SENT, State.QUEUED]


def test_dead_broker_is_not_tried_again_for_ten_seconds(steps: list[Step], broker: Broker) -> None:
    broker.refuses = True
    dispatch.dispatch_steps([steps[0].pk])
    broker.refuses = False
    assert dispatch.dispatch_steps([steps[1].pk]) == 0
    assert dispatch.dispatch_steps([steps[1].pk], insist=True) == 1
    assert dispatch.dispatch_steps([steps[0].pk]) == 1


def test_failed_publish_does_not_take_back_a_started_step(
    steps: list[Step], monkeypatch: Any
) -> None:
    def fast_worker(messages: Sequence[Message]) -> None:
        Step.objects.filter(pk=messages[0].step_id).update(state=State.STARTED)
        raise ConnectionResetError

    monkeypatch.setattr(dispatch, "_publish", fast_worker)
    dispatch.dispatch_steps([steps[0].pk])
    steps[0].refresh_from_db()
    assert steps[0].state == State.STARTED


@pytest.fixture
def closed_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker's address leads nowhere."""
    monkeypatch.setattr(
        current_app.conf, "broker_url", f"redis://127.0.0.1:{reserve_port()}/0", raising=False
    )
    monkeypatch.setattr(broker_module, "_connection", None)


def test_broker_error_names_a_dead_broker_quickly(closed_port: None) -> None:
    begun = time.monotonic()
    assert broker_module.broker_error() == (
        "Nothing listens at the message broker's address. Start it, or correct host and port "
        "in REDIS_URL."
    )
    assert broker_module.queue_length("io") == 0
    assert time.monotonic() - begun < patient(5)


@pytest.fixture
def valkey(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Redis]:
    """The embedded broker, at our broker's address."""
    port = reserve_port()
    program = ROOT / "site" / "careersite" / "embedded" / "broker.py"
    process = Process(
        "broker",
        [sys.executable, "-P", str(program), str(tmp_path), str(port)],
        environ={**os.environ, "REDIS_PASSWORD": "secret"},
        log=tmp_path / "log",
    )
    process.start()
    monkeypatch.setattr(
        current_app.conf, "broker_url", f"redis://:secret@{HOST}:{port}/0", raising=False
    )
    monkeypatch.setattr(broker_module, "_connection", None)
    process.until(lambda: not broker_module.broker_error(), 60, "no broker")
    yield Redis(host=HOST, port=port, password="secret")
    process.kill()


def test_publish_takes_one_round_trip_and_survives_a_closed_connection(
    steps: list[Step], valkey: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "_publish", PUBLISH)
    messages = [Message(step.pk, step.kind, "t") for step in steps]
    sent: list[int] = []
    execute = Pipeline.execute

    def count(pipeline: Any, **options: Any) -> Any:
        sent.append(len(pipeline))
        return execute(pipeline, **options)

    assert dispatch.publish(messages) == 2  # it also declares the queues
    with monkeypatch.context() as counting:
        counting.setattr(Pipeline, "execute", count)
        assert dispatch.publish(messages) == 2
    # Each message, and its event for Flower.
    assert sent == [4]
    valkey.client_kill_filter(skipme=True)
    assert dispatch.publish(messages) == 2
    assert [valkey.llen(f"careers:{queue}") for queue in ("cpu", "io")] == [3, 3]


def test_broker_error_names_a_broker_that_accepts_no_writes(valkey: Redis) -> None:
    """After a failover it may be a read-only copy, or its memory is full."""
    valkey.execute_command("REPLICAOF", HOST, str(reserve_port()))
    until(broker_module.broker_error, 60, "the broker still answers")
    assert broker_module.broker_error() == (
        "The message broker is a read-only copy of another one. Name that one in REDIS_URL, or "
        "make this one the primary."
    )
    valkey.execute_command("REPLICAOF", "NO", "ONE")
    assert broker_module.broker_error() == ""
    valkey.config_set("maxmemory", "1")
    assert broker_module.broker_error() == (
        "The message broker's memory is full. Raise its maxmemory, and check what else is stored "
        "in it."
    )
    assert valkey.ping()
