"""A process that knows a job decides by what the database holds now."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.models import PageViewRestriction

from careers.apply.known_jobs import KnownJob, find
from careers.jobs.models import JobPage
from home.content_cache import requests_share_content
from home.models import SiteSettings

HOUR = dt.timedelta(hours=1)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _known(job: Any) -> None:
    """The process has found the job once."""
    found(job)


def found(job: Any) -> Any:
    """What a request finds."""
    results: list[KnownJob | None] = []

    def view(_request: HttpRequest) -> HttpResponse:
        results.append(find(job.job_key))
        return HttpResponse()

    requests_share_content(view)(RequestFactory().post(job.apply_url))
    return results[0]


def test_known_job_takes_one_query(job: Any) -> None:
    with CaptureQueriesContext(connection) as statements:
        known = found(job)
        assert known.page.recipients() == ["hr@example.org"]
        assert known.page.is_open
        assert known.page.get_view_restrictions() == []
        form = known.form()
    assert len(statements) == 1
    assert form == job.frozen_form()


def test_any_change_of_content_is_known_at_once(job: Any) -> None:
    JobPage.objects.filter(pk=job.pk).update(title="Tide keeper")
    assert found(job).form().job_title == "Tide keeper"
    SiteSettings.objects.update(privacy_notice="<p>New words.</p>")
    assert found(job).form().privacy_notice == "New words."
    JobPage.objects.filter(pk=job.pk).update(hr_recipients="new@example.org")
    assert found(job).page.recipients() == ["new@example.org"]
    PageViewRestriction.objects.create(page=job.get_parent(), restriction_type="login")
    assert len(list(found(job).page.get_view_restrictions())) == 1
    JobPage.objects.filter(pk=job.pk).update(live=False)
    assert not found(job).page.is_open


def test_deadline_that_passes_closes_a_known_job(job: Any, time_machine: Any) -> None:
    JobPage.objects.filter(pk=job.pk).update(closes_at=timezone.now() + HOUR)
    known = found(job)
    assert known.page.is_open
    assert "Closes" in dict(known.form().facts)
    time_machine.move_to(timezone.now() + 2 * HOUR, tick=False)
    known = found(job)
    assert not known.page.is_open
    assert "Closed" in dict(known.form().facts)


def test_job_that_is_not_there_is_not_kept(job: Any) -> None:
    job.delete()
    with CaptureQueriesContext(connection) as statements:
        assert found(job) is None
        assert found(job) is None
    assert len(statements) == 4
