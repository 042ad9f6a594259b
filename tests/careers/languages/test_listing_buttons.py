"""Lists of pages in the admin: the buttons for translations, and what the list costs."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from wagtail_localize import wagtail_hooks as localize

from tests.support import people
from tests.support.factories import JobPageFactory
from tests.support.people import logged_in
from tests.support.translating import french_site

BUTTONS = ("Translate this page", "Sync translated pages")


@pytest.fixture
def ada(db: None) -> Client:
    return logged_in(people.ada())


def test_list_of_many_pages_takes_as_many_queries_as_of_few(ada: Client, job_index: Any) -> None:
    taken = []
    for _step in range(2):
        for _number in range(3):
            JobPageFactory(parent=job_index)
            job_index.refresh_from_db()
        ada.get(f"/admin/pages/{job_index.pk}/")
        with CaptureQueriesContext(connection) as statements:
            ada.get(f"/admin/pages/{job_index.pk}/")
        taken.append(len(statements))
    assert taken[0] == taken[1]


@pytest.mark.parametrize("query", ["", "?q=gauge"])
def test_list_shows_the_buttons_of_wagtail_localize(
    ada: Client, home: Any, job_index: Any, job: Any, query: str
) -> None:
    JobPageFactory(parent=job_index, title="Gauge reader")
    french_site(home, job_index)
    user = get_user_model().objects.get()
    soup = BeautifulSoup(ada.get(f"/admin/pages/{job_index.pk}/{query}").content, "html.parser")
    shown = sorted(
        str(a["href"]) for a in soup.select("tbody a") if a.get_text(strip=True) in BUTTONS
    )
    expected = [
        button.url
        for page in job_index.get_children().specific()
        for button in localize.page_listing_more_buttons(
            page, user, None, f"/admin/pages/{job_index.pk}/"
        )
    ]
    assert expected
    assert shown == sorted(expected)
