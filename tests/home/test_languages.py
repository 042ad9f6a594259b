"""Which language a visitor gets, and how they find the others."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from wagtail.users.models import UserProfile

from careers.jobs.models import JobPage
from home.models import CompanyTranslation, SiteSettings
from home.templatetags.home_tags import other_languages
from tests.support import people
from tests.support.factories import JobPageFactory
from tests.support.translating import french, french_site, in_french

pytestmark = pytest.mark.django_db

FRENCH_BROWSER = {"accept-language": "fr-FR,fr;q=0.9"}


@pytest.fixture
def french_job(home: Any, job_index: Any, job: Any) -> Any:
    french_site(home, job_index)
    return in_french(job, {"Gauge keeper": "Gardien de jauges"})


PATHS = ("/", "/careers/", "/careers/gauge-keeper/", "/nothing/")


def test_address_sets_the_language_and_not_the_browser(client: Client, french_job: Any) -> None:
    client.cookies["django_language"] = "fr"
    for path in PATHS:
        for address, language in ((path, "en"), (f"/fr{path}", "fr")):
            other = "en" if language == "fr" else "fr-FR,fr;q=0.9"
            response = client.get(address, headers={"accept-language": other})
            assert response.status_code == (404 if path == "/nothing/" else 200), address
            assert response["Content-Language"] == language
            assert f'<html lang="{language}"' in response.content.decode()


def test_page_at_another_languages_address_redirects(client: Client, job: Any) -> None:
    for path in PATHS[:3]:
        response = client.get(f"/fr{path}")
        assert (response.status_code, response["Location"]) == (302, path)


def test_language_with_a_draft_home_page_is_not_offered(client: Client, home: Any) -> None:
    in_french(home, publish=False)
    response = client.get("/fr/")
    assert (response.status_code, response["Location"]) == (302, "/")


def test_admin_is_in_the_language_that_the_editor_chose(client: Client, home: Any) -> None:
    ada = people.ada()
    client.force_login(ada)
    assert '<html lang="en"' in client.get("/admin/", headers=FRENCH_BROWSER).content.decode()
    profile = UserProfile.get_for_user(ada)
    profile.preferred_language = "fr"
    profile.save()
    assert '<html lang="fr"' in client.get("/admin/").content.decode()


# ── The company's own texts ─────────────────────────────────────────────────────────────


@pytest.fixture
def company(home: Any) -> SiteSettings:
    found = SiteSettings.objects.get()
    found.tagline = "Instruments for coasts and rivers"
    found.save()
    CompanyTranslation.objects.create(
        company=found,
        language="fr",
        tagline="Des instruments pour les côtes et les rivières",
        privacy_notice="<p>Nous le lisons et n’en parlons à personne.</p>",
    )
    return SiteSettings.objects.get()


def test_company_texts_are_in_the_language_of_the_page(
    client: Client, french_job: Any, company: SiteSettings
) -> None:
    english = client.get("/careers/gauge-keeper/").content.decode()
    french_page = client.get("/fr/careers/gauge-keeper/").content.decode()
    assert "Instruments for coasts and rivers" in english
    assert "We read it and tell nobody." in english
    assert "Des instruments pour les côtes et les rivières" in french_page
    assert "Nous le lisons et n’en parlons à personne." in french_page
    assert "We read it" not in french_page


def test_frozen_privacy_notice_is_the_one_that_the_applicant_read(
    french_job: Any, job: Any, company: SiteSettings
) -> None:
    assert french_job.frozen_form().privacy_notice == "Nous le lisons et n’en parlons à personne."
    with translation.override("fr"):
        assert job.frozen_form().privacy_notice == "We read it and tell nobody."


def test_untranslated_text_is_in_the_default_language(company: SiteSettings) -> None:
    company.translations.update(privacy_notice="")
    assert SiteSettings.objects.get().notice_in("fr") == "<p>We read it and tell nobody.</p>"
    assert SiteSettings.objects.get().notice_in("de") == "<p>We read it and tell nobody.</p>"


def test_editor_can_translate_the_company_texts(client: Client, home: Any) -> None:
    client.force_login(people.ada())
    site = SiteSettings.objects.get().site
    address = f"/admin/settings/home/sitesettings/{site.pk}/"
    row = {"language": "fr", "tagline": "Mesurer la mer", "privacy_notice": "null", "id": ""}
    form = {
        "company_name": "Tidewater",
        "accent_colour": "#0e5c46",
        "time_zone": "UTC",
        "closing_grace": "60",
        "active_content": "refuse",
        "privacy_notice": "null",
        "translations-TOTAL_FORMS": "1",
        "translations-INITIAL_FORMS": "0",
        "translations-MIN_NUM_FORMS": "0",
        "translations-MAX_NUM_FORMS": "1000",
        **{f"translations-0-{name}": value for name, value in row.items()},
    }
    assert client.post(address, form).status_code == 302
    assert SiteSettings.objects.get().translations.get().tagline == "Mesurer la mer"
    twice = {
        **form,
        "translations-TOTAL_FORMS": "2",
        "translations-INITIAL_FORMS": "1",
        "translations-0-id": str(CompanyTranslation.objects.get().pk),
        **{f"translations-1-{name}": value for name, value in row.items()},
    }
    assert client.post(address, twice).status_code == 200
    assert CompanyTranslation.objects.count() == 1


def test_editor_can_add_french(client: Client, home: Any) -> None:
    client.force_login(people.ada())
    assert ">French<" in client.get("/admin/locales/new/").content.decode().replace("\n", "")
    assert french().get_display_name() == "French"


# ── Links to other languages ────────────────────────────────────────────────────────────


def alternates(client: Client, path: str) -> dict[str, str]:
    html = client.get(path).content.decode()
    return dict(re.findall(r'<link rel="alternate" hreflang="([^"]+)" href="([^"]+)">', html))


def switches(client: Client, path: str) -> list[tuple[str, str]]:
    html = client.get(path).content.decode()
    return re.findall(r'<a href="([^"]+)" hreflang="\w+" lang="(\w+)">', html)


def test_page_and_its_translation_link_to_each_other(client: Client, french_job: Any) -> None:
    for path in PATHS[:3]:
        english, french_one = f"http://localhost{path}", f"http://localhost/fr{path}"
        known = {"en": english, "fr": french_one, "x-default": english}
        assert alternates(client, path) == alternates(client, f"/fr{path}") == known
        assert switches(client, path) == [(french_one, "fr")]
        assert switches(client, f"/fr{path}") == [(english, "en")]


def test_untranslated_page_links_to_the_home_page_of_the_language(
    client: Client, french_job: Any, job_index: Any
) -> None:
    JobPageFactory(parent=job_index, slug="clockmaker")
    assert alternates(client, "/careers/clockmaker/") == {}
    assert switches(client, "/careers/clockmaker/") == [("http://localhost/fr/", "fr")]
    assert switches(client, "/fr/no-such-page/") == [("http://localhost/", "en")]


def test_draft_translation_is_not_offered(client: Client, home: Any, job_index: Any) -> None:
    in_french(home)
    in_french(job_index, publish=False)
    assert alternates(client, "/careers/") == {}
    assert switches(client, "/careers/") == [("http://localhost/fr/", "fr")]


def test_alias_is_not_offered_as_a_translation(client: Client, home: Any, job: Any) -> None:
    in_french(home)
    job.copy_for_translation(french(), copy_parents=True, alias=True)
    assert alternates(client, "/careers/gauge-keeper/") == {}
    assert list(JobPage.objects.open()) == [job]
    response = client.get("/fr/careers/gauge-keeper/")
    assert (response.status_code, response["Location"]) == (302, "/careers/gauge-keeper/")


def test_site_with_one_language_has_no_language_menu(client: Client, job: Any) -> None:
    assert switches(client, "/careers/gauge-keeper/") == []


def test_languages_of_a_page_take_one_query(client: Client, french_job: Any, job: Any) -> None:
    home = job.get_parent().get_parent()
    home.get_url_parts()
    with CaptureQueriesContext(connection) as queries:
        found = other_languages({}, job, home)
    assert [language.code for language in found] == ["fr"]
    assert len(queries) <= 3
