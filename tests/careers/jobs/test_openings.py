"""The open jobs as sets: the same answers as a look at every job, and few queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from careers.jobs import openings as openings_module
from careers.jobs.models import JobPage
from careers.jobs.openings import DEPARTMENT, LOCATION, Openings, _places, _set_of
from careers.jobs.similar import by_points
from tests.support.factories import JobPageFactory
from tests.support.many_jobs import add_jobs

PAGES = [
    "/",
    "/careers/",
    "/careers/?page=2",
    "/careers/?department=team-1&place=town-2&place=atlantis&type=FULL_TIME",
    "/careers/?q=baker+clock+diver",
    "/careers/?q=nothing",
    "/careers/gauge-keeper/",
    "/careers/closed/",
    "/jobs.atom",
    "/sitemap.xml",
]


def test_pages_take_few_queries_however_many_jobs_there_are(
    client: Client, job: Any, job_index: Any, kept_content: Callable[[], None]
) -> None:
    JobPageFactory(parent=job_index, slug="closed", closes_at=timezone.now())

    def queries() -> dict[str, int]:
        kept_content()
        found = {}
        for path in PAGES:
            client.get(path)
            with CaptureQueriesContext(connection) as captured:
                assert client.get(path).status_code == 200
            found[path] = len(captured)
        return found

    add_jobs(job, 3)
    few = queries()
    add_jobs(job, 297)
    assert queries() == few
    assert max(few.values()) <= 10, few


@given(st.sets(st.integers(0, 300)))
def test_set_holds_the_places_that_were_given(places: set[int]) -> None:
    assert list(_places(_set_of(list(places)))) == sorted(places)


@given(
    jobs=st.integers(0, 2**12 - 1),
    points=st.lists(st.tuples(st.integers(1, 3), st.integers(0, 2**12 - 1)), max_size=6),
)
def test_by_points_ranks_as_counting_the_points_of_every_job(
    jobs: int, points: list[tuple[int, int]]
) -> None:
    def total(place: int) -> int:
        return sum(worth for worth, better in points if better >> place & 1)

    ranked = [place for part in by_points(jobs, points) for place in _places(part)]
    assert ranked == sorted(_places(jobs), key=lambda place: (-total(place), place))


def test_rows_are_complete_when_too_many_are_kept(
    db: None, job: Any, job_index: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_jobs(job, 8)
    monkeypatch.setattr(openings_module, "MOST_ROWS", 4)
    openings = Openings(JobPage.objects.descendant_of(job_index))
    keys = openings.keys(openings.all)
    for start in (0, 2, 5, 1):
        asked = keys[start : start + 3]
        assert [one.pk for one in openings.rows(asked)] == asked


def test_openings_agree_with_queries(db: None, job: Any, job_index: Any) -> None:
    add_jobs(job, 40)
    jobs = JobPage.objects.descendant_of(job_index)
    openings = Openings(jobs)
    assert openings.keys(openings.all) == list(jobs.open().values_list("pk", flat=True))
    found = openings.with_any(DEPARTMENT, ["team-1", "team-2"])
    found &= openings.with_any(LOCATION, ["town-2"])
    asked = jobs.open().filter(department__slug__in=["team-1", "team-2"], locations__slug="town-2")
    assert openings.keys(found) == list(asked.values_list("pk", flat=True))
    assert openings.keys(found, 2, 3) == openings.keys(found)[2:5]
    titles = {one.title for one in openings.rows(openings.keys(openings.in_titles("garden")))}
    assert titles == set(jobs.filter(title__contains="Gardener").values_list("title", flat=True))
    words = openings.rows(openings.keys(openings.matching("gardener town-2")))
    assert words
    assert all("Gardener" in one.title and one.location_names == ["Town 2"] for one in words)
