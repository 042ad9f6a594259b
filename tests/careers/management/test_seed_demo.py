"""The demo company of a new installation."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from wagtail.models import Locale, Page, Site
from wagtail_localize.models import Translation

from careers.jobs.models import JobPage
from careers.jobs.taxonomy import Department
from careers.management.commands.seed_demo import IN_FRENCH

pytestmark = pytest.mark.django_db


@pytest.fixture
def seed(db: None) -> None:
    Locale.objects.get_or_create(language_code="en")
    call_command("seed_demo", stdout=StringIO())


def test_demo_company_speaks_english_and_french(seed: None, client: Any) -> None:
    french = JobPage.objects.filter(locale__language_code="fr")
    assert sorted(french.values_list("slug", flat=True)) == sorted(IN_FRENCH)
    pages = Page.objects.filter(locale__language_code="fr")
    assert (pages.count(), pages.live().count()) == (3 + len(IN_FRENCH), 3 + len(IN_FRENCH))
    for page in pages:
        assert not page.has_unpublished_changes, page
    # Each page is translated completely.
    for translation in Translation.objects.all():
        total, done = translation.get_progress()
        assert (done, total > 0) == (total, True), translation.source.object_repr
    assert Department.objects.filter(locale__language_code="fr", name="Ingénierie").exists()
    for page in french:
        english = page.get_translation(Locale.get_default())
        keys = [question.id for question in page.questions]
        assert keys == [question.id for question in english.questions]
        assert page.department.locale == page.locale
        assert page.location_names == english.location_names
    site = Site.objects.get(is_default_site=True)
    html = client.get("/fr/careers/field-technician-lyon/", SERVER_NAME=site.hostname).content
    assert "Technicien·ne de terrain, Rhône" in html.decode()
    assert "Seules les personnes chargées de ce recrutement" in html.decode()

    # A second run adds nothing.
    before = Page.objects.count(), Translation.objects.count()
    call_command("seed_demo", stdout=StringIO())
    assert (Page.objects.count(), Translation.objects.count()) == before
