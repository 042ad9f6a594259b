"""Similar jobs below a job, and the pages of jobs that are not open."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Locale, PageViewRestriction

from careers.jobs.models import JobPage
from careers.jobs.similar import similar_jobs
from careers.jobs.taxonomy import Department, Location, Workplace
from tests.support import people
from tests.support.factories import JobIndexPageFactory, JobPageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def department(db: None) -> Department:
    return Department.objects.create(name="Field", slug="field", locale=Locale.get_default())


def titles(job: JobPage) -> list[str]:
    return [other.title for other in similar_jobs(job).jobs]


def ago(days: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(days=days)


def test_similar_jobs_rank_by_department_then_location_and_title(
    job: Any, job_index: Any, department: Department
) -> None:
    bergen = Location.objects.create(name="Bergen", slug="bergen", country="NO")
    job.department, job.title = department, "Senior tide analyst"
    job.locations.add(bergen)
    job.save()
    JobPageFactory(parent=job_index, title="Cook")
    here = JobPageFactory(parent=job_index, title="Porter")
    here.locations.add(bergen)
    here.save()
    both = JobPageFactory(parent=job_index, title="Diver", department=department)
    both.locations.add(bergen)
    both.save()
    older = JobPageFactory(parent=job_index, title="Welder", department=department)
    JobPage.objects.filter(pk=older.pk).update(opened_at=ago(1))
    JobPageFactory(parent=job_index, title="Analyst of tides")
    assert titles(job) == ["Diver", "Analyst of tides", "Welder"]


def test_remote_jobs_are_similar(job: Any, job_index: Any) -> None:
    job.workplace = Workplace.REMOTE
    JobPageFactory(parent=job_index, title="Cook")
    JobPageFactory(parent=job_index, title="Editor", workplace=Workplace.REMOTE)
    assert titles(job) == ["Editor"]


def test_similar_jobs_are_open_and_in_the_same_list(
    job: Any, job_index: Any, department: Department
) -> None:
    job.department = department
    job.save()
    for title, change in (
        ("Closed", {"closes_at": ago(1)}),
        ("Later", {"opens_at": ago(-1)}),
        ("Draft", {"live": False}),
        ("Elsewhere", {"parent": JobIndexPageFactory()}),
    ):
        JobPageFactory(**{"parent": job_index, "title": title, "department": department} | change)
    secret = JobPageFactory(parent=job_index, title="Secret", department=department)
    PageViewRestriction.objects.create(page=secret, restriction_type="password", password="x")
    assert titles(job) == []


def test_closed_job_without_similar_jobs_offers_the_newest(job: Any, job_index: Any) -> None:
    for number in range(4):
        other = JobPageFactory(parent=job_index, title=f"Cook {number}")
        JobPage.objects.filter(pk=other.pk).update(opened_at=ago(number))
    assert titles(job) == []
    job.closes_at = ago(1)
    assert titles(job) == ["Cook 0", "Cook 1", "Cook 2"]


# ── Closed, and not open yet ────────────────────────────────────────────────────────────


def test_closed_job_page_names_closing_and_shows_open_jobs(
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


def test_upcoming_job_page_names_opening_time(client: Client, job: Any) -> None:
    job.opens_at = dt.datetime(2099, 7, 1, 7, 0, tzinfo=dt.UTC)
    job.closes_at = dt.datetime(2099, 7, 1, 9, 0, tzinfo=dt.UTC)
    job.save()
    page = client.get("/careers/gauge-keeper/").content.decode()
    assert "You can apply from 1 July 2099, 09:00 (CEST)." in page
    assert "This job is closed" not in page
    assert "ld+json" not in page


def test_unpublished_job_page_answers_gone_without_naming_it(
    client: Client, job: Any, job_index: Any
) -> None:
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


def test_expired_job_page_answers_gone_and_names_it(client: Client, job: Any) -> None:
    job.first_published_at, job.live, job.expired = ago(9), False, True
    job.save()
    response = client.get("/careers/gauge-keeper/")
    assert response.status_code == 410
    assert "“Gauge keeper” is no longer open" in response.content.decode()


def test_redirect_from_unpublished_job_is_followed(client: Client, job: Any) -> None:
    job.first_published_at, job.live = ago(9), False
    job.save()
    Redirect.add_redirect("/careers/gauge-keeper/", "https://example.org/filled/")
    response = client.get("/careers/gauge-keeper/?from=mail")
    assert (response.status_code, response["Location"]) == (301, "https://example.org/filled/")


@pytest.mark.parametrize("path", ["/careers/gauge-keeper/", "/careers/gauge-keeper/more/"])
def test_never_published_job_is_not_found(client: Client, job: Any, path: str) -> None:
    job.live = False
    job.save()
    assert client.get(path).status_code == 404


def test_unpublished_job_in_private_list_stays_private(
    client: Client, job: Any, job_index: Any
) -> None:
    job.first_published_at, job.live = ago(9), False
    job.save()
    PageViewRestriction.objects.create(page=job_index, restriction_type="login")
    assert client.get("/careers/gauge-keeper/").status_code == 302


def test_preview_of_unpublished_job_shows_it(client: Client, job: Any) -> None:
    job.first_published_at, job.live = ago(9), False
    job.save()
    job.save_revision()
    client.force_login(people.ada())
    response = client.get(f"/admin/pages/{job.pk}/view_draft/")
    assert response.status_code == 200
    assert job.title in response.content.decode()
