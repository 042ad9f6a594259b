"""The broker of tests that have none."""

from __future__ import annotations


class Broker:
    """Notes each message, or refuses it like a broker that is down."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str, int]] = []
        self.refuses = False

    def publish(self, task: str, queue: str, step_id: int, task_id: str) -> None:
        if self.refuses:
            raise ConnectionRefusedError
        self.messages.append((task, queue, step_id))

    @property
    def dispatched(self) -> list[int]:
        """The steps of all messages, in order."""
        return [step_id for _task, _queue, step_id in self.messages]
