"""The fields that a job shares with its translations."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from careers.jobs.models import JobIndexPage, JobPage
from careers.jobs.taxonomy import Location
from careers.languages.sharing import is_translated, original_of, shared_fields
from tests.support.factories import JobPageFactory
from tests.support.translating import french_site, in_french, translation_of

pytestmark = pytest.mark.django_db

YESTERDAY = (timezone.now() - dt.timedelta(days=1)).replace(microsecond=0)


@pytest.fixture
def french_job(home: Any, job_index: Any, job: Any) -> Any:
    french_site(home, job_index)
    return in_french(job, {"Gauge keeper": "Gardien de jauges"})


def publish(job: Any, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(job, name, value)
    job.save_revision().publish()


def test_translation_has_own_texts_and_shared_fields(french_job: Any, job: Any) -> None:
    assert french_job.live
    assert french_job.title == "Gardien de jauges"
    assert french_job.slug == job.slug
    assert french_job.job_key == job.job_key
    assert french_job.hr_recipients == "hr@example.org"
    assert french_job.get_url() == "/fr/careers/gauge-keeper/"


def test_closing_a_job_closes_it_in_every_language(french_job: Any, job: Any) -> None:
    publish(job, closes_at=YESTERDAY)
    french_job.refresh_from_db()
    assert french_job.closes_at == YESTERDAY
    assert not french_job.is_open
    assert french_job.title == "Gardien de jauges"
    assert not french_job.has_unpublished_changes


def test_publish_copies_shared_fields_to_translation(french_job: Any, job: Any) -> None:
    harbour = Location.objects.create(name="Bergen", slug="bergen", country="NO")
    job.locations.add(harbour)
    publish(job, pay_from=30, pay_unit="HOUR", hr_recipients="new@example.org", ask_cv="off")
    french = JobPage.objects.get(pk=french_job.pk)
    assert french.recipients() == ["new@example.org"]
    assert (french.pay_from, french.pay_unit, french.ask_cv) == (30, "HOUR", "off")
    assert french.location_names == ["Bergen"]
    job.locations.clear()
    publish(job)
    assert JobPage.objects.get(pk=french_job.pk).location_names == []


def test_publish_shows_new_texts_to_translator_only(french_job: Any, job: Any) -> None:
    publish(job, summary="Keep twelve gauges.")
    french_job.refresh_from_db()
    assert french_job.summary == "Build and mend movements."
    assert "Keep twelve gauges." in [entry.msgid for entry in translation_of(job).export_po()]


def test_publishing_translation_keeps_new_shared_fields(french_job: Any, job: Any) -> None:
    publish(job, closes_at=YESTERDAY)
    again = in_french(job, {"Gauge keeper": "Gardienne de jauges"})
    assert again.title == "Gardienne de jauges"
    assert again.closes_at == YESTERDAY


def test_draft_translation_gets_shared_fields_and_stays_draft(french_job: Any, job: Any) -> None:
    french_job.title = "Gardien·ne de jauges"
    french_job.save_revision()
    publish(job, closes_at=YESTERDAY)
    french_job.refresh_from_db()
    draft = french_job.get_latest_revision_as_object()
    assert (french_job.title, french_job.closes_at) == ("Gardien de jauges", YESTERDAY)
    assert (draft.title, draft.closes_at) == ("Gardien·ne de jauges", YESTERDAY)
    assert french_job.has_unpublished_changes


def test_unpublished_translation_gets_shared_fields_and_stays_unpublished(
    home: Any, job_index: Any, job: Any
) -> None:
    french_site(home, job_index)
    french = in_french(job, publish=False)
    publish(job, closes_at=YESTERDAY)
    french.refresh_from_db()
    assert not french.live
    assert french.get_latest_revision_as_object().closes_at == YESTERDAY


def test_draft_of_original_does_not_change_translation(french_job: Any, job: Any) -> None:
    job.closes_at = YESTERDAY
    job.save_revision()
    french_job.refresh_from_db()
    assert french_job.closes_at is None


def test_publishing_translation_does_not_change_original(french_job: Any, job: Any) -> None:
    publish(french_job, closes_at=YESTERDAY)
    job.refresh_from_db()
    assert job.closes_at is None


def test_unpublish_original_unpublishes_translations(french_job: Any, job: Any) -> None:
    job.unpublish()
    french_job.refresh_from_db()
    assert not french_job.live


def test_unpublish_translation_keeps_original_live(french_job: Any, job: Any) -> None:
    french_job.unpublish()
    job.refresh_from_db()
    assert job.live


def test_publish_without_change_writes_no_revision(french_job: Any, job: Any) -> None:
    before = french_job.revisions.count()
    publish(job)
    assert french_job.revisions.count() == before


def test_job_index_recipients_are_shared(french_job: Any, job: Any, job_index: Any) -> None:
    publish(job, hr_recipients="")
    in_french(job_index)
    publish(job_index, hr_recipients="list@example.org")
    assert JobPage.objects.get(pk=french_job.pk).recipients() == ["list@example.org"]
    assert shared_fields(JobIndexPage) == ["hr_recipients"]


def test_publish_without_translation_succeeds(job_index: Any) -> None:
    job = JobPageFactory(parent=job_index)
    publish(job, closes_at=YESTERDAY)
    assert job.get_translations().count() == 0


def test_original_of_translation_and_original_is_the_original(french_job: Any, job: Any) -> None:
    assert original_of(french_job) == job
    assert type(original_of(french_job)) is JobPage
    assert original_of(job) == job


def test_original_of_alias_is_the_aliased_page(job: Any) -> None:
    # The list of jobs is not translated: Wagtail puts an alias there, which can't be edited.
    parent = in_french(job).get_parent().specific
    assert parent.locale.language_code == "fr"
    assert original_of(parent) == job.get_parent().specific


def test_original_of_untranslated_page_is_itself(french_job: Any, job: Any) -> None:
    copied = french_job.get_parent().specific
    assert original_of(copied) == copied
    job.delete()
    french_job.refresh_from_db()
    assert original_of(french_job) == french_job


def test_is_translated_until_translation_is_stopped(french_job: Any, job: Any) -> None:
    assert is_translated(french_job)
    assert not is_translated(job)
    translation = translation_of(job)
    translation.enabled = False
    translation.save()
    assert not is_translated(french_job)
