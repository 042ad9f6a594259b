"""The report of who read which application."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import Permission
from django.test import Client
from openpyxl import load_workbook

from careers.applications.models import Application, ApplicationView
from careers.backoffice import access_log, audit
from careers.jobs.models import JobPage
from tests.support import people
from tests.support.factories import ApplicationFactory
from tests.support.people import logged_in

URL = "/admin/applications/access-log/"


@pytest.fixture
def read(ours: JobPage) -> dict[str, Application]:
    """Jane was opened by Ina, Omar was found and moved by Karl."""
    jane = ApplicationFactory(page=ours, name="Jane Miller", email="jane@example.com")
    omar = ApplicationFactory(page=ours, name="Omar Said", email="omar@example.com")
    ina, karl = people.hanna(None, "ina"), people.hanna(None, "karl")
    audit.note(jane, ina, audit.OPENED)
    audit.note(omar, karl, audit.FOUND)
    audit.note(omar, karl, f"{audit.STAGED}:offer")
    return {"jane": jane, "omar": omar}


def shown(client: Client, query: str = "") -> list[str]:
    response = client.get(URL + query)
    assert response.status_code == 200
    rows = BeautifulSoup(response.content, "html.parser").select(".bo-table tbody tr")
    # The first column is the time, the last the job.
    texts = (" ".join(cell.get_text(" ") for cell in row.select("td")[1:4]) for row in rows)
    return [" ".join(text.split()) for text in texts]


JANE = "Ina Example (ina) opened the application Jane Miller"
FOUND = "Karl Example (karl) found the name in a search Omar Said"
MOVED = "Karl Example (karl) changed the stage to “Offer” Omar Said"


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("", [MOVED, FOUND, JANE]),
        ("?person=karl", [MOVED, FOUND]),
        ("?person=INA", [JANE]),
        ("?applicant=jane", [JANE]),
        ("?applicant=omar@example.com", [MOVED, FOUND]),
        ("?act=stage", [MOVED]),
        ("?act=search&person=karl", [FOUND]),
        ("?q=miller", [JANE]),
        ("?q=ina", [JANE]),
        ("?at_from=2001-01-01&at_to=2001-01-02", []),
    ],
)
def test_report_is_filtered_by_colleague_and_by_applicant(
    as_ada: Client, read: dict[str, Application], query: str, rows: list[str]
) -> None:
    assert shown(as_ada, query) == rows


def test_report_about_one_application_finds_it_by_reference(
    as_ada: Client, read: dict[str, Application]
) -> None:
    query = access_log.url_for(read["jane"]).removeprefix(URL)
    assert shown(as_ada, query) == [JANE]


def test_report_keeps_the_name_of_a_deleted_account(
    as_ada: Client, read: dict[str, Application]
) -> None:
    ApplicationView.objects.filter(user__username="ina").get().user.delete()
    assert shown(as_ada, "?person=ina") == [JANE]


def test_report_shows_only_applications_that_the_reader_may_read(
    ours: JobPage, theirs: JobPage, read: dict[str, Application]
) -> None:
    helen = people.hanna(theirs.get_parent(), "helen", (*people.HR_RIGHTS, "view_access_log"))
    foreign = ApplicationFactory(page=theirs, name="Ann Other")
    audit.note(foreign, helen, audit.OPENED)
    assert shown(logged_in(helen)) == ["Helen Example (helen) opened the application Ann Other"]


def test_report_without_the_permission_to_read_is_refused(ours: JobPage) -> None:
    bob = people.bob(ours.get_parent())
    bob.groups.get().permissions.add(Permission.objects.get(codename="view_access_log"))
    assert logged_in(bob).get(URL).status_code == 302


def test_report_logs_the_names_that_it_shows(as_ada: Client, read: dict[str, Application]) -> None:
    shown(as_ada)
    shown(as_ada)
    logged = ApplicationView.objects.filter(what=audit.LOGGED).select_related("application")
    assert {row.application.name for row in logged} == {"Jane Miller", "Omar Said"}
    assert logged.count() == 2


@pytest.mark.parametrize("name", ["=1+1", "+49", "-2", "@SUM(A1)", "\tx"])
def test_export_holds_no_formula(as_ada: Client, ours: JobPage, name: str) -> None:
    audit.note(ApplicationFactory(page=ours, name=name), people.hanna(None), audit.OPENED)
    response: Any = as_ada.get(URL + "?export=csv")
    text = b"".join(response.streaming_content).decode()
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["Applicant"] == f"'{name}"
    assert row["Colleague"] == "Hanna Example (hanna)"
    ApplicationView.objects.filter(what=audit.LOGGED).delete()
    response = as_ada.get(URL + "?export=xlsx")
    book = load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    cell = book.active["E2"]
    assert (cell.data_type, cell.value) == ("s", name)


def test_report_takes_a_fixed_number_of_queries(
    as_ada: Client, ours: JobPage, queries: Any
) -> None:
    hanna = people.hanna(None)
    audit.note(ApplicationFactory(page=ours), hanna, audit.OPENED)
    few = queries(as_ada, URL)
    for application in ApplicationFactory.create_batch(12, page=ours):
        audit.note(application, hanna, audit.OPENED)
    assert queries(as_ada, URL) == few
