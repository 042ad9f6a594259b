"""What the page says, compared with the truth in each second: false for no longer than documented.

A simulated clock runs; processes write what they write at their intervals, and end or fail.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings

from careers.applications.sentences import to_facts
from careers.backoffice import polling
from careers.operations import (
    findings,
    health,
    heartbeat,
    probes,
    schedule,
    sweeper,
    worker_heartbeat,
)
from careers.operations.heartbeat import GONE_AFTER, INTERVAL
from careers.operations.models import Finding, Heartbeat
from careers.operations.worker_heartbeat import STALLED_AFTER, Beats
from careers.pipeline import broker
from careersite.settings import env

pytestmark = pytest.mark.django_db

START = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
#: Seconds between two polls of the page, and those for which the broker may keep a sweeper waiting.
POLL = int(
    re.findall(
        r'data-live-seconds="(\d+)"',
        (env.ROOT / "templates/careers/backoffice/task_list.html").read_text("utf-8"),
    )[0]
)
GONE = int(GONE_AFTER.total_seconds())
ASKED = int(broker.TIMEOUTS["socket_connect_timeout"] * 2 * (1 + broker.TIMEOUTS["max_retries"]))
SWEEP = int(settings.PIPELINE_SWEEP_INTERVAL)
#: The table of docs/operations.md, from the constants of the code.
WITHIN = {
    "a process stopped in order, or started": POLL,
    "a worker, the sweeper, the scheduler or Flower was killed": GONE + POLL,
    "a worker lost its connection to the broker": INTERVAL + POLL,
    "a worker hangs": int(STALLED_AFTER) + INTERVAL + POLL,
    "the broker stopped answering, or answers again": SWEEP + ASKED + POLL,
    "a worker has connected to the broker again": INTERVAL + POLL,
    "the sweeper has taken over": polling.OLDEST + POLL,
    "archive, mail server, virus scanner or database failed, or work again": (
        settings.PIPELINE_PROBE_INTERVAL + probes.PATIENCE + SWEEP + POLL
    ),
    "a step changed its state": POLL,
    "a step has been ready for five minutes": polling.OLDEST + POLL,
    "a scheduled task failed": POLL,
    "the worker of a scheduled task was killed": (
        int(schedule.LATE.total_seconds()) + sweeper.LOOK_EVERY + POLL
    ),
    "the numbers of an open alert changed": sweeper.LOOK_EVERY + polling.OLDEST + POLL,
}


def test_documented_times_are_those_of_the_code() -> None:
    manual = (env.ROOT / "docs" / "operations.md").read_text("utf-8")
    section = manual.partition("### How soon the page knows")[2].partition("\n## ")[0]
    documented = {
        what: int(number) for what, number in re.findall(r"^\| (.+?) \| (\d+) s", section, re.M)
    }
    assert documented == WITHIN


class Clock:
    """The seconds since the start, as every module reads them."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> dt.datetime:
        return START + dt.timedelta(seconds=self.seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    for module in (health, heartbeat, findings, worker_heartbeat):
        monkeypatch.setattr(module, "db_now", made.now)
    monotonic = SimpleNamespace(monotonic=lambda: made.seconds, sleep=None)
    monkeypatch.setattr(worker_heartbeat, "time", monotonic)
    return made


def false_for(
    clock: Clock,
    acts: dict[int, Callable[[], None]],
    says: Callable[[health.Health], bool],
    at: int,
    until: int,
) -> int:
    """For how many seconds the page says something else after ``at``.

    Args:
        acts: by second, what the processes do; each second is acted before it is read.
        says: whether the page says what is true from ``at`` on.
    """
    wrong = 0
    for second in range(until):
        clock.seconds = second
        if second in acts:
            acts[second]()
        if second >= at and not says(health.check()):
            wrong = second - at + 1
    return wrong


def every(interval: int, act: Callable[[], None], *, until: int) -> dict[int, Callable[[], None]]:
    return dict.fromkeys(range(0, until, interval), act)


@pytest.mark.parametrize("killed", [20, 21, 29])
def test_killed_process_is_missed_in_time(clock: Clock, killed: int) -> None:
    acts = every(INTERVAL, lambda: heartbeat.beat("worker", "all@a", queues="cpu,io"), until=killed)
    wrong = false_for(clock, acts, lambda found: not found.workers, killed, killed + 50)
    assert 0 < wrong + POLL <= WITHIN["a worker, the sweeper, the scheduler or Flower was killed"]
    assert [row.name for row in health.check().processes.gone] == ["all@a"]


class Worker:
    """A worker whose connection and loop the test controls."""

    def __init__(self) -> None:
        self.hostname = "all@a"
        self.app = SimpleNamespace(
            amqp=SimpleNamespace(queues=SimpleNamespace(consume_from=("cpu", "io")))
        )
        self.consumer = SimpleNamespace(connection=object())


def test_worker_without_broker_and_back_is_told_in_time(clock: Clock) -> None:
    worker = Worker()
    beats = Beats(worker)

    def cut() -> None:
        worker.consumer.connection = None

    def connect() -> None:
        worker.consumer.connection = object()

    acts = every(INTERVAL, beats.write, until=100) | {11: cut, 51: connect}
    lost = false_for(clock, acts, lambda found: bool(found.processes.cut_off), 11, 40)
    assert lost + POLL <= WITHIN["a worker lost its connection to the broker"]
    back = false_for(clock, acts, lambda found: not found.processes.cut_off, 51, 90)
    assert back + POLL <= WITHIN["a worker has connected to the broker again"]
    # All the time it is said to run.
    assert [row.name for row in health.check().workers] == ["all@a"]


def test_worker_that_hangs_is_told_in_time(clock: Clock) -> None:
    beats = Beats(Worker())

    def turns() -> None:
        beats.turned()
        if clock.seconds % INTERVAL == 0:
            beats.write()

    acts = every(2, turns, until=23) | every(INTERVAL, beats.write, until=90)
    acts |= dict.fromkeys(range(0, 23, 2), turns)

    def says(found: health.Health) -> bool:
        return "worker-stalled" in [one.code for one in found.faults]

    wrong = false_for(clock, acts, says, 23, 89)
    assert wrong + POLL <= WITHIN["a worker hangs"]


@pytest.mark.parametrize("ends_with_sweeper", [False, True])
def test_broker_is_told_in_time_and_forgotten_with_its_sweeper(
    clock: Clock, ends_with_sweeper: bool
) -> None:
    down = [False]

    def round_of_sweeper() -> None:
        heartbeat.beat("sweeper", "a:1")
        facts = {"cause": to_facts("It is down.")}
        found = [Finding(code="broker", severity="critical", facts=facts)] if down[0] else []
        findings.report("sweeper:a:1", found, lasts=findings.PROCESS)

    def says_broker(found: health.Health) -> bool:
        return bool(found.broker_error)

    last = 61 if ends_with_sweeper else 200
    acts: dict[int, Any] = every(SWEEP, round_of_sweeper, until=last)
    # A second before the sweeper's next round is the worst moment.
    acts |= {11: lambda: down.__setitem__(0, True), 61: lambda: down.__setitem__(0, False)}
    fails = false_for(clock, acts, says_broker, 11, 60)
    assert fails + ASKED + POLL <= WITHIN["the broker stopped answering, or answers again"]
    returns = false_for(clock, acts, lambda found: not found.broker_error, 61, 140)
    if ends_with_sweeper:
        assert returns <= GONE
        assert health.check().broker_error is None
    else:
        assert returns + ASKED + POLL <= WITHIN["the broker stopped answering, or answers again"]


def test_process_that_stops_in_order_is_gone_at_once(clock: Clock) -> None:
    heartbeat.begin("worker", "all@a", queues="cpu,io")
    assert health.check().workers
    heartbeat.end(Heartbeat.Kind.WORKER, "all@a")
    found = health.check()
    assert (found.workers, found.processes.gone) == ([], [])
