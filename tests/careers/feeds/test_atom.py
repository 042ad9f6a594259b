"""The Atom feed: complete, stable and cheap to request."""

from __future__ import annotations

import datetime as dt
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wagtail.models import Locale

from careers.jobs.models import JobPage
from tests.support.factories import HomePageFactory, JobIndexPageFactory, JobPageFactory

pytestmark = pytest.mark.django_db

ATOM = "{http://www.w3.org/2005/Atom}"


def feed(client: Client, path: str = "/jobs.atom") -> ElementTree.Element:
    response = client.get(path)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    return ElementTree.fromstring(response.content)


def texts(element: ElementTree.Element, path: str) -> list[str | None]:
    return [found.text for found in element.findall(path.replace("a:", ATOM))]


def test_feed_lists_open_jobs_newest_first(client: Client, job: Any, job_index: Any) -> None:
    job.opened_at = timezone.now() - dt.timedelta(days=3)
    job.save()
    JobPageFactory(parent=job_index, title="Newer & <better>")
    JobPageFactory(parent=job_index, title="Closed", closes_at=timezone.now())
    JobPageFactory(parent=job_index, title="Draft", live=False)
    assert texts(feed(client), "a:entry/a:title") == ["Newer & <better>", "Gauge keeper"]


def test_feed_has_all_required_elements(client: Client, job: Any) -> None:
    """RFC 4287, 4.1.1 and 4.1.2."""
    root = feed(client)
    assert root.tag == f"{ATOM}feed"
    for path in ("a:id", "a:title", "a:updated", "a:author/a:name"):
        assert len(texts(root, path)) == 1, path
    for path in ("a:id", "a:title", "a:updated", "a:published", "a:summary"):
        assert len(texts(root, f"a:entry/{path}")) == 1, path
    links = {link.get("rel"): link.get("href") for link in root.findall(f"{ATOM}link")}
    assert links == {
        "alternate": "http://localhost/careers/",
        "self": "http://localhost/jobs.atom",
    }
    entry = root.find(f"{ATOM}entry/{ATOM}link")
    assert entry is not None
    assert entry.get("href") == job.full_url
    assert dt.datetime.fromisoformat(texts(root, "a:updated")[0] or "").tzinfo is not None


def test_entry_id_stays_when_job_address_changes(client: Client, job: Any) -> None:
    (before,) = texts(feed(client), "a:entry/a:id")
    job.slug, job.title = "keeper-of-gauges", "Keeper of gauges"
    job.save()
    assert texts(feed(client), "a:entry/a:id") == [before]
    assert before is not None
    assert before.startswith("tag:localhost,")
    assert before.endswith(f":{job.translation_key}/en")


def test_feed_without_jobs_is_valid_and_stable(client: Client, job_index: Any) -> None:
    assert texts(feed(client), "a:entry") == []
    assert client.get("/jobs.atom").content == client.get("/jobs.atom").content


def test_current_feed_answers_not_modified(client: Client, job: Any) -> None:
    first = client.get("/jobs.atom")
    assert first["Cache-Control"] == "public, max-age=300"
    again = client.get("/jobs.atom", headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    job.closes_at = timezone.now()
    job.save()
    assert client.get("/jobs.atom", headers={"if-none-match": first["ETag"]}).status_code == 200


def test_site_without_job_index_has_no_feed(client: Client, home: Any) -> None:
    assert client.get("/jobs.atom").status_code == 404


def test_job_index_links_to_feed(client: Client, job_index: Any) -> None:
    page = client.get("/careers/").content.decode()
    assert (
        '<link rel="alternate" type="application/atom+xml" title="Jobs" href="/jobs.atom">' in page
    )


def test_feed_lists_only_jobs_of_its_language(client: Client, job: Any, home: Any) -> None:
    french = Locale.objects.create(language_code="fr")
    front = HomePageFactory(locale=french, translation_key=home.translation_key)
    index = JobIndexPageFactory(parent=front, locale=french)
    JobPageFactory(parent=index, title="Horloger", locale=french)
    assert texts(feed(client), "a:entry/a:title") == ["Gauge keeper"]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(title=st.text(min_size=1, max_size=40) | st.sampled_from(["\x0b]]>", "\ufffe", "<![CDATA["]))
def test_feed_with_any_title_is_well_formed(job: Any, title: str) -> None:
    # A NUL is refused by PostgreSQL, and by Wagtail's forms before it.
    JobPage.objects.filter(pk=job.pk).update(title=title.replace("\x00", ""))
    assert len(texts(feed(Client()), "a:entry")) == 1
