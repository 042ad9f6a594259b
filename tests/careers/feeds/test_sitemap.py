"""The sitemap and robots.txt: every public page, and no other."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.utils import timezone
from wagtail.models import Locale, PageViewRestriction

from careers.feeds import responses, sitemap
from home.content_version import ContentVersion
from home.models import PlainPage
from tests.support.factories import HomePageFactory, JobPageFactory

pytestmark = pytest.mark.django_db

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
XHTML = "{http://www.w3.org/1999/xhtml}"


def entries(client: Client) -> dict[str, dict[str, str]]:
    """Each address with its other languages."""
    response = client.get("/sitemap.xml")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/xml; charset=utf-8"
    return {
        entry.findtext(f"{SITEMAP}loc") or "": {
            link.get("hreflang", ""): link.get("href", "") for link in entry.findall(f"{XHTML}link")
        }
        for entry in ElementTree.fromstring(response.content)
    }


def test_sitemap_lists_public_pages_and_open_jobs(
    client: Client, job: Any, job_index: Any, home: Any
) -> None:
    JobPageFactory(parent=job_index, slug="closed", closes_at=timezone.now())
    JobPageFactory(parent=job_index, slug="later", opens_at=timezone.now() + dt.timedelta(days=1))
    JobPageFactory(parent=job_index, slug="draft", live=False)
    home.add_child(instance=PlainPage(title="Privacy", slug="privacy"))
    secret = home.add_child(instance=PlainPage(title="Secret", slug="secret"))
    PageViewRestriction.objects.create(page=secret, restriction_type="password", password="x")
    assert sorted(entries(client)) == [
        "http://localhost/",
        "http://localhost/careers/",
        "http://localhost/careers/gauge-keeper/",
        "http://localhost/privacy/",
    ]


def test_sitemap_has_date_of_last_publication(client: Client, job: Any) -> None:
    job.last_published_at = dt.datetime(2026, 5, 4, tzinfo=dt.UTC)
    job.opened_at = dt.datetime(2026, 5, 3, tzinfo=dt.UTC)
    job.save()
    assert "<lastmod>2026-05-04</lastmod>" in client.get("/sitemap.xml").content.decode()


def test_sitemap_names_translations_of_a_page(client: Client, home: Any) -> None:
    french = Locale.objects.create(language_code="fr")
    HomePageFactory(locale=french, translation_key=home.translation_key, slug="home-fr")
    found = entries(client)
    assert len({tuple(others.items()) for others in found.values()}) == 1
    assert set(found["http://localhost/"]) >= {"en"}


def test_current_sitemap_answers_not_modified(client: Client, job: Any) -> None:
    etag = client.get("/sitemap.xml")["ETag"]
    assert client.get("/sitemap.xml", headers={"if-none-match": etag}).status_code == 304


def locations(client: Client, address: str) -> list[str]:
    root = ElementTree.fromstring(b"".join(client.get(address)))
    return [location.text or "" for location in root.iter(f"{SITEMAP}loc")]


@pytest.mark.parametrize("limit", [{"MOST": 4}, {"LINKS": 8}])
def test_sitemap_with_too_many_addresses_is_an_index(
    client: Client,
    job_index: Any,
    home: Any,
    monkeypatch: pytest.MonkeyPatch,
    limit: dict[str, int],
) -> None:
    for _number in range(5):
        JobPageFactory(parent=job_index)
    french = Locale.objects.create(language_code="fr")
    HomePageFactory(locale=french, translation_key=home.translation_key, slug="home-fr")
    everything = locations(client, "/sitemap.xml")
    assert client.get("/sitemap-1.xml").status_code == 404
    for name, value in limit.items():
        monkeypatch.setattr(sitemap, name, value)
    files = locations(client, "/sitemap.xml")
    assert files == [f"http://localhost/sitemap-{number}.xml" for number in range(1, 5)]
    parts = [locations(client, file.removeprefix("http://localhost")) for file in files]
    assert sorted(url for part in parts for url in part) == sorted(everything)
    assert max(len(part) for part in parts) <= 4
    assert any({"http://localhost/", "http://localhost/fr/"} <= set(part) for part in parts)
    for number in (0, 5, 10**30):
        assert client.get(f"/sitemap-{number}.xml").status_code == 404


@pytest.mark.parametrize("address", ["/sitemap.xml", "/jobs.atom"])
def test_large_feed_is_streamed_and_has_an_entity_tag(
    client: Client, job: Any, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(responses, "WHOLE", 0)
    found = client.get(address)
    assert found.streaming
    etag = found["ETag"]
    again = client.get(address, headers={"if-none-match": etag})
    assert (again.status_code, again["ETag"]) == (304, etag)
    ContentVersion.objects.update_or_create(pk=1, defaults={"version": "other"})
    changed = client.get(address, headers={"if-none-match": etag})
    assert (changed.status_code, changed["ETag"] == etag) == (200, False)


def test_robots_txt_excludes_private_addresses(client: Client, job: Any) -> None:
    response = client.get("/robots.txt")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    rules = RobotFileParser()
    rules.parse(response.content.decode().splitlines())
    assert rules.site_maps() == ["http://localhost/sitemap.xml"]
    for path in ("/", "/careers/", "/careers/gauge-keeper/", "/jobs.atom", "/static/css/x.css"):
        assert rules.can_fetch("Googlebot", path), path
    for path in ("/admin/", f"/apply/{job.job_key}/", "/received/abc/", "/flower/"):
        assert not rules.can_fetch("Googlebot", path), path
