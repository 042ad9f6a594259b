"""What is wrong, in words, and what to do about it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from careers.operations import health, heartbeat
from careers.operations.health import Finding
from careers.pipeline.models import Heartbeat
from careers.pipeline.states import State
from careers.pipeline.transitions import db_now, move
from tests.support import people
from tests.support.factories import ApplicationFactory, HeartbeatFactory, StepFactory

pytestmark = pytest.mark.django_db

SAFE = "Applications are stored and safe."


@pytest.fixture
def ticking(db: None) -> None:
    """The clock ticks, and somebody hears of alarms."""
    people.ada()
    HeartbeatFactory(scheduler=True)


@pytest.fixture
def alive(ticking: None) -> None:
    HeartbeatFactory()
    HeartbeatFactory(sweeper=True)


@pytest.fixture
def step(bare_job: Any) -> Callable[..., Any]:
    """Makes a step of an application of its own."""
    return lambda **more: StepFactory(
        **{"application": ApplicationFactory(page=bare_job), "events": False} | more
    )


def just_now() -> dt.datetime:
    return timezone.now() - dt.timedelta(seconds=3)


def test_idle_pipeline_is_well(alive: None) -> None:
    found = health.check()
    assert (found.ok, found.sentence) == (True, "All is well. Nothing is waiting.")


def test_steps_on_their_way_are_no_trouble(alive: None, step: Any) -> None:
    step(queued=True, state_since=just_now())
    assert health.check().sentence == "All is well. 1 step is on its way."
    step(started=True)
    found = health.check()
    assert found.sentence == "All is well. 2 steps are on their way."
    assert (found.waiting, found.running) == (1, 1)


def test_dead_broker_is_named_first(alive: None) -> None:
    found = health.check(broker_error="Nothing listens there. Start it.")
    assert found.findings == [
        Finding(
            "broker",
            "critical",
            "Nothing listens there. Start it.",
            f"{SAFE} The sweeper works meanwhile.",
        )
    ]
    assert found.sentence == found.findings[0].message


def test_sweepers_word_about_the_broker_is_taken(ticking: None) -> None:
    HeartbeatFactory()
    HeartbeatFactory(sweeper=True, facts={"broker_error": "TimeoutError"})
    assert health.check().broker_error == "TimeoutError"
    assert health.check(broker_error="").ok is True


def test_what_the_sweepers_probes_found_is_shown_once(ticking: None) -> None:
    fault = Finding("mail-login", "critical", "The mail server refused the login.", "Correct it.")
    note = Finding("archive-overwrites", "note", "It would overwrite.", "Nothing to do.")
    HeartbeatFactory()
    for _host in range(2):
        probes = [asdict(fault), asdict(note)]
        HeartbeatFactory(sweeper=True, facts={"broker_error": "", "probes": probes})
    found = health.check()
    assert found.findings == [fault, note]
    assert found.faults == [fault]
    assert found.sentence == "The mail server refused the login."


@pytest.mark.parametrize(
    ("free", "total", "code"),
    [
        (60_000_000_000, 500_000_000_000, []),
        (400_000_000, 500_000_000_000, ["disk-low"]),
        # A small disk of its own that is nearly empty.
        (60_000_000, 64_000_000, []),
        (9_000_000, 500_000_000_000, ["disk-full"]),
        (0, 64_000_000, ["disk-full"]),
    ],
)
def test_disk_that_fills_up_is_named_before_and_when_it_is_full(
    alive: None, free: int, total: int, code: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(free=free, total=total)
    monkeypatch.setattr(health.shutil, "disk_usage", lambda _path: usage)
    assert [found.code for found in health.check().findings] == code


def test_nobody_there_is_said_with_what_to_start(ticking: None) -> None:
    assert health.check().findings == [
        Finding(
            "no-worker",
            "critical",
            f"No worker is running. {SAFE}",
            "Start the workers; what waits is done then.",
        ),
        Finding(
            "no-sweeper",
            "critical",
            f"The sweeper is not running: lost messages are not noticed. {SAFE}",
            "Start manage.py pipeline_sweep.",
        ),
    ]


def test_process_not_heard_of_for_a_while_counts_as_gone(db: None) -> None:
    HeartbeatFactory(seen_at=timezone.now() - dt.timedelta(seconds=36))
    HeartbeatFactory(sweeper=True, seen_at=timezone.now() - dt.timedelta(seconds=34))
    found = health.check()
    assert (len(found.workers), len(found.sweepers)) == (0, 1)


def test_queue_that_nobody_serves_is_named(ticking: None) -> None:
    HeartbeatFactory(queues="io")
    HeartbeatFactory(sweeper=True)
    assert health.check().findings == [
        Finding(
            "queue-unserved",
            "critical",
            f"No worker serves the queue cpu. {SAFE}",
            "Start a worker for it with -Q.",
        )
    ]


def test_two_workers_that_share_the_queues_are_enough(ticking: None) -> None:
    HeartbeatFactory(queues="io")
    HeartbeatFactory(queues="cpu")
    HeartbeatFactory(sweeper=True)
    assert health.check().ok is True


def test_step_that_was_rung_for_again_is_as_old_as_before(alive: None, step: Any) -> None:
    made = step(sent=True, ready_at=timezone.now() - dt.timedelta(minutes=7, seconds=5))
    move(made.pk, State.QUEUED, leaving=[State.SENT], actor="sweeper")
    assert 425 <= (health.check().oldest_ready_seconds or 0) < 485


def test_step_whose_pause_has_just_ended_is_young(alive: None, step: Any) -> None:
    step(
        retrying=True,
        state_since=timezone.now() - dt.timedelta(hours=1),
        run_after=timezone.now() - dt.timedelta(seconds=2),
    )
    assert (health.check().oldest_ready_seconds or 99) < 60


def test_broker_that_nobody_asked_is_not_said_to_be_well(db: None) -> None:
    assert health.check().as_json()["broker"] == {"ok": False, "error": "not asked"}


def test_step_that_is_ready_for_long_is_a_warning(alive: None, step: Any) -> None:
    step(queued=True, state_since=timezone.now() - dt.timedelta(minutes=7, seconds=5))
    found = health.check()
    assert found.findings == [
        Finding(
            "oldest-step",
            "warning",
            "The oldest step has been ready for 7 minutes.",
            "Look whether the workers are busy or stuck.",
        )
    ]
    assert found.oldest_ready_seconds == pytest.approx(425, abs=5)


@pytest.mark.parametrize(
    "more", [{"waiting": None}, {"retrying": True}, {"started": True}, {"succeeded": True}]
)
def test_step_that_need_not_run_now_is_never_stuck(alive: None, more: Any, step: Any) -> None:
    more = {key: value for key, value in more.items() if value}
    step(**more, state_since=timezone.now() - dt.timedelta(hours=1))
    assert health.check().oldest_ready_seconds is None


@pytest.mark.parametrize("trait", ["failed", "uncertain", "misconfigured"])
def test_step_that_needs_a_person_is_counted(alive: None, trait: str, step: Any) -> None:
    step(**{trait: True})
    found = health.check()
    assert found.needs_attention == 1
    assert found.findings == [
        Finding(
            "needs-attention",
            "warning",
            "1 step needs attention.",
            "Open it: the cause and what to do stand at the top.",
        )
    ]


def test_fonts_that_a_worker_lacks_are_a_note(alive: None) -> None:
    HeartbeatFactory(queues="cpu", facts={"missing_scripts": ["thai", "korean", "from later"]})
    found = health.check()
    assert found.ok
    assert found.findings == [
        Finding(
            "fonts",
            "note",
            "PDFs show boxes for answers in Korean, Thai: a worker has no font for them.",
            "If you expect such answers, run “apt-get install fonts-noto-cjk fonts-noto-core” "
            "where PDFs are made, and start the workers for the queue cpu again.",
        )
    ]


def test_note_is_shown_and_leaves_all_well(alive: None) -> None:
    found = health.check()
    found.findings.append(Finding("fonts", "note", "Some scripts show boxes in PDFs."))
    assert found.ok is True
    assert found.sentence == "All is well. Nothing is waiting."


def test_several_steps_that_need_a_person_are_counted_together(alive: None, step: Any) -> None:
    step(failed=True)
    step(uncertain=True)
    assert health.check().sentence == "2 steps need attention."


def test_report_for_machines_is_json_as_documented(alive: None, step: Any) -> None:
    step(kind="render_pdf", succeeded=True, state_since=just_now())
    step(kind="render_pdf", queued=True, state_since=just_now())
    report = json.loads(json.dumps(health.check(broker_error="").as_json()))
    assert report["applications"] == 2
    assert report["steps"] == {
        "render_pdf": {"queued": 1, "succeeded": 1},
        "archive": {},
        "mail_applicant": {},
        "mail_hr": {},
        "mail_operators": {},
    }
    assert report["broker"] == {"ok": True, "error": ""}
    assert [worker["queues"] for worker in report["workers"]] == [["cpu", "io"]]
    assert report["sweeper"]["seen_at"] is not None
    assert report["findings"] == []
    assert set(report) == {
        "at",
        "applications",
        "steps",
        "oldest_ready_seconds",
        "workers",
        "sweeper",
        "broker",
        "findings",
    }


def test_look_takes_the_same_few_queries_for_any_number_of_steps(
    alive: None, django_assert_num_queries: Any, step: Any
) -> None:
    for _number in range(4):
        step(queued=True)
    with django_assert_num_queries(10):
        health.check(broker_error="")


def test_nobody_to_tell_is_a_note_and_no_fault(alive: None) -> None:
    assert health.check().findings == []
    get_user_model().objects.update(email="")
    found = health.check()
    assert ([finding.code for finding in found.findings], found.ok) == (["no-operators"], True)


@pytest.mark.parametrize("fault", ["unknown", "no-address", "no-scheme"])
def test_proxy_that_the_web_server_complains_of_is_named(alive: None, fault: str) -> None:
    facts = {"proxy": fault, "address": "10.0.0.9"}
    heartbeat.beat(Heartbeat.Kind.WEB, f"host:{fault}", facts=facts)
    (finding,) = health.check(broker_error="").findings
    assert (finding.code, finding.level) == (f"proxy-{fault}", "warning")
    assert "10.0.0.9" in finding.message
    Heartbeat.objects.filter(kind=Heartbeat.Kind.WEB).update(
        seen_at=db_now() - heartbeat.WEB_GONE_AFTER
    )
    assert health.check(broker_error="").findings == []
