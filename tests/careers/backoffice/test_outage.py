"""What HR reads while applications are delayed, on the home page and above the applications."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from careers.applications.sentences import to_facts
from careers.jobs.models import JobPage
from careers.operations import findings
from careers.operations.models import Finding
from tests.support.factories import ApplicationFactory, HeartbeatFactory, StepFactory

PAGES = ("/admin/", "/admin/applications/")
SENTENCE = "No worker is running. 3 applications are waiting. They are stored and safe."


@pytest.fixture
def three(ours: JobPage) -> None:
    HeartbeatFactory(sweeper=True)
    HeartbeatFactory(name="io@host.internal", seen_at=timezone.now() - dt.timedelta(minutes=2))
    for _number in range(3):
        StepFactory(application=ApplicationFactory(page=ours), queued=True, events=False)


@pytest.mark.parametrize("page", PAGES)
def test_hr_reads_how_many_of_their_applications_wait(
    page: str, as_hanna: Client, three: None
) -> None:
    text = as_hanna.get(page).content.decode()
    assert SENTENCE in text
    assert "host.internal" not in text
    assert "Start the workers" not in text


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_said_while_all_is_well(page: str, as_hanna: Client, three: None) -> None:
    HeartbeatFactory()
    assert "bo-outage" not in as_hanna.get(page).content.decode()


def test_broker_is_told_without_its_settings(as_hanna: Client, three: None) -> None:
    HeartbeatFactory()
    facts: dict[str, Any] = {"cause": to_facts("Nothing listens. Correct REDIS_URL.")}
    down = Finding(code="broker", severity="critical", facts=facts)
    findings.report("sweeper:a", [down], lasts=findings.PROCESS)
    text = as_hanna.get("/admin/applications/").content.decode()
    assert "The message broker does not answer, so mails and PDFs are late." in text
    assert "REDIS_URL" not in text


def test_reader_without_applications_reads_nothing(as_otto: Client, three: None) -> None:
    assert "bo-outage" not in as_otto.get("/admin/").content.decode()
