"""One fault of a service is one finding, one group and one alert."""

from __future__ import annotations

import ast
import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from careers.applications.sentences import to_facts
from careers.operations import alerts, causes, findings, health
from careers.operations.models import Finding
from careers.pipeline.models import Alert
from careersite.settings import env
from tests.support.factories import HeartbeatFactory, StepFactory

pytestmark = pytest.mark.django_db

FORBIDDEN = "The archive refused access."
SILENT = {"silent": "archive"}


def alive() -> None:
    HeartbeatFactory()
    HeartbeatFactory(sweeper=True)
    HeartbeatFactory(scheduler=True)


def report(source: str, code: str, severity: str = "critical", **facts: Any) -> None:
    found = [Finding(code=code, severity=severity, facts=facts or {"cause": to_facts(FORBIDDEN)})]
    findings.report(source, found, lasts=findings.PROCESS)


def codes() -> list[str]:
    return [one.code for one in health.check(broker_error="").faults]


def test_two_answers_of_one_service_are_one_finding(db: None) -> None:
    alive()
    report("sweeper:a", "archive-forbidden")
    report("sweeper:b", "archive-unavailable", "warning", **SILENT)
    report("sweeper:c", "archive-key")
    assert codes() == ["archive-key"]


def test_faults_of_two_services_and_other_findings_stay(db: None) -> None:
    alive()
    report("sweeper:a", "archive-forbidden")
    report("sweeper:b", "mail-login")
    report("schedule:x", "archive-lost", count=1)
    assert sorted(codes()) == ["archive-forbidden", "archive-lost", "mail-login"]


def test_every_error_of_a_service_belongs_to_it() -> None:
    """What a probe can raise is in the table."""
    raised = set()
    for package in ("archive", "scanning", "notifications"):
        for path in (env.ROOT / "careers" / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Name)
                    and node.func.id == "Misconfigured"
                    and isinstance(node.args[0], ast.Constant)
                ):
                    raised.add(node.args[0].value)
    assert {code for code in raised if not causes.service_of(str(code))} == set()


def test_fault_and_the_steps_that_wait_for_it_are_one_alert(
    bare_job: Any, monkeypatch: pytest.MonkeyPatch, home: Any
) -> None:
    alive()
    now = timezone.now()
    monkeypatch.setattr(alerts, "db_now", lambda: now)
    report("sweeper:a", "archive-forbidden")
    step = StepFactory(application__page=bare_job, kind="archive", misconfigured=True)
    type(step).objects.filter(pk=step.pk).update(error_code="archive-key")
    alerts.update_alerts("sweeper")
    now += dt.timedelta(minutes=3)
    alerts.update_alerts("sweeper")
    assert [one.code for one in Alert.objects.exclude(mailed_at=None)] == [
        "needs-attention.archive.archive-key"
    ]


def test_fault_that_was_mailed_first_stays_the_only_alert(
    bare_job: Any, monkeypatch: pytest.MonkeyPatch, home: Any
) -> None:
    alive()
    now = timezone.now()
    monkeypatch.setattr(alerts, "db_now", lambda: now)
    report("sweeper:a", "archive-key")
    alerts.update_alerts("sweeper")
    now += dt.timedelta(minutes=3)
    alerts.update_alerts("sweeper")
    step = StepFactory(application__page=bare_job, kind="archive", misconfigured=True)
    type(step).objects.filter(pk=step.pk).update(error_code="archive-key")
    alerts.update_alerts("sweeper")
    assert [one.code for one in Alert.objects.exclude(mailed_at=None)] == ["archive-key"]
    assert Alert.objects.filter(closed_at=None).count() == 1
