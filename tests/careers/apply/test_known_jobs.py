"""A process that knows a job decides by what the database holds now."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.models import PageViewRestriction

from careers.apply.known_jobs import KnownJob, KnownJobs
from careers.jobs.models import JobPage
from home.models import SiteSettings

HOUR = dt.timedelta(hours=1)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def jobs(job: Any) -> KnownJobs:
    """It has found the job once."""
    jobs = KnownJobs()
    found(jobs, job)
    return jobs


def found(jobs: KnownJobs, job: Any) -> KnownJob:
    known = jobs.find(job.job_key)
    assert known is not None
    return known


def test_known_job_takes_one_query(jobs: KnownJobs, job: Any) -> None:
    with CaptureQueriesContext(connection) as statements:
        known = found(jobs, job)
        assert known.form() == job.frozen_form()
        assert known.page.recipients() == ["hr@example.org"]
        assert known.page.is_open
        assert list(known.page.get_view_restrictions()) == []
    counted = [each for each in statements if "contentversion" in each["sql"]]
    assert len(counted) == 1


def test_any_change_of_content_is_known_at_once(jobs: KnownJobs, job: Any) -> None:
    JobPage.objects.filter(pk=job.pk).update(title="Tide keeper")
    assert found(jobs, job).form().job_title == "Tide keeper"
    SiteSettings.objects.update(privacy_notice="<p>New words.</p>")
    assert found(jobs, job).form().privacy_notice == "New words."
    JobPage.objects.filter(pk=job.pk).update(hr_recipients="new@example.org")
    assert found(jobs, job).page.recipients() == ["new@example.org"]
    PageViewRestriction.objects.create(page=job.get_parent(), restriction_type="login")
    assert len(list(found(jobs, job).page.get_view_restrictions())) == 1
    JobPage.objects.filter(pk=job.pk).update(live=False)
    assert not found(jobs, job).page.is_open


def test_deadline_that_passes_closes_a_known_job(
    jobs: KnownJobs, job: Any, time_machine: Any
) -> None:
    JobPage.objects.filter(pk=job.pk).update(closes_at=timezone.now() + HOUR)
    known = found(jobs, job)
    assert known.page.is_open
    assert "Closes" in dict(known.form().facts)
    time_machine.move_to(timezone.now() + 2 * HOUR, tick=False)
    known = found(jobs, job)
    assert not known.page.is_open
    assert "Closed" in dict(known.form().facts)


def test_job_that_is_not_there_is_asked_for_each_time(jobs: KnownJobs, job: Any) -> None:
    key = job.job_key
    job.delete()
    assert jobs.find(key) is None
