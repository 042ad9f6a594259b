"""Messages are published after the answer, by a thread that holds up nobody."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from careers.pipeline import dispatch, publisher
from careers.pipeline.dispatch import Message
from careers.pipeline.publisher import PLACES, Publisher

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


def test_put_leaves_messages_to_the_sweeper_when_too_many_wait(slow: SlowBroker) -> None:
    publisher = Publisher()
    publisher.put([MESSAGE])
    slow.was_asked.wait(60)
    for _number in range(PLACES + 5):
        publisher.put([MESSAGE])
    slow.may_answer.set()
    while len(slow.taken) < PLACES + 1:
        pass
    assert len(slow.taken) == PLACES + 1


def test_end_without_messages_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "LAST_SECONDS", 0)
    Publisher().end()
