"""What a web process keeps of the content: never longer than a version of the content."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone
from wagtail.models import PageViewRestriction, Site

from home import content_cache
from home.content_cache import cached, requests_share_content
from home.models import SiteSettings
from tests.support.factories import JobPageFactory


def in_request(ask: Callable[[], Any], path: str = "/") -> Any:
    """What ``ask`` returns within a request."""
    found = []

    def view(_request: Any) -> HttpResponse:
        found.append(ask())
        return HttpResponse()

    requests_share_content(view)(RequestFactory().get(path))
    return found[0]


@pytest.fixture
def made(db: None, kept_content: Callable[[], None]) -> Callable[[], int]:
    """Returns how often the value was made."""
    numbers = count(1)
    return lambda: cached("key", lambda: next(numbers))


def test_cached_makes_value_once_for_each_version(
    made: Callable[[], int], kept_content: Callable[[], None]
) -> None:
    assert [in_request(made), in_request(made)] == [1, 1]
    kept_content()
    assert in_request(made) == 2


def test_cached_makes_value_again_after_a_minute(
    made: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change that passes by Django writes no version."""
    assert in_request(made) == 1
    monkeypatch.setattr(content_cache._newest, "ends_at", 0)
    assert in_request(made) == 2


def test_site_whose_root_is_a_list_of_jobs_is_shown(
    job: Any, job_index: Any, client: Client, kept_content: Any
) -> None:
    Site.objects.update(root_page=job_index)
    Site.clear_site_root_paths_cache()
    kept_content()
    assert client.get("/").status_code == 200
    assert client.get("/").status_code == 200


def test_cached_makes_value_again_in_admin_and_outside_of_requests(
    made: Callable[[], int],
) -> None:
    assert [in_request(made, "/admin/pages/"), in_request(made, "/admin/pages/")] == [1, 2]
    assert [made(), made()] == [3, 4]


def test_cached_makes_value_again_inside_transaction(
    made: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert in_request(made) == 1
    monkeypatch.setattr(content_cache, "_in_transaction", lambda: True)
    assert in_request(made) == 2


def test_cached_makes_value_again_once_it_has_ended(db: None, kept_content: Any) -> None:
    numbers = count()
    ends = iter([timezone.now(), None])
    ask = lambda: cached("key", lambda: next(numbers), until=lambda _value: next(ends))  # noqa: E731
    assert [in_request(ask) for _time in range(3)] == [0, 1, 1]


def test_cached_keeps_a_bounded_number_of_values(db: None, kept_content: Any) -> None:
    for number in range(content_cache.MOST + 10):
        in_request(lambda number=number: cached(number, lambda: number))
    assert len(content_cache._newest.values) <= content_cache.MOST


def test_request_without_table_of_versions_makes_every_value(
    made: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content_cache, "_version", lambda: None)
    assert [in_request(made), in_request(made)] == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_every_page_shows_a_change_right_after_its_commit(
    client: Client, job: Any, job_index: Any
) -> None:
    def page(path: str = "/careers/") -> str:
        return client.get(path).content.decode()

    assert "Tidewater Instruments" in page()
    SiteSettings.objects.update(company_name="Lowwater")
    assert "Lowwater" in page()
    cook = JobPageFactory(parent=job_index, title="Cook", slug="cook")
    assert "Cook" in page()
    assert "Cook" in page("/careers/cook/")
    type(cook).objects.filter(pk=cook.pk).update(title="Baker")
    assert "Baker" in page()
    assert "Baker" in page("/careers/cook/")
    Site.objects.update(hostname="jobs.example.org")
    assert "http://jobs.example.org/careers/cook/" in page("/careers/cook/")
    PageViewRestriction.objects.create(page=cook, restriction_type="login")
    assert "Baker" not in page()
    assert client.get("/careers/cook/").status_code == 302
    job_index.refresh_from_db()
    job_index.slug = "work"
    job_index.save()
    assert client.get("/careers/").status_code == 301
    assert "Gauge keeper" in page("/work/")
    job.refresh_from_db()
    job.unpublish()
    assert "Gauge keeper" not in page("/work/")
    assert client.get("/work/gauge-keeper/").status_code == 404


def test_job_leaves_the_list_at_its_closing_moment(
    client: Client, job: Any, kept_content: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.closes_at = timezone.now() + dt.timedelta(hours=1)
    job.save()
    assert "Gauge keeper" in client.get("/careers/").content.decode()
    monkeypatch.setattr(timezone, "now", lambda: job.closes_at)
    assert "Gauge keeper" not in client.get("/careers/").content.decode()
    assert "This job is closed" in client.get("/careers/gauge-keeper/").content.decode()


def test_kept_values_are_bounded_by_bytes(
    kept_content: Callable[[], None], monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    monkeypatch.setattr(content_cache, "MOST_BYTES", 10_000)
    made = count(1)

    def value(key: str, size: int) -> Any:
        return cached(key, lambda: {"number": next(made), "text": ["x" * size]})["number"]

    def ask() -> list[int]:
        return [value(*one) for one in (("a", 4000), ("b", 4000), ("a", 4000), ("huge", 20_000))]

    assert in_request(ask) == [1, 2, 1, 3]
    # The large value took the room of the others, and is not kept itself.
    assert in_request(lambda: [value("huge", 20_000), value("a", 4000)]) == [4, 5]


def test_size_counts_pages_with_their_content_but_no_definitions(job: Any) -> None:
    small = content_cache.size_of(job)
    assert small < 100_000
    job.summary = "x" * 50_000
    assert content_cache.size_of([job, (job,)]) > small + 40_000
