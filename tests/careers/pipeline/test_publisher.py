"""Messages are published after the answer, by a thread that holds up nobody."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.db import DatabaseError

from careers.pipeline import dispatch, publisher
from careers.pipeline.dispatch import Message
from careers.pipeline.publisher import PLACES, Publisher
from careers.pipeline.states import State
from tests.support.factories import StepFactory

MESSAGE = Message(1, "archive", "t")


class SlowBroker:
    """Takes messages only when the test lets it."""

    def __init__(self) -> None:
        self.taken: list[Message] = []
        self.may_answer, self.was_asked = threading.Event(), threading.Event()

    def publish(self, messages: Sequence[Message]) -> int:
        self.was_asked.set()
        self.may_answer.wait(60)
        self.taken += messages
        return len(messages)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowBroker]:
    monkeypatch.undo()  # the real ``put``
    broker = SlowBroker()
    monkeypatch.setattr(dispatch, "publish", broker.publish)
    yield broker
    broker.may_answer.set()


def test_put_returns_while_the_broker_hangs_and_messages_keep_their_order(slow: SlowBroker) -> None:
    publisher = Publisher()
    for number in range(3):
        publisher.put([MESSAGE._replace(step_id=number)])
    slow.was_asked.wait(60)
    assert slow.taken == []
    slow.may_answer.set()
    publisher.end()
    assert [message.step_id for message in slow.taken] == [0, 1, 2]


@pytest.mark.django_db
def test_steps_are_queued_again_at_once_when_too_many_wait(
    slow: SlowBroker, application: Any
) -> None:
    step = StepFactory(application=application, kind="archive", sent=True, celery_task_id="t")
    publisher = Publisher()
    publisher.put([MESSAGE])
    slow.was_asked.wait(60)
    for _number in range(PLACES):
        publisher.put([MESSAGE])
    publisher.put([Message(step.pk, "archive", "t")])
    slow.may_answer.set()
    publisher.end()
    assert slow.taken == [MESSAGE] * (PLACES + 1)
    step.refresh_from_db()
    assert step.state == State.QUEUED


@pytest.mark.django_db
def test_process_that_can_start_no_thread_queues_the_step_and_publishes_later(
    slow: SlowBroker, application: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow.may_answer.set()
    step = StepFactory(application=application, kind="archive", sent=True, celery_task_id="t")
    publisher = Publisher()

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", refuse)
        publisher.put([Message(step.pk, "archive", "t")])
        publisher.end()
    step.refresh_from_db()
    assert step.state == State.QUEUED
    publisher.put([MESSAGE])
    publisher.end()
    assert slow.taken == [MESSAGE]


def test_database_that_fails_too_is_no_error_of_the_answer(
    slow: SlowBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_messages: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(dispatch, "take_back", fail)
    publisher = Publisher()
    publisher.put([MESSAGE])
    slow.was_asked.wait(60)
    for _number in range(PLACES + 1):
        publisher.put([MESSAGE])
    slow.may_answer.set()
    publisher.end()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_thread_that_died_is_replaced(slow: SlowBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    slow.may_answer.set()
    publisher = Publisher()

    def die(_messages: object) -> None:
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(dispatch, "publish", die)
        publisher.put([MESSAGE])
        assert publisher._thread is not None
        publisher._thread.join(60)
    publisher.end()
    publisher.put([MESSAGE])
    publisher.end()
    assert slow.taken == [MESSAGE]


def test_error_of_the_database_connection_does_not_end_the_thread(
    slow: SlowBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def close(self) -> None:
            raise DatabaseError

    monkeypatch.setattr(publisher, "connection", Broken())
    slow.may_answer.set()
    ours = Publisher()
    ours.put([MESSAGE])
    ours.put([MESSAGE])
    ours.end()
    assert len(slow.taken) == 2


def test_end_without_messages_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "LAST_SECONDS", 0)
    Publisher().end()
