"""Health: the stored findings, those that are derived, and their sentences."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from careers.operations import findings, health
from careers.operations.models import Finding, Severity
from careers.pipeline import registry
from careers.pipeline.states import State
from careers.pipeline.transitions import move
from tests.support import people
from tests.support.factories import ApplicationFactory, HeartbeatFactory, StepFactory

pytestmark = pytest.mark.django_db

SAFE = "Applications are stored and safe."


def shown(found: health.Health) -> list[tuple[str, str, str, str]]:
    """Code, level, message and action of each finding."""
    return [(one.code, one.level, one.message, one.action) for one in found.findings]


def reported(code: str, severity: str, source: str = "process", **facts: Any) -> None:
    """A process reports one finding."""
    finding = Finding(code=code, severity=severity, facts=facts)
    findings.report(source, [finding], lasts=findings.PROCESS)


@pytest.fixture
def ticking(db: None) -> None:
    """The scheduler runs, and an operator has an address."""
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


def test_idle_pipeline_has_no_findings(alive: None) -> None:
    found = health.check()
    assert (found.ok, found.sentence) == (True, "All is well. Nothing is waiting.")


def test_running_and_queued_steps_are_counted_in_the_sentence(alive: None, step: Any) -> None:
    step(queued=True, state_since=just_now())
    assert health.check().sentence == "All is well. 1 step is under way."
    step(started=True)
    found = health.check()
    assert found.sentence == "All is well. 2 steps are under way."
    assert (found.waiting, found.running) == (1, 1)


def test_broker_error_is_the_sentence(alive: None) -> None:
    found = health.check(broker_error="Nothing listens there. Start it.")
    assert shown(found) == [
        (
            "broker",
            "critical",
            "Nothing listens there. Start it.",
            f"{SAFE} If the outage lasts, the sweeper does the work itself.",
        )
    ]
    assert found.sentence == found.findings[0].message


def test_broker_error_is_taken_from_the_sweepers_report(alive: None) -> None:
    reported("broker", "critical", cause={"sentence": "TimeoutError", "values": {}})
    assert health.check().broker_error == "TimeoutError"
    assert health.check(broker_error="").ok is True


def test_finding_of_two_sources_is_shown_once(alive: None) -> None:
    cause = {"sentence": "The mail server refused the login.", "values": {}}
    for source in ("sweeper:a", "sweeper:b"):
        found = [
            Finding(code="archive-overwrites", severity=Severity.ADVICE),
            Finding(code="mail-login", severity=Severity.CRITICAL, facts={"cause": cause}),
        ]
        findings.report(source, found, lasts=findings.PROCESS)
    found = health.check()
    assert [one.code for one in found.findings] == ["mail-login", "archive-overwrites"]
    assert [one.code for one in found.faults] == ["mail-login"]
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
def test_disk_is_reported_when_nearly_full_and_when_full(
    alive: None, free: int, total: int, code: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(free=free, total=total)
    monkeypatch.setattr(health.shutil, "disk_usage", lambda _path: usage)
    assert [found.code for found in health.check().findings] == code


def test_missing_worker_and_sweeper_are_critical(ticking: None) -> None:
    assert shown(health.check()) == [
        (
            "no-worker",
            "critical",
            f"No worker is running. No application is waiting. {SAFE}",
            "Start the workers. They then do the waiting work. Their logs show why they ended.",
        ),
        (
            "no-sweeper",
            "critical",
            f"The sweeper is not running: lost messages are not noticed. {SAFE}",
            "Start manage.py pipeline_sweep.",
        ),
    ]


def test_process_without_heartbeat_counts_as_gone(db: None) -> None:
    HeartbeatFactory(seen_at=timezone.now() - dt.timedelta(seconds=36))
    HeartbeatFactory(sweeper=True, seen_at=timezone.now() - dt.timedelta(seconds=34))
    found = health.check()
    assert (len(found.workers), len(found.sweepers)) == (0, 1)


def test_queue_without_worker_is_reported(ticking: None) -> None:
    HeartbeatFactory(queues="io")
    HeartbeatFactory(sweeper=True)
    assert shown(health.check()) == [
        (
            "queue-unserved",
            "critical",
            f"No worker serves the queue cpu. No application is waiting. {SAFE}",
            "Start a worker for it with -Q.",
        )
    ]


def test_queue_of_a_registered_step_without_worker_is_reported(
    alive: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "REGISTERED", dict(registry.REGISTERED))
    registry.register(
        registry.StepDefinition(
            kind="check",
            label="Check",
            short_label="Check",
            effect=lambda *_: registry.Outcome(),
            queue="checks",
        )
    )
    (finding,) = health.check(broker_error="").faults
    assert (finding.code, finding.facts["queues"]) == ("queue-unserved", ["checks"])


def test_health_with_queues_shared_by_two_workers_is_ok(ticking: None) -> None:
    HeartbeatFactory(queues="io")
    HeartbeatFactory(queues="cpu")
    HeartbeatFactory(sweeper=True)
    assert health.check().ok is True


def test_redispatched_step_keeps_its_age(alive: None, step: Any) -> None:
    made = step(sent=True, ready_at=timezone.now() - dt.timedelta(minutes=7, seconds=5))
    move(made.pk, State.QUEUED, leaving=[State.SENT], actor="sweeper")
    assert 425 <= (health.check().oldest_ready_seconds or 0) < 485


def test_step_after_its_pause_counts_as_ready_since_the_end_of_the_pause(
    alive: None, step: Any
) -> None:
    step(
        retrying=True,
        state_since=timezone.now() - dt.timedelta(hours=1),
        run_after=timezone.now() - dt.timedelta(seconds=2),
    )
    assert (health.check().oldest_ready_seconds or 99) < 60


def test_broker_is_not_ok_before_its_first_check(db: None) -> None:
    assert health.check().as_json()["broker"] == {"ok": False, "error": "not asked"}


def test_step_ready_for_minutes_is_a_warning(alive: None, step: Any) -> None:
    step(queued=True, state_since=timezone.now() - dt.timedelta(minutes=7, seconds=5))
    found = health.check()
    assert shown(found) == [
        (
            "oldest-step",
            "warning",
            "The oldest step has been ready for 7 minutes.",
            "Check whether the workers are busy or stuck.",
        )
    ]
    assert found.oldest_ready_seconds == pytest.approx(425, abs=5)


@pytest.mark.parametrize(
    "more", [{"waiting": None}, {"retrying": True}, {"started": True}, {"succeeded": True}]
)
def test_step_that_cannot_run_now_is_not_counted_as_ready(
    alive: None, more: Any, step: Any
) -> None:
    more = {key: value for key, value in more.items() if value}
    step(**more, state_since=timezone.now() - dt.timedelta(hours=1))
    assert health.check().oldest_ready_seconds is None


@pytest.mark.parametrize("trait", ["failed", "uncertain", "misconfigured"])
def test_step_that_needs_attention_is_counted(alive: None, trait: str, step: Any) -> None:
    step(**{trait: True})
    found = health.check()
    assert found.needs_attention == 1
    assert shown(found) == [
        (
            "needs-attention",
            "warning",
            "1 step needs attention.",
            "Open it: the page begins with the cause and what to do.",
        )
    ]


def test_missing_fonts_are_reported_as_advice_by_each_worker(alive: None) -> None:
    reported("fonts", "advice", "worker:a", scripts=["thai", "korean", "from later"])
    reported("fonts", "advice", "worker:b", scripts=["thai", "korean", "from later"])
    found = health.check()
    assert found.ok
    assert found.sentence == "All is well. Nothing is waiting."
    assert shown(found) == [
        (
            "fonts",
            "note",
            "PDFs show boxes for answers in Korean and Thai: a worker has no font for them.",
            (
                "If you expect such answers, run “apt-get install fonts-noto-cjk "
                "fonts-noto-core” where PDFs are made, and restart the workers of the queue cpu."
            ),
        )
    ]
    reported("fonts", "advice", "worker:b", scripts=["emoji"])
    assert len(health.check().findings) == 2


def test_steps_that_need_attention_are_counted_together(alive: None, step: Any) -> None:
    step(failed=True)
    step(uncertain=True)
    assert health.check().sentence == "2 steps need attention."


def test_json_has_the_documented_keys(alive: None, step: Any) -> None:
    step(kind="render_pdf", succeeded=True, state_since=just_now())
    step(kind="render_pdf", queued=True, state_since=just_now())
    report = json.loads(json.dumps(health.check(broker_error="").as_json()))
    assert report["applications"] == 2
    assert report["steps"] == {
        "render_pdf": {"queued": 1, "succeeded": 1},
        "archive": {},
        "mail_applicant": {},
        "mail_hr": {},
        "scan": {},
        "mail_infected": {},
        "mail_infected_hr": {},
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
        "flower",
        "broker",
        "findings",
    }


def test_check_takes_the_same_queries_for_any_number_of_steps(
    alive: None, django_assert_num_queries: Any, step: Any
) -> None:
    for _number in range(4):
        step(queued=True)
    with django_assert_num_queries(6):
        health.check(broker_error="")


def test_missing_operators_are_advice(alive: None, settings: Any) -> None:
    settings.CLAMAV_URL = "tcp://127.0.0.1:3310"
    findings.ask_hooks()
    assert health.check().findings == []
    get_user_model().objects.update(email="")
    findings.ask_hooks()
    found = health.check()
    assert ([finding.code for finding in found.findings], found.ok) == (["no-operators"], True)


@pytest.mark.parametrize("fault", ["unknown", "no-address", "no-scheme"])
def test_proxy_finding_names_the_address(alive: None, fault: str) -> None:
    reported(f"proxy-{fault}", "warning", address="10.0.0.9")
    (finding,) = health.check(broker_error="").findings
    assert finding.level == "warning"
    assert "10.0.0.9" in finding.message
