"""The report of what the site stores about people."""

from __future__ import annotations

import csv
import io

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse

from careers.jobs.models import JobPage
from careers.retention import record
from tests.support import people
from tests.support.people import logged_in

pytestmark = pytest.mark.django_db


def test_report_shows_a_table_for_each_model_with_personal_data(ours: JobPage) -> None:
    response = logged_in(people.hanna(ours)).get(reverse("careers_applications:personal_data"))
    page = BeautifulSoup(response.content, "html.parser")
    titles = [heading.get_text() for heading in page.select("section.bo-figures h2")]
    assert titles == [table.title for table in record.tables()]
    first = page.select_one("section.bo-figures tbody tr")
    assert first is not None
    assert "Name" in first.get_text()


def test_download_has_one_line_for_each_row_of_the_report(ours: JobPage) -> None:
    url = reverse("careers_applications:personal_data")
    response = logged_in(people.hanna(ours)).get(url, {"export": "csv"})
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    head, *rows = csv.reader(io.StringIO(response.content.decode("utf-8-sig")))
    assert head == [str(column) for column in record.COLUMNS]
    assert rows == [list(line.cells()) for table in record.tables() for line in table.lines]


def test_report_is_closed_to_people_who_read_no_applications(ours: JobPage, client: Client) -> None:
    url = reverse("careers_applications:personal_data")
    assert client.get(url).status_code == 302
    author = logged_in(people.bob(ours))
    assert author.get(url).status_code == 302
