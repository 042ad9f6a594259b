"""When a job was opened, when it closes, and how long forms are accepted after that."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from careers.feeds.job_posting import job_posting
from careers.jobs.models import JobPage
from careers.jobs.taxonomy import Location
from home.caching import seconds_until
from home.models import SiteSettings
from tests.support.factories import JobPageFactory
from tests.support.translating import french, french_site, in_french

NOW = dt.datetime(2027, 3, 1, 12, 0, tzinfo=dt.UTC)


def at(hours: float | None) -> dt.datetime | None:
    return None if hours is None else NOW + dt.timedelta(hours=hours)


# ── The latest opening ──────────────────────────────────────────────────────────────────

#: What happens to a job at which hour, and the hour from which it counts as open.
OPENINGS: dict[str, tuple[list[tuple[float, Any]], float]] = {
    "published": ([(1, {})], 1),
    "changed": ([(1, {}), (5, {"summary": "New"})], 1),
    "unpublished and published": ([(1, {}), (5, "unpublish"), (9, {})], 9),
    "closed and opened": ([(1, {"closes_at": 4}), (9, {"closes_at": 20})], 9),
    "opened without an end": ([(1, {"closes_at": 4}), (9, {"closes_at": None})], 9),
    "closed by hand and opened": ([(1, {}), (5, {"closes_at": 4}), (9, {"closes_at": 20})], 9),
    "extended in time": ([(1, {"closes_at": 4}), (3, {"closes_at": 20})], 1),
    "changed after it closed": ([(1, {"closes_at": 4}), (9, {"summary": "New"})], 1),
    "published after it closed": ([(5, {"closes_at": 4})], 5),
    "opens later": ([(1, {"opens_at": 6})], 6),
    "opens even later": ([(1, {"opens_at": 6}), (2, {"opens_at": 8})], 8),
    "opens now instead of later": ([(1, {"opens_at": 6}), (2, {"opens_at": None})], 2),
    "changed after it opened": ([(1, {"opens_at": 6}), (9, {"summary": "New"})], 6),
    "postponed while open": ([(1, {}), (3, {"opens_at": 8})], 8),
    "unpublished by schedule": ([(1, {"expire_at": 4}), (5, "schedule"), (9, {})], 9),
    "published by schedule": ([(1, {"go_live_at": 4}), (5, "schedule")], 5),
    "published again by schedule": ([(1, {}), (2, {"go_live_at": 4}), (5, "schedule")], 1),
    "opened by an older draft": ([(1, {}), (2, "unpublish"), (3, "first draft")], 3),
}


def happen(job: Any, what: Any) -> None:
    job = JobPage.objects.get(pk=job.pk)
    if what == "unpublish":
        job.unpublish()
    elif what == "schedule":
        call_command("publish_scheduled")
    elif what == "first draft":
        job.revisions.earliest("pk").publish()
    else:
        job = job.get_latest_revision_as_object()
        for name, value in what.items():
            setattr(job, name, at(value) if name.endswith("_at") else value)
        job.save_revision().publish()


@pytest.mark.django_db
def test_job_counts_as_open_since_its_latest_opening(job_index: Any, time_machine: Any) -> None:
    found = {}
    for name, (events, _hour) in OPENINGS.items():
        time_machine.move_to(NOW, tick=False)
        job = JobPageFactory(parent=job_index, live=False)
        for hour, what in events:
            time_machine.move_to(at(hour), tick=False)
            happen(job, what)
        found[name] = JobPage.objects.get(pk=job.pk).posted_at
    assert found == {name: at(hour) for name, (_events, hour) in OPENINGS.items()}


@pytest.mark.django_db
def test_reopened_job_is_first_in_every_list(
    client: Client, job: Any, job_index: Any, time_machine: Any
) -> None:
    job.locations.add(Location.objects.create(name="Bergen", slug="bergen", country="NO"))
    job.save_revision().publish()
    time_machine.move_to(NOW, tick=False)
    other = JobPageFactory(parent=job_index, title="Other")
    job.unpublish()
    time_machine.move_to(at(48), tick=False)
    job.save_revision().publish()
    again = JobPage.objects.get(pk=job.pk)
    assert list(JobPage.objects.open()) == [again, other]
    assert (job_posting(again) or {})["datePosted"] == "2027-03-03"
    assert "<published>2027-03-03T12:00:00" in client.get("/jobs.atom").content.decode()
    assert "<lastmod>2027-03-03</lastmod>" in client.get("/sitemap.xml").content.decode()


@pytest.mark.django_db
def test_job_of_earlier_release_keeps_its_date(job: Any, job_index: Any, time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)
    first = at(-48)
    JobPage.objects.filter(pk=job.pk).update(opened_at=None, first_published_at=first)
    job = JobPage.objects.get(pk=job.pk)
    job.save_revision().publish()
    job.refresh_from_db()
    assert (job.posted_at, job.opened_at) == (first, None)
    newer = JobPageFactory(parent=job_index)
    assert list(JobPage.objects.open()) == [newer, job]


@pytest.mark.django_db
def test_translations_are_reopened_with_their_original(
    home: Any, job_index: Any, job: Any, time_machine: Any
) -> None:
    time_machine.move_to(NOW, tick=False)
    french_site(home, job_index)
    translated = in_french(job)
    happen(job, {"closes_at": 4})
    time_machine.move_to(at(9), tick=False)
    happen(job, {"closes_at": 20})
    translated.refresh_from_db()
    assert (translated.is_open, translated.posted_at) == (True, at(9))


# ── Copies ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("opens", "closes", "copied"),
    [(-9, -1, (None, None)), (-9, 1, (None, 1)), (1, 2, (1, 2)), (None, None, (None, None))],
    ids=["closed", "open", "upcoming", "without dates"],
)
def test_copy_gets_only_dates_of_the_future(
    job: Any, time_machine: Any, opens: Any, closes: Any, copied: Any
) -> None:
    time_machine.move_to(NOW, tick=False)
    happen(job, {"opens_at": opens, "closes_at": closes})
    job.refresh_from_db()
    copy = job.copy(update_attrs={"slug": "copy"}, keep_live=False)
    for page in (JobPage.objects.get(pk=copy.pk), copy.get_latest_revision_as_object()):
        assert (page.opens_at, page.closes_at) == tuple(map(at, copied))
        assert (page.opened_at, page.closed_at) == (None, None)


@pytest.mark.django_db
def test_copy_for_translation_keeps_closing_time_of_its_job(
    home: Any, job_index: Any, job: Any
) -> None:
    french_site(home, job_index)
    job.closes_at = at(-9999)
    job.save()
    translated = job.copy_for_translation(french())
    assert JobPage.objects.get(pk=translated.pk).closes_at == job.closes_at
    assert translated.get_latest_revision_as_object().closes_at == job.closes_at


# ── Dates without a database ────────────────────────────────────────────────────────────


def job_with(minutes: int = 60, **hours: Any) -> JobPage:
    """A job that is not stored; times are in hours from now, ``minutes`` is the grace."""
    given = {name: at(value) if name.endswith("_at") else value for name, value in hours.items()}
    # With a content type, Wagtail asks the database for none.
    job = JobPage(**{"content_type_id": 1, "live": True, **given})
    job.company = SiteSettings(closing_grace=minutes)
    return job


@pytest.mark.parametrize(
    ("job", "until"),
    [
        (job_with(), None),
        (job_with(closes_at=1), None),
        (job_with(closes_at=0), 1),
        (job_with(closes_at=-0.5), 0.5),
        (job_with(closes_at=-1), None),
        (job_with(closes_at=-0.5, minutes=0), None),
        (job_with(closes_at=-0.5, minutes=20), None),
        (job_with(closes_at=-5, minutes=1440), 19),
        # A person closed it by a time in the past: the form was there until then.
        (job_with(closes_at=-24, closed_at=-0.25), 0.75),
        (job_with(closes_at=-24, closed_at=-2), None),
        (job_with(expire_at=-0.5), 0.5),
        (job_with(closes_at=-0.75, expire_at=-0.5), 0.25),
        (job_with(expire_at=-0.5, live=False, expired=True), 0.5),
        (job_with(expire_at=-2, live=False, expired=True), None),
        (job_with(closed_at=-0.5, live=False, expired=True), 0.5),
        (job_with(live=False, expired=True), None),
        # A person unpublished it.
        (job_with(live=False), None),
        (job_with(live=False, closes_at=-0.5), None),
        (job_with(live=False, expire_at=-0.5), None),
        (job_with(live=False, closes_at=1), None),
        (job_with(opens_at=1), None),
        (job_with(opens_at=1, closed_at=-0.5), None),
    ],
)
def test_grace_begins_when_the_form_is_removed(
    job: JobPage, until: float | None, time_machine: Any
) -> None:
    time_machine.move_to(NOW, tick=False)
    assert job.grace_until == at(until)


@pytest.mark.parametrize(
    ("job", "published", "never"),
    [
        (job_with(), 0, False),
        (job_with(closes_at=1), 0, False),
        (job_with(closes_at=-1), 0, True),
        (job_with(expire_at=-1), 0, True),
        (job_with(opens_at=2, closes_at=3), 0, False),
        (job_with(opens_at=2, expire_at=1), 0, True),
        (job_with(closes_at=2), 3, True),
        (job_with(opens_at=4, closes_at=5), 3, False),
    ],
)
def test_job_never_opens_if_it_closes_first(
    job: JobPage, published: float, never: bool, time_machine: Any
) -> None:
    time_machine.move_to(NOW, tick=False)
    assert job.never_opens(NOW + dt.timedelta(hours=published)) is never


# ── Caches ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seconds", [None, 9999, 60, 59.9, 0.9, 0, -5])
def test_seconds_until_moment_are_whole_and_bounded(
    seconds: float | None, time_machine: Any
) -> None:
    time_machine.move_to(NOW, tick=False)
    until = None if seconds is None else NOW + dt.timedelta(seconds=seconds)
    found = seconds_until(until, most=60)
    assert found == (60 if seconds is None else min(60, max(0, int(seconds))))


@pytest.mark.django_db
@pytest.mark.parametrize("date", ["opens_at", "closes_at", "expire_at"])
def test_lifetimes_of_feeds_end_with_next_change(
    client: Client, job: Any, time_machine: Any, date: str
) -> None:
    time_machine.move_to(NOW, tick=False)
    happen(job, {date: 0.01})
    addresses = ("/jobs.atom", "/sitemap.xml")
    assert {client.get(address)["Cache-Control"] for address in addresses} == {"public, max-age=36"}
