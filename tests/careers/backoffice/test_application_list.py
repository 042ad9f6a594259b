"""``/admin/applications/``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from careers.jobs.models import JobPage
from tests.support.factories import ApplicationFactory, StepFactory

URL = "/admin/applications/"


def names(client: Client, query: str = "") -> list[str]:
    soup = BeautifulSoup(client.get(URL + query).content, "html.parser")
    return [a.get_text(strip=True) for a in soup.select(".bo-table .title-wrapper a")]


def test_addresses_are_stable(db: None) -> None:
    assert reverse("careers_applications:index") == URL
    assert reverse("careers_applications:detail", args=["7KD4-93MX"]) == URL + "7KD4-93MX/"


def test_list_shows_only_jobs_of_the_reader(
    as_hanna: Client, ours: JobPage, theirs: JobPage
) -> None:
    ApplicationFactory(page=ours, name="Ours")
    ApplicationFactory(page=theirs, name="Theirs")
    assert names(as_hanna) == ["Ours"]
    # Not by searching, nor by choosing the other job.
    assert names(as_hanna, "?q=Theirs") == []
    assert "Theirs" not in names(as_hanna, f"?job={theirs.pk}")
    page = as_hanna.get(URL).content.decode()
    assert theirs.title not in page


@pytest.mark.parametrize(
    "typed",
    [
        *("Özge", "özge yıl", "yıldız", "ozge@example.com", "EXAMPLE.COM"),
        *("7kdo-1aaa", "7KD01", "7kd0", "7kdo", "1AAA", "iaaa"),
    ],
)
def test_search_finds_name_email_and_reference(as_hanna: Client, ours: JobPage, typed: str) -> None:
    ApplicationFactory(
        page=ours, name="özge yıldız", email="ozge@example.com", reference="7KD0-1AAA"
    )
    ApplicationFactory(page=ours, name="Bo", email="bo@example.org", reference="ZZZZ-ZZZZ")
    assert names(as_hanna, f"?q={quote(typed)}") == ["özge yıldız"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?review_stage=interview", ["Talking"]),
        ("?quarantined=true", ["Held"]),
        ("?is_test=true", ["Testing"]),
        ("?quarantined=false&is_test=false&review_stage=new", ["Plain", "Old"]),
    ],
)
def test_filters_show_matching_applications(
    as_hanna: Client, ours: JobPage, query: str, expected: list[str]
) -> None:
    def ago(minutes: int) -> dt.datetime:
        return timezone.now() - dt.timedelta(minutes=minutes)

    ApplicationFactory(page=ours, name="Talking", review_stage="interview", received_at=ago(1))
    ApplicationFactory(page=ours, name="Held", in_quarantine=True, received_at=ago(2))
    ApplicationFactory(page=ours, name="Testing", test=True, received_at=ago(3))
    ApplicationFactory(page=ours, name="Plain", received_at=ago(4))
    ApplicationFactory(page=ours, name="Old", received_at=ago(60 * 24 * 40))
    assert names(as_hanna, query) == expected


def test_date_filter_shows_matching_applications(as_hanna: Client, ours: JobPage) -> None:
    old = timezone.now() - dt.timedelta(days=40)
    ApplicationFactory(page=ours, name="Old", received_at=old)
    ApplicationFactory(page=ours, name="New")
    assert names(as_hanna, f"?received_at_to={old:%Y-%m-%d}") == ["Old"]
    assert names(as_hanna, f"?received_at_from={timezone.now():%Y-%m-%d}") == ["New"]


@pytest.mark.parametrize(
    "order", ["name", "-name", "received_at", "job", "review_stage", "nonsense", "email;--"]
)
def test_list_is_sorted_by_each_column(as_hanna: Client, ours: JobPage, order: str) -> None:
    ApplicationFactory(page=ours, name="A")
    ApplicationFactory(page=ours, name="B")
    found = names(as_hanna, f"?ordering={order}")
    assert sorted(found) == ["A", "B"]
    if order.endswith("name"):
        assert found == (["A", "B"] if order == "name" else ["B", "A"])


def test_row_shows_files_and_processing(as_hanna: Client, ours: JobPage) -> None:
    application = ApplicationFactory(page=ours, with_files=True, with_steps=True, test=True)
    StepFactory(application=application, failed=True, sequence=1)
    soup = BeautifulSoup(as_hanna.get(URL).content, "html.parser")
    row = " ".join(soup.select_one(".bo-table tbody tr").get_text(" ").split())
    assert application.reference in row
    assert "1 file and the PDF" in row
    assert "Archive Failed" in row
    assert "Test" in row


def test_names_are_escaped(as_hanna: Client, ours: JobPage) -> None:
    ApplicationFactory(page=ours, name="<script>alert(1)</script>")
    page = as_hanna.get(URL).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_answers_are_not_loaded(as_hanna: Client, ours: JobPage) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    ApplicationFactory(page=ours)
    with CaptureQueriesContext(connection) as captured:
        as_hanna.get(URL)
    assert not any('"careers_application"."answers"' in query["sql"] for query in captured)


def test_queries_do_not_grow_with_applications(
    as_hanna: Client, ours: JobPage, queries: Callable[[Client, str], int]
) -> None:
    ApplicationFactory(page=ours, with_files=True, with_steps=True)
    at_one = queries(as_hanna, URL)
    for _ in range(2):
        ApplicationFactory(page=ours, with_files=True, with_steps=True)
    assert queries(as_hanna, URL) == at_one
