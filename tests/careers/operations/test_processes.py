"""What is said of the processes, compared with what they do."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from careers.applications.sentences import to_facts
from careers.operations import findings, health
from careers.operations.models import Finding, Heartbeat
from careers.operations.words import clock
from tests.support import people
from tests.support.factories import ApplicationFactory, HeartbeatFactory, StepFactory

pytestmark = pytest.mark.django_db

SAFE = "Applications are stored and safe."


@pytest.fixture(autouse=True)
def ticking(db: None) -> None:
    people.ada()
    HeartbeatFactory(scheduler=True)


def ago(**length: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(**length)


def worker(name: str, **more: Any) -> Heartbeat:
    made: Heartbeat = HeartbeatFactory(name=name, started_at=ago(hours=1), **more)
    return made


def sweeper(**facts: Any) -> Heartbeat:
    made: Heartbeat = HeartbeatFactory(sweeper=True, facts=facts)
    return made


def broker_is_down() -> None:
    facts = {"cause": to_facts("Nothing listens there. Start it.")}
    found = [Finding(code="broker", severity="critical", facts=facts)]
    findings.report("sweeper:a", found, lasts=findings.PROCESS)


def said() -> list[tuple[str, str]]:
    return [(one.message, one.action) for one in health.check().faults]


# ── The broker is down ──────────────────────────────────────────────────────────────────


def test_workers_that_connect_again_are_said_to_be_so_with_the_time_of_the_sweeper() -> None:
    for name in ("cpu@a", "io@a"):
        worker(name, facts={"trouble": "no-broker", "trouble_since": ago(minutes=1).isoformat()})
    at = timezone.now() + dt.timedelta(minutes=4)
    sweeper(takes_over_at=at.isoformat())
    broker_is_down()
    assert said() == [
        (
            "Nothing listens there. Start it. 2 workers can’t reach it and try again.",
            f"{SAFE} The work waits. The sweeper takes over at {clock(at)}.",
        )
    ]


def test_sweeper_that_has_taken_over_is_said_to_do_the_work() -> None:
    worker("all@a")
    at = ago(minutes=2)
    sweeper(takes_over_at=at.isoformat())
    broker_is_down()
    ((_message, action),) = said()
    assert action == f"{SAFE} Since {clock(at)} the sweeper does the work itself, more slowly."


def test_first_of_two_sweepers_takes_over() -> None:
    worker("all@a")
    soon, later = (timezone.now() + dt.timedelta(minutes=n) for n in (1, 4))
    sweeper(takes_over_at=later.isoformat())
    sweeper(takes_over_at=soon.isoformat())
    broker_is_down()
    assert f"takes over at {clock(soon)}." in said()[0][1]


def test_without_a_sweeper_nobody_is_said_to_take_over() -> None:
    worker("all@a")
    broker_is_down()
    assert "No sweeper is running, so the work waits." in said()[0][1]


def test_single_worker_without_connection_is_named() -> None:
    worker("cpu@a")
    worker("io@b", queues="io", facts={"trouble": "no-broker"})
    sweeper()
    ((message, action),) = said()
    assert message.startswith("The worker io@b has no connection to the broker and tries again.")
    assert "REDIS_URL" in action


# ── Workers that are lost ───────────────────────────────────────────────────────────────


def test_lost_worker_is_named_with_time_and_steps() -> None:
    seen = ago(minutes=2)
    worker("io@a")
    worker("io@b", seen_at=seen, facts={"ran": [1]})
    sweeper()
    found = health.check()
    assert [row.name for row in found.processes.gone] == ["io@b"]
    ((message, _action),) = said()
    assert message == (
        f"The worker io@b has given no sign of life since {clock(seen)} and did not stop in order. "
        f"The 1 step that it ran is taken back within three minutes. {SAFE}"
    )


def test_lost_worker_is_no_finding_once_another_does_its_work() -> None:
    worker("io@b", queues="io", seen_at=ago(minutes=2))
    HeartbeatFactory(name="all@c", started_at=ago(minutes=1))
    sweeper()
    assert said() == []
    assert [row.name for row in health.check().processes.gone] == ["io@b"]


def test_loss_of_all_workers_is_one_finding(bare_job: Any) -> None:
    for _number in range(3):
        StepFactory(application=ApplicationFactory(page=bare_job), queued=True, events=False)
    seen = ago(minutes=2)
    worker("all@a", seen_at=seen)
    sweeper()
    ((message, _action),) = said()
    assert message == (
        f"No worker is running. all@a was last seen at {clock(seen)}. 3 applications are waiting. "
        "They are stored and safe."
    )


def test_loss_of_the_only_worker_of_a_queue_is_one_finding() -> None:
    worker("cpu@a", queues="cpu")
    worker("io@a", queues="io", seen_at=ago(minutes=2))
    sweeper()
    (finding,) = health.check().faults
    assert finding.code == "queue-unserved"
    assert finding.message.startswith("No worker serves the queue io. io@a was last seen at ")


def test_stalled_worker_is_named() -> None:
    worker("all@a")
    since = ago(minutes=1)
    worker("io@a", facts={"trouble": "stalled", "trouble_since": since.isoformat()})
    sweeper()
    ((message, _action),) = said()
    assert message.startswith(
        f"The worker io@a has taken no message since {clock(since)}: its main loop hangs."
    )


def test_broker_that_hangs_is_one_finding() -> None:
    worker("all@a", facts={"trouble": "stalled", "trouble_since": ago(minutes=2).isoformat()})
    sweeper()
    broker_is_down()
    assert len(said()) == 1


@pytest.mark.parametrize(("ends", "codes"), [(2, []), (3, ["restarts.worker"])])
def test_process_that_ends_again_and_again_is_a_finding(ends: int, codes: list[str]) -> None:
    lost = [{"at": ago(minutes=n).isoformat(), "ran": []} for n in range(ends, 0, -1)]
    old = {"at": ago(hours=2).isoformat(), "ran": []}
    worker("all@a", facts={"lost": [old, *lost]})
    sweeper()
    found = health.check().faults
    assert [one.code for one in found] == codes
    assert all(f"{ends} times within an hour" in one.message for one in found)


# ── Flower ──────────────────────────────────────────────────────────────────────────────


def test_missing_flower_is_a_finding_only_where_one_ran() -> None:
    worker("all@a")
    sweeper()
    assert said() == []
    flower = HeartbeatFactory(kind="flower", name="flower@a", queues="")
    assert said() == []
    Heartbeat.objects.filter(pk=flower.pk).update(seen_at=ago(minutes=1))
    ((message, _action),) = said()
    assert message.startswith("Flower is not running.")
    assert message.endswith("Applications are not affected.")
