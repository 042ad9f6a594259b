"""What a job's translations have in common with it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from careers.jobs.models import JobIndexPage, JobPage, Location
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


def test_translation_has_its_own_words_and_the_facts_of_the_job(french_job: Any, job: Any) -> None:
    assert french_job.live
    assert french_job.title == "Gardien de jauges"
    assert french_job.slug == job.slug
    assert french_job.job_key == job.job_key
    assert french_job.hr_recipients == "hr@example.org"
    assert french_job.get_url() == "/fr/careers/gauge-keeper/"


def test_closed_job_is_closed_in_all_languages_at_once(french_job: Any, job: Any) -> None:
    publish(job, closes_at=YESTERDAY)
    french_job.refresh_from_db()
    assert french_job.closes_at == YESTERDAY
    assert not french_job.is_open
    assert french_job.title == "Gardien de jauges"
    assert not french_job.has_unpublished_changes


def test_new_facts_reach_the_translation_at_once(french_job: Any, job: Any) -> None:
    harbour = Location.objects.create(name="Bergen", slug="bergen", country="NO")
    job.locations.add(harbour)
    publish(job, pay_from=30, pay_unit="HOUR", hr_recipients="new@example.org", ask_cv="off")
    french = JobPage.objects.get(pk=french_job.pk)
    assert french.recipients() == ["new@example.org"]
    assert (french.pay_from, french.pay_unit, french.ask_cv) == (30, "HOUR", "off")
    assert french.place_names == ["Bergen"]
    job.locations.clear()
    publish(job)
    assert JobPage.objects.get(pk=french_job.pk).place_names == []


def test_texts_wait_for_a_translator_who_sees_them_at_once(french_job: Any, job: Any) -> None:
    publish(job, summary="Keep twelve gauges.")
    french_job.refresh_from_db()
    assert french_job.summary == "Build and mend movements."
    assert "Keep twelve gauges." in [entry.msgid for entry in translation_of(job).export_po()]


def test_translating_again_never_brings_old_facts_back(french_job: Any, job: Any) -> None:
    publish(job, closes_at=YESTERDAY)
    again = in_french(job, {"Gauge keeper": "Gardienne de jauges"})
    assert again.title == "Gardienne de jauges"
    assert again.closes_at == YESTERDAY


def test_draft_of_a_translation_gets_the_facts_and_stays_a_draft(french_job: Any, job: Any) -> None:
    french_job.title = "Gardien·ne de jauges"
    french_job.save_revision()
    publish(job, closes_at=YESTERDAY)
    french_job.refresh_from_db()
    draft = french_job.get_latest_revision_as_object()
    assert (french_job.title, french_job.closes_at) == ("Gardien de jauges", YESTERDAY)
    assert (draft.title, draft.closes_at) == ("Gardien·ne de jauges", YESTERDAY)
    assert french_job.has_unpublished_changes


def test_unpublished_translation_gets_the_facts_and_stays_unpublished(
    home: Any, job_index: Any, job: Any
) -> None:
    french_site(home, job_index)
    french = in_french(job, publish=False)
    publish(job, closes_at=YESTERDAY)
    french.refresh_from_db()
    assert not french.live
    assert french.get_latest_revision_as_object().closes_at == YESTERDAY


def test_draft_of_the_original_changes_nothing(french_job: Any, job: Any) -> None:
    job.closes_at = YESTERDAY
    job.save_revision()
    french_job.refresh_from_db()
    assert french_job.closes_at is None


def test_translation_leads_nothing(french_job: Any, job: Any) -> None:
    publish(french_job, closes_at=YESTERDAY)
    job.refresh_from_db()
    assert job.closes_at is None


def test_job_that_is_taken_down_is_so_in_all_languages(french_job: Any, job: Any) -> None:
    job.unpublish()
    french_job.refresh_from_db()
    assert not french_job.live


def test_translation_that_is_taken_down_leaves_the_original(french_job: Any, job: Any) -> None:
    french_job.unpublish()
    job.refresh_from_db()
    assert job.live


def test_publishing_without_a_change_writes_no_revision(french_job: Any, job: Any) -> None:
    before = french_job.revisions.count()
    publish(job)
    assert french_job.revisions.count() == before


def test_addresses_of_the_list_are_shared_too(french_job: Any, job: Any, job_index: Any) -> None:
    publish(job, hr_recipients="")
    in_french(job_index)
    publish(job_index, hr_recipients="list@example.org")
    assert JobPage.objects.get(pk=french_job.pk).recipients() == ["list@example.org"]
    assert shared_fields(JobIndexPage) == ["hr_recipients"]


def test_job_without_translation_is_published_as_ever(job_index: Any) -> None:
    job = JobPageFactory(parent=job_index)
    publish(job, closes_at=YESTERDAY)
    assert job.get_translations().count() == 0


def test_original_rules_its_translation_and_itself(french_job: Any, job: Any) -> None:
    assert original_of(french_job) == job
    assert type(original_of(french_job)) is JobPage
    assert original_of(job) == job


def test_list_that_wagtail_made_for_a_translation_is_ruled_by_the_one_it_repeats(job: Any) -> None:
    # Nobody translated the list of jobs: Wagtail puts an alias there, which can't be edited.
    parent = in_french(job).get_parent().specific
    assert parent.locale.language_code == "fr"
    assert original_of(parent) == job.get_parent().specific


def test_page_that_stands_for_itself_has_no_other_original(french_job: Any, job: Any) -> None:
    copied = french_job.get_parent().specific
    assert original_of(copied) == copied
    job.delete()
    french_job.refresh_from_db()
    assert original_of(french_job) == french_job


def test_page_is_edited_as_a_translation_until_that_is_stopped(french_job: Any, job: Any) -> None:
    assert is_translated(french_job)
    assert not is_translated(job)
    translation = translation_of(job)
    translation.enabled = False
    translation.save()
    assert not is_translated(french_job)
