"""Lists with more rows than are counted: each part begins where the previous one ended."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from careers.backoffice import paging
from careers.jobs.models import JobPage
from tests.support.factories import ApplicationFactory, StepFactory

APPLICATIONS, TASKS = "/admin/applications/", "/admin/tasks/"
#: The names of the applications, the oldest first.
NAMES = ("Ann Bo", "Cem Bo", "Dana Bo", "Emil Bo", "Zoe Bo")


@pytest.fixture(autouse=True)
def many(ours: JobPage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five applications, in a site that counts to two."""
    monkeypatch.setattr(paging, "MOST", 2)
    # Too few for most searches.
    monkeypatch.setattr(paging, "WINDOW", 2)
    for number, name in enumerate(NAMES):
        made = ApplicationFactory(
            page=ours,
            name=name,
            reference=f"AAA{number}-AAA{number}",
            received_at=timezone.now() - dt.timedelta(hours=9 - number),
        )
        StepFactory(application=made, failed=True)


def shown(client: Client, url: str) -> tuple[list[str], str]:
    """The names or references of the rows, and the query that leads to the next ones."""
    soup = BeautifulSoup(client.get(url).content, "html.parser")
    rows = [a.get_text(strip=True) for a in soup.select(".bo-table .title-wrapper a")]
    further = [urlsplit(str(a["href"])).query for a in soup.select(".bo-further a")]
    return rows, next((query for query in further if "after=" in query), "")


def all_rows(client: Client, url: str) -> list[str]:
    """The rows of the list and of all that continue it."""
    found: list[str] = []
    address = url
    for _part in NAMES:
        rows, query = shown(client, address)
        found += rows
        if not query:
            break
        address = f"{urlsplit(url).path}?{query}"
    return found


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("q=Zoe", ["Zoe Bo"]),
        ("q=Ann", ["Ann Bo"]),
        ("review_stage=new", ["Zoe Bo", "Emil Bo"]),
        ("ordering=name", ["Ann Bo", "Cem Bo"]),
    ],
)
def test_search_filter_and_order_begin_anew_on_a_continued_list(
    as_ada: Client, chosen: str, expected: list[str]
) -> None:
    rows, query = shown(as_ada, APPLICATIONS)
    assert rows == ["Zoe Bo", "Emil Bo"]
    assert shown(as_ada, f"{APPLICATIONS}?{query}")[0] == ["Dana Bo", "Cem Bo"]
    assert shown(as_ada, f"{APPLICATIONS}?{query}&{chosen}")[0] == expected


def test_address_of_the_next_rows_does_not_hold_the_search_twice(as_ada: Client) -> None:
    _rows, query = shown(as_ada, f"{APPLICATIONS}?q=Bo&p=1")
    assert query.count("Bo") == 1
    pk, mark = parse_qs(query)["after"][0].split(".")
    assert pk.isdecimal()
    assert len(mark) == 10
    # Empty fields, the page and what Wagtail adds are no other list.
    assert paging.continued_after(QueryDict(f"{query}&job=&p=2&_w_filter_fragment=1")) == int(pk)
    assert paging.continued_after(QueryDict(f"after={pk}&q=Bo")) is None
    assert paging.continued_after(QueryDict(f"after=²{pk}.{mark}&q=Bo")) is None


@pytest.mark.parametrize("query", ["?ordering=received_at", "?ordering=received_at&state=failed"])
def test_oldest_first(as_ada: Client, query: str) -> None:
    rows = [reference[:9] for reference in all_rows(as_ada, TASKS + query)]
    assert rows == [f"AAA{number}-AAA{number}" for number in range(5)]


def test_oldest_first_of_a_search(as_ada: Client) -> None:
    found = all_rows(as_ada, f"{APPLICATIONS}?ordering=received_at&q=Bo")
    assert found == list(NAMES)


def test_long_search_has_no_other_order(as_ada: Client) -> None:
    assert all_rows(as_ada, f"{APPLICATIONS}?ordering=name&q=Bo") == list(reversed(NAMES))
    assert shown(as_ada, f"{APPLICATIONS}?ordering=name&q=Zoe")[0] == ["Zoe Bo"]
