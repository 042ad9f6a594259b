"""Which other jobs stand below a job, and what becomes of a job that is closed."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Locale, PageViewRestriction

from careers.jobs.models import Department, JobPage, Location, Workplace
from careers.jobs.similar import similar_jobs, title_words
from tests.support import people
from tests.support.factories import JobIndexPageFactory, JobPageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(db: None) -> Department:
    return Department.objects.create(name="Field", slug="field", locale=Locale.get_default())


def titles(job: JobPage) -> list[str]:
    return [other.title for other in similar_jobs(job)]


def ago(days: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(days=days)


def test_jobs_are_alike_by_team_then_place_and_words(
    job: Any, job_index: Any, team: Department
) -> None:
    bergen = Location.objects.create(name="Bergen", slug="bergen", country="NO")
    job.department, job.title = team, "Senior tide analyst"
    job.locations.add(bergen)
    job.save()
    JobPageFactory(parent=job_index, title="Cook")
    here = JobPageFactory(parent=job_index, title="Porter")
    here.locations.add(bergen)
    here.save()
    both = JobPageFactory(parent=job_index, title="Diver", department=team)
    both.locations.add(bergen)
    both.save()
    JobPageFactory(parent=job_index, title="Analyst of tides", first_published_at=ago(1))
    JobPageFactory(parent=job_index, title="Welder", department=team)
    assert titles(job) == ["Diver", "Analyst of tides", "Welder"]


def test_remote_jobs_are_alike(job: Any, job_index: Any) -> None:
    job.workplace = Workplace.REMOTE
    JobPageFactory(parent=job_index, title="Cook")
    JobPageFactory(parent=job_index, title="Editor", workplace=Workplace.REMOTE)
    assert titles(job) == ["Editor"]


def test_only_what_is_open_in_the_same_list_is_offered(
    job: Any, job_index: Any, team: Department
) -> None:
    job.department = team
    job.save()
    for title, change in (
        ("Closed", {"closes_at": ago(1)}),
        ("Later", {"opens_at": ago(-1)}),
        ("Draft", {"live": False}),
        ("Elsewhere", {"parent": JobIndexPageFactory()}),
    ):
        JobPageFactory(**{"parent": job_index, "title": title, "department": team} | change)
    secret = JobPageFactory(parent=job_index, title="Secret", department=team)
    PageViewRestriction.objects.create(page=secret, restriction_type="password", password="x")
    assert titles(job) == []


def test_closed_job_offers_the_newest_where_nothing_is_alike(job: Any, job_index: Any) -> None:
    for number in range(4):
        JobPageFactory(parent=job_index, title=f"Cook {number}", first_published_at=ago(number))
    assert titles(job) == []
    job.closes_at = ago(1)
    assert titles(job) == ["Cook 0", "Cook 1", "Cook 2"]


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Senior Tide-Analyst (m/w/d) 100 %", ["tide", "analyst"]),
        ("Ingénieure études de la marée", ["ingénieure", "études", "marée"]),
        ("潮汐分析師", ["潮汐分析師"]),
        ("", []),
        ("one three five seven nine eleven thirteen", ["three", "five", "seven", "nine", "eleven"]),
    ],
)
def test_words_of_a_title_are_those_that_tell_the_work(title: str, words: list[str]) -> None:
    assert title_words(title) == words


def test_job_page_takes_the_same_queries_whatever_is_similar(
    client: Client, job: Any, job_index: Any, team: Department, django_assert_num_queries: Any
) -> None:
    job.department = team
    job.save()

    def add(number: int) -> None:
        page = JobPageFactory(
            parent=job_index, department=team, closes_at=ago(-9), first_published_at=ago(1)
        )
        slug = f"place-{number}"
        page.locations.add(Location.objects.create(name=slug, slug=slug, country="NO"))
        page.save()

    add(0)
    client.get("/careers/gauge-keeper/")
    with CaptureQueriesContext(connection) as captured:
        client.get("/careers/gauge-keeper/")
    queries = len(captured)
    for number in range(1, 6):
        add(number)
    client.get("/careers/gauge-keeper/")
    with django_assert_num_queries(queries):
        page = client.get("/careers/gauge-keeper/").content.decode()
    assert page.count('class="row"') == 3
    assert queries <= 26


# ── Closed, and not open yet ────────────────────────────────────────────────────────────


def test_closed_job_says_so_and_shows_what_is_open(
    client: Client, job: Any, job_index: Any
) -> None:
    JobPageFactory(parent=job_index, title="Cook")
    job.closes_at = dt.datetime(2026, 1, 31, 22, 59, tzinfo=dt.UTC)
    job.save()
    response = client.get("/careers/gauge-keeper/")
    page = response.content.decode()
    assert response.status_code == 200
    assert "This job is closed" in page
    assert "until 31 January 2026, 23:59 (CET)" in page
    assert "Cook" in page
    assert "<form" not in page
    assert "ld+json" not in page
    assert '<meta name="robots" content="noindex">' in page


def test_job_that_is_not_open_yet_says_from_when(client: Client, job: Any) -> None:
    job.opens_at = dt.datetime(2099, 7, 1, 7, 0, tzinfo=dt.UTC)
    job.closes_at = dt.datetime(2099, 7, 1, 9, 0, tzinfo=dt.UTC)
    job.save()
    page = client.get("/careers/gauge-keeper/").content.decode()
    assert "Applications are taken from 1 July 2099, 09:00 (CEST)." in page
    assert "This job is closed" not in page
    assert "ld+json" not in page


def test_job_that_was_taken_down_is_gone_in_words(client: Client, job: Any, job_index: Any) -> None:
    JobPageFactory(parent=job_index, title="Cook")
    job.first_published_at = ago(9)
    job.live = False
    job.save()
    response = client.get("/careers/gauge-keeper/")
    page = response.content.decode()
    assert response.status_code == 410
    assert response["Cache-Control"].startswith("public")
    assert "This job is closed" in page
    assert "Cook" in page
    # It may have been a mistake to publish it.
    assert job.title not in re.sub(r"<!--.*?-->", "", page)
    assert job.summary not in page.replace("Cook", "").split("similar-title")[0]


def test_job_that_expired_is_named(client: Client, job: Any) -> None:
    job.first_published_at, job.live, job.expired = ago(9), False, True
    job.save()
    response = client.get("/careers/gauge-keeper/")
    assert response.status_code == 410
    assert "“Gauge keeper” is no longer open" in response.content.decode()


def test_redirect_from_a_job_that_was_taken_down_is_followed(client: Client, job: Any) -> None:
    job.first_published_at, job.live = ago(9), False
    job.save()
    Redirect.add_redirect("/careers/gauge-keeper/", "https://example.org/filled/")
    response = client.get("/careers/gauge-keeper/?from=mail")
    assert (response.status_code, response["Location"]) == (301, "https://example.org/filled/")


@pytest.mark.parametrize("path", ["/careers/gauge-keeper/", "/careers/gauge-keeper/more/"])
def test_draft_that_never_was_public_is_not_found(client: Client, job: Any, path: str) -> None:
    job.live = False
    job.save()
    assert client.get(path).status_code == 404


def test_job_taken_down_from_a_private_list_stays_private(
    client: Client, job: Any, job_index: Any
) -> None:
    job.first_published_at, job.live = ago(9), False
    job.save()
    PageViewRestriction.objects.create(page=job_index, restriction_type="login")
    assert client.get("/careers/gauge-keeper/").status_code == 302


def test_preview_of_a_job_that_was_taken_down_shows_the_job(client: Client, job: Any) -> None:
    job.first_published_at, job.live = ago(9), False
    job.save()
    job.save_revision()
    client.force_login(people.ada())
    response = client.get(f"/admin/pages/{job.pk}/view_draft/")
    assert response.status_code == 200
    assert job.title in response.content.decode()
