"""The pipeline's state for Prometheus."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import pytest
import yaml
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from careers.operations import findings, health, service_answers
from careers.operations.heartbeat import beat
from careers.operations.models import Finding, Heartbeat
from careers.pipeline import registry
from careers.pipeline.kinds import ARCHIVE
from careers.pipeline.states import State
from careersite.settings import env
from tests.support.factories import HeartbeatFactory, StepFactory

pytestmark = pytest.mark.django_db

HERE = {"host": "localhost"}


def scraped(client: Client, **headers: str) -> dict[str, dict[tuple[str, ...], float]]:
    """What Prometheus' own parser reads: name → label values → number."""
    response = client.get("/metrics", headers={**HERE, **headers})
    assert response.status_code == 200
    assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        family.name: {tuple(sample.labels.values()): sample.value for sample in family.samples}
        for family in text_string_to_metric_families(response.content.decode())
    }


def test_empty_site_has_every_metric(client: Client) -> None:
    found = scraped(client)
    assert found["careers_applications"] == {(): 0}
    assert len(found["careers_steps"]) == len(registry.kinds()) * len(State)
    assert set(found["careers_steps"].values()) == {0}
    assert found["careers_workers"] == {("cpu",): 0, ("io",): 0}
    assert found["careers_sweeper_seen_seconds"] == {}
    assert found["careers_finding"]["no-worker", "critical"] == 1


def test_steps_and_processes_are_counted(client: Client, job: Any) -> None:
    StepFactory(application__page=job, failed=True)
    StepFactory(application__page=job, succeeded=True, kind=ARCHIVE)
    beat(Heartbeat.Kind.WORKER, "io@a", queues="io")
    beat(Heartbeat.Kind.WORKER, "all@b", queues="cpu,io")
    beat(Heartbeat.Kind.SWEEPER, "sweeper@a")
    found = scraped(client)
    assert found["careers_applications"] == {(): 2}
    steps = {labels: number for labels, number in found["careers_steps"].items() if number}
    assert sum(steps.values()) == 2
    assert steps["archive", "succeeded"] == 1
    assert found["careers_steps_needing_attention"] == {(): 1}
    assert found["careers_workers"] == {("cpu",): 1, ("io",): 2}
    assert found["careers_sweeper_seen_seconds"][()] < 10
    assert found["careers_finding"]["needs-attention", "warning"] == 1


def test_metrics_take_the_queries_of_the_health_check(
    client: Client, job: Any, django_assert_num_queries: Any
) -> None:
    StepFactory.create_batch(3, application__page=job)
    with CaptureQueriesContext(connection) as health_alone:
        health.check()
    # The services and the scheduled tasks.
    with django_assert_num_queries(len(health_alone) + 2):
        scraped(client)


def test_queues_services_and_lost_workers_are_metrics(client: Client, job: Any) -> None:
    waits = timezone.now() - dt.timedelta(minutes=10)
    StepFactory(application__page=job, kind=ARCHIVE, queued=True, state_since=waits)
    HeartbeatFactory(name="io@gone", seen_at=waits)
    service_answers.note("archive", [])
    service_answers.note("mail", [Finding(code="mail-login", severity="critical")])
    found = scraped(client)
    assert found["careers_queue_waiting_steps"] == {("cpu",): 0, ("io",): 1}
    assert 600 <= found["careers_queue_oldest_ready_seconds"]["io",] < 660
    assert found["careers_workers_gone"] == {(): 1}
    assert found["careers_service_up"] == {("archive",): 1, ("mail",): 0}
    assert list(found["careers_service_good_seconds"]) == [("archive",)]


# ── Files for Prometheus and Grafana ────────────────────────────────────────────────────


def metrics_in(expression: str) -> set[str]:
    return set(re.findall(r"\bcareers_[a-z_]+", expression))


def test_alert_rules_use_metrics_that_exist(client: Client) -> None:
    """And have the form of Prometheus (docs, “Alerting rules”)."""
    rules = yaml.safe_load((env.ROOT / "deploy/prometheus/alerts.yml").read_text("utf-8"))
    known = scraped(client).keys()
    names = []
    for group in rules["groups"]:
        assert group.keys() <= {"name", "interval", "rules"}
        for rule in group["rules"]:
            assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
            assert {"alert", "expr", "labels", "annotations"} <= rule.keys()
            assert re.fullmatch(r"\d+[smhd]", rule.get("for", "0s"))
            assert rule["labels"]["severity"] in ("critical", "warning")
            assert rule["annotations"].keys() == {"summary", "description"}
            assert metrics_in(rule["expr"]) <= known
            names.append(rule["alert"])
    assert len(names) == len(set(names))


def test_dashboard_uses_metrics_that_exist(client: Client) -> None:
    dashboard = json.loads((env.ROOT / "deploy/grafana/careers.json").read_text("utf-8"))
    known = scraped(client).keys()
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            found = metrics_in(target["expr"])
            assert found
            assert found <= known
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24


@pytest.mark.parametrize(
    "sender",
    [
        {"REMOTE_ADDR": "192.0.2.1", "headers": HERE},
        {"headers": {**HERE, "x-forwarded-for": "127.0.0.1"}},
        {},
    ],
)
def test_metrics_are_not_found_from_elsewhere(client: Client, settings: Any, sender: Any) -> None:
    assert client.get("/metrics", **sender).status_code == 404
    settings.METRICS_TOKEN = "token"
    assert client.get("/metrics", **sender).status_code == 404


def test_token_gives_access_from_anywhere(client: Client, settings: Any) -> None:
    def status(authorization: str) -> int:
        headers = {"authorization": authorization}
        return client.get("/metrics", headers=headers, REMOTE_ADDR="192.0.2.1").status_code

    assert status("Bearer ") == 404
    settings.METRICS_TOKEN = "sésame"
    assert status("Bearer sésame") == 200
    assert [status(wrong) for wrong in ("Bearer sesame", "sésame", "Basic x")] == [403] * 3


def test_metrics_without_database_answer_503(client: Client) -> None:
    def broken(execute: Any, sql: str, *args: Any) -> Any:
        raise OperationalError("gone")

    with connection.execute_wrapper(broken):
        response = client.get("/metrics", headers=HERE)
    assert response.status_code == 503
    assert b"careers_" not in response.content


def test_labels_are_escaped(client: Client) -> None:
    code = 'a"b\\c\nd'
    findings.report("app", [Finding(code=code, severity="warning")], lasts=findings.PROCESS)
    assert scraped(client)["careers_finding"][code, "warning"] == 1
