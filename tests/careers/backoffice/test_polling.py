"""Polls of the task pages, which mostly find nothing new."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.users.models import UserProfile

from careers.backoffice import polling
from careers.jobs.models import JobPage
from careers.operations.models import Heartbeat
from careers.pipeline.models import Step
from careers.pipeline.states import State
from careers.pipeline.transitions import move
from home.content_version import ContentVersion
from tests.support.factories import HeartbeatFactory, StepFactory

URL = "/admin/tasks/results/"


@pytest.fixture
def step(ours: JobPage, monkeypatch: pytest.MonkeyPatch) -> Step:
    # No poll of these tests may fall into the next period.
    monkeypatch.setattr(polling, "OLDEST", 10**9)
    HeartbeatFactory()
    step: Step = StepFactory(application__page=ours, queued=True)
    return step


def poll(client: Client, version: str = "", url: str = URL) -> Any:
    return client.get(url, headers={"If-None-Match": version} if version else {})


def test_poll_without_change_is_not_modified_after_one_statement(
    as_otto: Client, step: Step
) -> None:
    version = poll(as_otto)["ETag"]
    with CaptureQueriesContext(connection) as statements:
        again = poll(as_otto, version)
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", version)
    assert "no-store" in again["Cache-Control"]
    assert again["Vary"] == "Cookie"
    (statement,) = statements
    # The tables that grow with the applications.
    for table in ("careers_application", "careers_step", "careers_stepevent"):
        assert f"{table} " not in statement["sql"].replace('"', "")


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
    assert poll(as_hanna, version).status_code == 302
    assert poll(Client(), version).status_code == 302


#: What ends or changes what a person may see, and the status of the next poll.
CHANGES: dict[str, tuple[Callable[[Any, Any], object], int]] = {
    "signed out": (lambda user, session: session.delete(), 302),
    "session expired": (
        lambda user, session: Session.objects.update(expire_date=timezone.now()),
        302,
    ),
    "account closed": (lambda user, session: type(user).objects.update(is_active=False), 302),
    "password changed": (lambda user, session: type(user).objects.update(password="!"), 302),
    "right taken": (lambda user, session: user.groups.clear(), 302),
    "right of group taken": (
        lambda user, session: [group.permissions.clear() for group in Group.objects.all()],
        302,
    ),
    "factor added": (
        lambda user, session: user.authenticator_set.create(type="totp", data={"secret": ""}),
        302,
    ),
    "other language": (
        lambda user, session: UserProfile.objects.update_or_create(
            user=user, defaults={"preferred_language": "fr"}
        ),
        200,
    ),
    "content changed": (
        lambda user, session: ContentVersion.objects.update_or_create(
            pk=1, defaults={"version": "other"}
        ),
        200,
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_version_ends_with_what_it_depends_on(as_otto: Client, step: Step, change: str) -> None:
    version = poll(as_otto)["ETag"]
    assert poll(as_otto, version).status_code == 304
    act, status = CHANGES[change]
    act(get_user_model().objects.get(), as_otto.session)
    assert poll(as_otto, version).status_code == status


@pytest.mark.parametrize(
    "version", ['W/"poll.', 'W/"poll.1.0"', 'W/"poll.²."', 'W/"poll.99."', '""']
)
def test_version_of_somebody_else_is_none(as_otto: Client, step: Step, version: str) -> None:
    assert poll(as_otto, version).status_code == 200


@pytest.mark.parametrize(("oldest", "has_version"), [(10**9, False), (1, True)])
def test_version_ends_before_its_session(
    as_otto: Client, step: Step, monkeypatch: pytest.MonkeyPatch, oldest: int, has_version: bool
) -> None:
    """A session ends at a fixed time, also while it is used."""
    session = as_otto.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session["account_authentication_methods_user"] = str(get_user_model().objects.get().pk)
    session.save()
    monkeypatch.setattr(polling, "OLDEST", oldest)
    assert ("ETag" in poll(as_otto).headers) is has_version


def test_whole_page_has_no_version(as_otto: Client, step: Step) -> None:
    assert "ETag" not in as_otto.get("/admin/tasks/")


def test_poll_gets_everything_again_after_a_period(
    as_otto: Client, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = poll(as_otto)["ETag"]
    monkeypatch.setattr(polling, "OLDEST", 1)
    assert poll(as_otto, version).status_code == 200


def test_answer_has_no_version_while_somebody_writes_events(as_otto: Client, step: Step) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite the last id changes together with the table")
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE careers_stepevent IN ROW EXCLUSIVE MODE")
            assert "ETag" not in poll(as_otto)
            cursor.execute("ROLLBACK")
        assert "ETag" in poll(as_otto)
    finally:
        other.close()
