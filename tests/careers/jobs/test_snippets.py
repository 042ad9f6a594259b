"""The admin pages of departments and locations."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import translation

from careers.jobs.taxonomy import Department, Location
from home.fields import CountryField
from tests.support import people

pytestmark = pytest.mark.django_db

DEPARTMENTS = "/admin/snippets/careers/department/"
LOCATIONS = "/admin/snippets/careers/location/"


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(people.ada())
    return client


def test_department_is_added(editor: Client, job: Any) -> None:
    assert editor.get(f"{DEPARTMENTS}add/").status_code == 200
    response = editor.post(f"{DEPARTMENTS}add/", {"name": "Rigging", "slug": "rigging"})
    assert response.status_code == 302
    assert Department.objects.filter(slug="rigging").exists()
    assert "Rigging" in editor.get(DEPARTMENTS).content.decode()


def test_location_is_added(editor: Client, job: Any) -> None:
    sent = {"name": "Oban", "slug": "oban", "region": "", "postal_code": "", "country": "GB"}
    assert editor.post(f"{LOCATIONS}add/", sent).status_code == 302
    assert Location.objects.filter(slug="oban").exists()


@pytest.mark.parametrize(
    "typed",
    ["GB", "gb", "United Kingdom (GB)", "united kingdom", " United\u00a0Kingdom ", "\u200bGB"],
)
def test_country_is_found_by_its_name_or_code(typed: str) -> None:
    assert CountryField("country").formfield().clean(typed) == "GB"


@pytest.mark.parametrize(
    ("language", "typed", "code"),
    [
        ("fr", "Allemagne", "DE"),
        ("fr", "Germany", "DE"),
        ("fr", "cote d'ivoire", "CI"),
        ("en", "Turkiye", "TR"),
        ("de", "Österreich", "AT"),
        ("ja", "フランス", "FR"),
    ],
)
def test_country_is_found_in_the_language_of_the_admin_and_in_english(
    language: str, typed: str, code: str
) -> None:
    with translation.override(language):
        assert CountryField("country").formfield().clean(typed) == code


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [("UK", "United Kingdom (GB)"), ("GBR", "United Kingdom (GB)"), ("Germny", "Germany (DE)")],
)
def test_country_by_another_name_is_suggested_and_not_taken(typed: str, suggested: str) -> None:
    field = CountryField("country").formfield()
    with pytest.raises(ValidationError, match=re.escape(f"Did you mean “{suggested}”?")):
        field.clean(typed)
    # The form shows the suggestion, so that saving again takes it.
    assert field.prepare_value(typed) == suggested
    assert field.clean(suggested) == field.prepare_value(typed)[-3:-1]


@pytest.mark.parametrize("typed", ["Atlantis", "EU", "ZZ", "12", "x" * 200])
def test_no_country_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError):
        CountryField("country").formfield().clean(typed)


def test_location_in_uk_is_saved_after_the_suggestion(editor: Client, job: Any) -> None:
    sent = {"name": "Oban", "slug": "oban", "region": "", "postal_code": "", "country": "UK"}
    page = editor.post(f"{LOCATIONS}add/", sent).content.decode()
    assert 'value="United Kingdom (GB)"' in page
    assert '<option value="France (FR)">' in page
    assert not Location.objects.filter(slug="oban").exists()
    editor.post(f"{LOCATIONS}add/", {**sent, "country": "United Kingdom (GB)"})
    assert Location.objects.get(slug="oban").country == "GB"
    assert "United Kingdom" in editor.get(LOCATIONS).content.decode()


def test_department_with_jobs_is_not_deleted(editor: Client, job: Any) -> None:
    department = Department.objects.create(name="Rigging", slug="rigging", locale=job.locale)
    job.department = department
    job.save()
    for method in ("get", "post"):
        response = getattr(editor, method)(f"{DEPARTMENTS}delete/{department.pk}/", follow=True)
        assert response.status_code < 500
    assert Department.objects.filter(pk=department.pk).exists()


def test_department_with_existing_short_name_is_refused(editor: Client, job: Any) -> None:
    sent = {"name": "Rigging", "slug": "rigging"}
    editor.post(f"{DEPARTMENTS}add/", sent)
    response = editor.post(f"{DEPARTMENTS}add/", sent)
    assert response.status_code == 200
    assert "already exists" in response.content.decode()


def test_menu_shows_job_settings(editor: Client, job: Any) -> None:
    assert "Job settings" in editor.get("/admin/").content.decode()
