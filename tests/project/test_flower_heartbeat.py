"""Flower is watched like the other processes, and another program is not taken for it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from careers.operations import health
from careers.operations.models import Finding, Heartbeat
from careersite import flower_heartbeat
from careersite.flower_heartbeat import FlowerHeartbeat, is_free, serve

pytestmark = pytest.mark.django_db


@pytest.fixture
def stranger() -> Iterator[int]:
    """The port of a program that is not Flower."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        yield server.getsockname()[1]


@pytest.fixture(autouse=True)
def _keep_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's transaction is on it, and another thread would not see it."""
    monkeypatch.setattr(flower_heartbeat.connection, "close", lambda: None)
    monkeypatch.setattr(threading.Thread, "start", threading.Thread.run)
    monkeypatch.setattr(flower_heartbeat.atexit, "register", lambda call: None)


class Loop:
    """Tornado's loop, as far as the heartbeat uses it."""

    def __init__(self) -> None:
        self.callbacks: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

    def add_callback(self, call: Callable[..., Any], *given: Any) -> None:
        self.callbacks.append((call, given))

    def call_later(self, _seconds: float, call: Callable[..., Any], *given: Any) -> None: ...

    def start(self) -> None:
        for call, given in self.callbacks:
            call(*given)


def seen() -> str | None:
    answer: str | None = health.check().as_json()["flower"]["seen_at"]
    return answer


def faults() -> list[str]:
    codes = [one.code for one in health.check(broker_error="").faults]
    return [code for code in codes if "flower" in code]


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> FlowerHeartbeat:
    """A Flower that serves, and whose thread writes one heartbeat."""
    flower, loop = FlowerHeartbeat(), Loop()
    monkeypatch.setattr(flower.ended, "wait", lambda _seconds: flower.ended.set())
    flower.start(loop)
    assert seen() is None
    loop.start()
    return flower


def test_flower_that_serves_is_seen_until_it_stops(serving: FlowerHeartbeat) -> None:
    assert seen()
    assert faults() == []
    serving.stop()
    assert (seen(), faults()) == (None, [])


def test_flower_whose_loop_hangs_writes_no_heartbeat(
    serving: FlowerHeartbeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Heartbeat.objects.get().seen_at
    serving.ended.clear()
    serving.turned_at -= 60
    serving._run()
    assert Heartbeat.objects.get().seen_at == before


def test_flower_that_never_serves_is_a_crash_loop() -> None:
    for _start in range(4):
        FlowerHeartbeat().stop()
    assert seen() is None
    assert faults() == ["restarts.flower"]


def test_port_of_another_program_is_reported_and_named(
    stranger: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flower_heartbeat, "PATIENCE", 0)
    for _start in range(4):
        with pytest.raises(SystemExit, match=f"another program listens on its port {stranger}"):
            FlowerHeartbeat().claim("127.0.0.1", stranger)
    assert (seen(), faults()) == (None, ["flower-port"])


def test_port_finding_ends_when_flower_serves(stranger: int, serving: FlowerHeartbeat) -> None:
    assert not is_free("127.0.0.1", stranger)
    assert Finding.objects.count() == 0


def test_port_is_opened_only_after_it_was_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(FlowerHeartbeat, "claim", lambda self, *where: calls.append(where))
    loop = Loop()
    options = SimpleNamespace(address="127.0.0.1", port=5555)
    flower = SimpleNamespace(
        options=options, io_loop=loop, open_port=lambda: calls.append("open") or 5555
    )
    assert serve(flower) == 5555
    assert calls == [("127.0.0.1", 5555), "open"]
    assert len(loop.callbacks) == 1
