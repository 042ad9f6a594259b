"""The watchdog ends a worker that takes no messages while messages wait."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from celery import bootsteps

from careers.pipeline import watchdog
from careers.pipeline.watchdog import PATIENCE, Watchdog


class World:
    """A worker for ``io``, the broker, and the time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.monotonic()
        self.lengths = {"io": 0}
        self.active: list[object] = []
        self.ended = 0
        queues = SimpleNamespace(consume_from={"io": None})
        self.worker: Any = SimpleNamespace(
            app=SimpleNamespace(amqp=SimpleNamespace(queues=queues)),
            blueprint=SimpleNamespace(state=bootsteps.RUN),
        )
        monkeypatch.setattr(watchdog.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(watchdog.state, "active_requests", self.active)
        monkeypatch.setattr(watchdog.broker, "queue_length", lambda queue: self.lengths[queue])
        self.watchdog = Watchdog(self.worker, self.end)

    def end(self) -> None:
        self.ended += 1

    def passes(self, seconds: float) -> None:
        """Let time pass, with a check every few seconds."""
        until = self.now + seconds
        while self.now < until and not self.ended:
            self.now += watchdog.INTERVAL
            self.watchdog.check()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_watchdog_ends_a_worker_that_takes_no_waiting_messages(world: World) -> None:
    world.passes(3600)
    assert world.ended == 0
    world.lengths["io"] = 1
    world.passes(PATIENCE)
    assert world.ended == 0
    world.passes(2 * watchdog.INTERVAL)
    assert world.ended == 1


def test_watchdog_keeps_a_worker_without_waiting_messages(world: World) -> None:
    """A broker that does not answer counts as empty, too."""
    world.passes(10 * PATIENCE)
    assert world.ended == 0


def test_watchdog_keeps_a_busy_worker(world: World) -> None:
    world.lengths["io"] = 99
    world.active.append(SimpleNamespace(id="a long document"))
    world.passes(10 * PATIENCE)
    assert world.ended == 0


def test_watchdog_ends_a_worker_with_a_task_beyond_every_limit(world: World) -> None:
    """Its event loop hangs: it enforces no time limit and hears of no end."""
    world.lengths["io"] = 99
    world.active.append(SimpleNamespace(id="ended long ago"))
    world.passes(watchdog.LONGEST_TASK)
    assert world.ended == 0
    world.passes(PATIENCE + 2 * watchdog.INTERVAL)
    assert world.ended == 1


def test_watchdog_keeps_a_worker_with_one_task_after_another(world: World) -> None:
    world.lengths["io"] = 99
    for number in range(4):
        world.active[:] = [SimpleNamespace(id=str(number))]
        world.passes(watchdog.LONGEST_TASK / 2)
    assert world.ended == 0


def test_watchdog_keeps_a_worker_that_receives_messages(world: World) -> None:
    world.lengths["io"] = 99
    for _message in range(10):
        world.passes(PATIENCE / 2)
        world.watchdog.note_message()
    assert world.ended == 0


def test_watchdog_waits_the_full_time_again_after_a_message(world: World) -> None:
    world.lengths["io"] = 1
    world.passes(PATIENCE - watchdog.INTERVAL)
    world.watchdog.note_message()
    world.passes(PATIENCE - watchdog.INTERVAL)
    assert world.ended == 0
    world.passes(4 * watchdog.INTERVAL)
    assert world.ended == 1


def test_watchdog_ignores_a_queue_that_the_worker_no_longer_serves(world: World) -> None:
    world.lengths["io"] = 99
    world.worker.app.amqp.queues.consume_from.clear()
    world.passes(10 * PATIENCE)
    assert world.ended == 0


def test_watchdog_keeps_a_stopping_worker(world: World) -> None:
    world.lengths["io"] = 1
    world.worker.blueprint.state = bootsteps.TERMINATE
    world.passes(10 * PATIENCE)
    assert world.ended == 0
