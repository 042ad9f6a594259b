"""Which language a visitor gets, and how they find the others."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from wagtail.users.models import UserProfile

from tests.support import people
from tests.support.translating import french_site, in_french

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
