"""Polls of the task pages, which mostly find nothing new."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from careers.backoffice import polling
from careers.jobs.models import JobPage
from careers.operations.models import Heartbeat
from careers.pipeline.models import Step
from careers.pipeline.states import State
from careers.pipeline.transitions import move
from tests.support.factories import HeartbeatFactory, StepFactory

URL = "/admin/tasks/results/"
#: The tables that grow with the applications.
LARGE = ("careers_application", "careers_step", "careers_applicationterms", "careers_stepevent")


@pytest.fixture
def step(ours: JobPage, monkeypatch: pytest.MonkeyPatch) -> Step:
    # No poll of these tests may fall into the next period.
    monkeypatch.setattr(polling, "OLDEST", 10**9)
    HeartbeatFactory()
    step: Step = StepFactory(application__page=ours, queued=True)
    return step


def poll(client: Client, version: str = "", url: str = URL) -> Any:
    return client.get(url, headers={"If-None-Match": version} if version else {})


def test_poll_without_change_is_not_modified_and_reads_no_large_table(
    as_otto: Client, step: Step
) -> None:
    version = poll(as_otto)["ETag"]
    with CaptureQueriesContext(connection) as statements:
        again = poll(as_otto, version)
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", version)
    read = " ".join(one["sql"] for one in statements)
    assert [table for table in LARGE if f'"{table}"' in read] == []


def test_poll_after_a_transition_shows_it(as_otto: Client, step: Step) -> None:
    version = poll(as_otto)["ETag"]
    move(step.pk, State.SENT, leaving=[State.QUEUED], actor="intake")
    changed = poll(as_otto, version)
    assert (changed.status_code, changed["ETag"] == version) == (200, False)
    assert "Sent" in changed.content.decode()


def test_poll_after_a_worker_was_lost_shows_it(as_otto: Client, step: Step) -> None:
    version = poll(as_otto)["ETag"]
    Heartbeat.objects.update(seen_at=timezone.now() - dt.timedelta(minutes=1))
    assert "No worker is running" in poll(as_otto, version).content.decode()


def test_version_is_that_of_one_reader_and_address(
    as_otto: Client, as_hanna: Client, step: Step
) -> None:
    version = poll(as_otto)["ETag"]
    assert poll(as_otto, version, f"{URL}?state=attention").status_code == 200
    detail = f"/admin/tasks/{step.application.reference}/results/"
    assert poll(as_otto, version, detail).status_code == 200
    assert poll(as_otto, poll(as_otto, url=detail)["ETag"], detail).status_code == 304


def test_version_needs_the_permission(client: Client, as_otto: Client, step: Step) -> None:
    version = poll(as_otto)["ETag"]
    assert poll(Client(), version).status_code == 302


def test_whole_page_has_no_version(as_otto: Client, step: Step) -> None:
    assert "ETag" not in as_otto.get("/admin/tasks/")


def test_poll_gets_everything_again_after_a_period(
    as_otto: Client, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = poll(as_otto)["ETag"]
    monkeypatch.setattr(polling, "OLDEST", 1)
    assert poll(as_otto, version).status_code == 200
