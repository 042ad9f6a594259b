"""Filters, search and export of the task status."""

from __future__ import annotations

import csv
import io
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from careers.backoffice import task_export
from careers.jobs.models import JobPage
from tests.support.factories import ApplicationFactory, StepFactory

pytestmark = pytest.mark.django_db
URL = "/admin/tasks/"


def csv_of(client: Client, query: str = "") -> list[dict[str, str]]:
    response: Any = client.get(f"{URL}?export=csv{query}")
    assert response["Content-Type"] == "text/csv"
    return list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))


@pytest.fixture
def two(ours: JobPage) -> list[Any]:
    """A failed archive of a test application in French, and an application that is done."""
    failed = ApplicationFactory(page=ours, test=True, language="fr")
    StepFactory(application=failed, failed=True)
    done = ApplicationFactory(page=ours, with_steps=True)
    return [failed, done]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("&error=unknown", [0]),
        ("&error=permanent", []),
        ("&language=fr", [0]),
        ("&only=test", [0]),
        ("&only=real", [1]),
        ("&received_from=2000-01-01", [0, 1]),
        ("&received_to=2000-01-01", []),
        ("&state=failed&kind=archive&only=test&language=fr", [0]),
        ("&q=ValueError", [0]),
        ("&q=clockmaker", [0, 1]),
    ],
)
def test_list_and_export_have_the_applications_of_the_address(
    as_otto: Client, two: list[Any], query: str, found: list[int]
) -> None:
    expected = {two[place].reference for place in found}
    assert {row["Reference"] for row in csv_of(as_otto, query)} == expected
    page = as_otto.get(f"{URL}results/?{query[1:]}").content.decode()
    assert {one.reference for one in two if f"/tasks/{one.reference}/" in page} == expected


def test_export_says_what_matters_and_names_nobody(as_otto: Client, two: list[Any]) -> None:
    (row,) = csv_of(as_otto, "&only=test")
    assert row["Most urgent step"] == "Archive"
    assert (row["State"], row["Error"], row["Test"]) == ("Failed", "ValueError", "Yes")
    received = timezone.localtime(two[0].received_at)
    assert row["Received"] == f"{received:%Y-%m-%d %H:%M:%S}"
    whole = b"".join(as_otto.get(f"{URL}?export=csv").streaming_content).decode()
    assert two[0].name not in whole
    assert two[0].email not in whole


def test_export_as_xlsx_has_the_same_rows(as_otto: Client, two: list[Any]) -> None:
    response: Any = as_otto.get(f"{URL}?export=xlsx")
    content = io.BytesIO(b"".join(response.streaming_content))
    rows = list(openpyxl.load_workbook(content).active.values)
    assert {row[0] for row in rows[1:]} == {one.reference for one in two}


def test_export_holds_no_formula(as_otto: Client, ours: JobPage) -> None:
    JobPage.objects.update(title="=1+1")
    ApplicationFactory(page=ours)
    (row,) = csv_of(as_otto)
    assert row["Job"] == "'=1+1"


def test_export_ends_after_the_most_rows(
    as_otto: Client, two: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_export, "MOST", 1)
    assert len(csv_of(as_otto)) == 1


def test_export_takes_the_same_queries_for_any_number_of_rows(
    as_otto: Client, ours: JobPage
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            csv_of(as_otto)
        return len(found)

    ApplicationFactory(page=ours, with_steps=True)
    queries()
    one = queries()
    ApplicationFactory(page=ours, with_steps=True)
    ApplicationFactory(page=ours, with_steps=True)
    assert queries() == one
