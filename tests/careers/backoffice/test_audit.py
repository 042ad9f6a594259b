"""The access log: what leaves a row, and what adds none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from careers.applications.models import Application, ApplicationView
from careers.backoffice import audit
from careers.jobs.models import JobPage
from tests.support import people
from tests.support.factories import ApplicationFactory, ApplicationFileFactory

NOON = dt.datetime(2026, 11, 30, 12, 5, tzinfo=dt.UTC)


def rows() -> list[tuple[str, str]]:
    found = ApplicationView.objects.order_by("pk").select_related("application")
    return [(row.application.name, row.what) for row in found]


def test_note_logs_the_same_reading_once_an_hour(application: Application) -> None:
    hanna = people.hanna(None)
    with time_machine.travel(NOON, tick=False) as clock:
        for minutes in (0, 1, 50, 10, 45):
            clock.shift(dt.timedelta(minutes=minutes))
            audit.note(application, hanna, audit.OPENED)
    found = ApplicationView.objects.order_by("pk")
    assert [row.at for row in found] == [NOON, NOON + dt.timedelta(minutes=61)]


def test_note_logs_every_change(application: Application) -> None:
    hanna = people.hanna(None)
    for stage in ("interview", "new", "interview"):
        audit.note(application, hanna, f"{audit.STAGED}:{stage}")
    assert [what for _name, what in rows()] == ["stage:interview", "stage:new", "stage:interview"]


def test_note_keeps_two_people_of_one_name_apart(application: Application) -> None:
    for login in ("sam1", "sam2"):
        sam = get_user_model().objects.create_user(login, first_name="Sam", last_name="Lee")
        audit.note(application, sam, audit.OPENED)
    lines, more = audit.lines(application)
    assert [line.who for line in lines] == ["Sam Lee (sam2)", "Sam Lee (sam1)"]
    assert not more


def test_name_of_a_deleted_account_stays(application: Application) -> None:
    hanna = people.hanna(None)
    audit.note(application, hanna, audit.OPENED)
    hanna.delete()
    lines, _more = audit.lines(application)
    assert [(line.who, line.what) for line in lines] == [
        ("Hanna Example (hanna)", "opened the application")
    ]


@pytest.mark.parametrize(
    ("has_account", "who"), [(True, "Hanna Example (hanna)"), (False, "A deleted account")]
)
def test_rows_of_the_release_before_show_the_account(
    application: Application, has_account: bool, who: str
) -> None:
    user = people.hanna(None) if has_account else None
    ApplicationView.objects.create(application=application, user=user, what="file:cv")
    lines, _more = audit.lines(application)
    assert [(line.who, line.what) for line in lines] == [(who, "downloaded a file: CV")]


def test_each_file_has_a_row(as_hanna: Client, ours: JobPage) -> None:
    application = ApplicationFactory(page=ours)
    for name in ("one.pdf", "two.pdf"):
        file = ApplicationFileFactory(
            application=application, kind="answer", question_key=name, filename=name
        )
        as_hanna.get(
            reverse("careers_applications:file", args=[application.reference, file.public_id])
        )
    whats = [what for _name, what in rows()]
    assert len(whats) == len(set(whats)) == 2


@pytest.mark.parametrize("name", ["index", "results"])
def test_list_logs_the_names_that_it_shows(
    as_hanna: Client, ours: JobPage, theirs: JobPage, name: str
) -> None:
    for person in ("Jane", "Omar"):
        ApplicationFactory(page=ours, name=person)
    ApplicationFactory(page=theirs, name="Nobody to see")
    as_hanna.get(reverse(f"careers_applications:{name}"))
    assert sorted(rows()) == [("Jane", "list"), ("Omar", "list")]


def test_list_logs_only_the_page_that_it_shows(as_hanna: Client, ours: JobPage) -> None:
    ApplicationFactory.create_batch(27, page=ours)
    as_hanna.get(reverse("careers_applications:index"))
    assert len(rows()) == 25


def test_search_logs_the_names_that_it_finds(as_hanna: Client, ours: JobPage) -> None:
    for person in ("Jane", "Omar"):
        ApplicationFactory(page=ours, name=person)
    as_hanna.get(reverse("careers_applications:index"), {"q": "omar"})
    assert rows() == [("Omar", "search")]


def test_list_logs_in_one_statement(
    as_hanna: Client, ours: JobPage, queries: Callable[[Client, str], int]
) -> None:
    ApplicationFactory.create_batch(12, page=ours)
    url = reverse("careers_applications:index")
    as_hanna.get(url)
    with CaptureQueriesContext(connection) as captured:
        as_hanna.get(url)
    written = [query["sql"] for query in captured if "careers_applicationview" in query["sql"]]
    assert len(written) == 1
    assert len(rows()) == 12


def test_long_name_hides_no_user_name(ours: JobPage) -> None:
    """People write their own names: one may look like another's entry."""
    bob = people.hanna(ours, "bob")
    bob.first_name, bob.last_name = "Hanna Example (hanna)" + "\u2800" * 129, "\u2800" * 150
    bob.save()
    audit.note(ApplicationFactory(page=ours), bob, audit.OPENED)
    assert ApplicationView.objects.get().user_name.endswith("(bob)")
