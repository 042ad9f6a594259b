"""The page of the site's health: processes, queues and services."""

from __future__ import annotations

import datetime as dt

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.utils import timezone

from careers.applications.sentences import to_facts
from careers.jobs.models import JobPage
from careers.operations import service_answers
from careers.operations.models import Finding, Heartbeat
from tests.support.factories import HeartbeatFactory, StepFactory

pytestmark = pytest.mark.django_db

URL = "/admin/tasks/health/"
FACTS = {"host": "alpha", "version": "1.2.3", "memory": 200 * 1024 * 1024}


def rows(client: Client, section: str) -> list[str]:
    page = BeautifulSoup(client.get(URL).content, "html.parser")
    found = page.select(f"[aria-labelledby={section}] tbody tr")
    return [" ".join(row.get_text(" ").split()) for row in found]


@pytest.fixture
def working(ours: JobPage) -> str:
    """The reference of an application whose step a worker runs."""
    step = StepFactory(application__page=ours, kind="render_pdf", started=True, owner="worker:1")
    HeartbeatFactory(name="cpu@alpha", queues="cpu", facts={**FACTS, "owner": "worker:1"})
    reference: str = step.application.reference
    return reference


def test_worker_is_shown_with_host_version_memory_and_step(as_otto: Client, working: str) -> None:
    (row,) = rows(as_otto, "bo-processes")
    for part in ("cpu@alpha", "At work", working, "for ", "200 MB", "alpha", "1.2.3", "ago"):
        assert part in row.replace("\u00a0", " ")


def test_lost_worker_stays_with_what_it_ran_until_a_person_removes_it(
    as_otto: Client, working: str
) -> None:
    Heartbeat.objects.update(seen_at=timezone.now() - dt.timedelta(minutes=2))
    (row,) = rows(as_otto, "bo-processes")
    for part in ("Gone", "It did not stop in order.", working, "now: Running"):
        assert part in row
    as_otto.post("/admin/tasks/health/forget/", {"name": "cpu@alpha"})
    assert Heartbeat.objects.count() == 0


def test_worker_that_is_alive_is_not_removed(as_otto: Client, working: str) -> None:
    as_otto.post("/admin/tasks/health/forget/", {"name": "cpu@alpha"})
    assert Heartbeat.objects.count() == 1


@pytest.mark.parametrize(
    ("trouble", "state"), [("no-broker", "Connects again"), ("stalled", "Hangs")]
)
def test_trouble_of_a_worker_is_its_state(as_otto: Client, trouble: str, state: str) -> None:
    since = timezone.now().isoformat()
    HeartbeatFactory(facts={"trouble": trouble, "trouble_since": since})
    assert state in rows(as_otto, "bo-processes")[0]


def test_row_of_the_previous_release_is_shown(as_otto: Client) -> None:
    HeartbeatFactory(name="io@old", facts={})
    assert "io@old" in rows(as_otto, "bo-processes")[0]


def test_queue_shows_its_oldest_step(as_otto: Client, ours: JobPage) -> None:
    waits = timezone.now() - dt.timedelta(minutes=7, seconds=5)
    StepFactory(application__page=ours, kind="archive", queued=True, state_since=waits)
    cpu, io = rows(as_otto, "bo-queues")
    assert cpu == "cpu 0 – 0"
    assert io.startswith("io 1 7 min")


def test_service_shows_last_good_and_last_bad_answer(as_otto: Client) -> None:
    service_answers.note("archive", [])
    cause = to_facts("The archive refused the key.")
    service_answers.note(
        "archive", [Finding(code="archive-key", severity="critical", facts={"cause": cause})]
    )
    (row,) = rows(as_otto, "bo-services")
    assert row.startswith("Archive (S3) Fails ")
    assert "The archive refused the key." in row
