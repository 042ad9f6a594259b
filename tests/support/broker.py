"""The broker of tests that have none."""

from __future__ import annotations

from collections.abc import Sequence

from careers.pipeline import registry
from careers.pipeline.dispatch import Message


class Broker:
    """Notes each message, or refuses it like a broker that is down."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str, int]] = []
        self.refuses = False

    def publish(self, messages: Sequence[Message]) -> None:
        if self.refuses:
            raise ConnectionRefusedError
        for message in messages:
            step = registry.REGISTERED[message.kind]
            self.messages.append((step.task_name, step.queue, message.step_id))

    @property
    def dispatched(self) -> list[int]:
        """The steps of all messages, in order."""
        return [step_id for _task, _queue, step_id in self.messages]
