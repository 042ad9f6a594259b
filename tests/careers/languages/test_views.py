"""Who may begin, update and publish the translation of a page."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import TestCase
from wagtail.models import Page
from wagtail_localize.models import TranslationSource

from tests.support import people
from tests.support.factories import HomePageFactory
from tests.support.people import logged_in
from tests.support.translating import french, in_french

pytestmark = pytest.mark.django_db

PERMISSION = ("wagtail_localize", "submit_translation")


def translator(part: Page, name: str) -> Any:
    """A person who translates and publishes the pages of ``part``."""
    user = people.hanna(part, name, ())
    people.allow(user, *PERMISSION)
    return user


def test_translation_of_a_page_begins_for_its_editors_only(job: Any) -> None:
    in_french(job.get_parent().specific)
    url, form = f"/admin/localize/submit/page/{job.pk}/", {"locales": french().pk}
    logged_in(translator(HomePageFactory(), "stranger")).post(url, form)
    assert job.get_translations().count() == 0
    logged_in(translator(job, "owner")).post(url, form)
    assert job.get_translations().count() == 1


def test_translations_are_updated_and_published_by_people_with_these_rights(job: Any) -> None:
    translated = in_french(job)
    source = TranslationSource.objects.get(object_id=job.translation_key)
    url = f"/admin/localize/update/{source.pk}/"
    job.summary = "Changed."
    job.save_revision().publish()

    def published(client: Any) -> bool:
        before = Page.objects.get(pk=translated.pk).last_published_at
        # wagtail-localize publishes at the end of the transaction.
        with TestCase.captureOnCommitCallbacks(execute=True):
            client.post(url, {"publish_translations": "on"})
        return bool(Page.objects.get(pk=translated.pk).last_published_at != before)

    assert not published(logged_in(translator(HomePageFactory(), "stranger")))
    assert not published(logged_in(translator(job, "owner")))
    both = translator(job, "both")
    both.groups.add(people.hanna(translated, "french", ()).groups.get())
    assert published(logged_in(both))
