"""The admin pages of departments and locations."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError
from django.test import Client
from django.utils import timezone, translation

from careers.jobs.models import JobPage
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


# ── Deleting what jobs use ──────────────────────────────────────────────────────────────


@pytest.fixture(params=["department", "location"])
def used(request: Any, job: Any) -> Any:
    """A department or location that no job uses yet."""
    if request.param == "department":
        return Department.objects.create(name="Rigging", slug="rigging", locale=job.locale)
    return Location.objects.create(name="Rigging", slug="rigging", country="GB")


def use(job: Any, item: Any) -> Any:
    """The job with the department or location, not stored yet."""
    if isinstance(item, Department):
        job.department = item
    else:
        job.locations = [item]
    return job


def urls_of_deletion(*items: Any) -> list[str]:
    name = items[0]._meta.model_name
    ids = "&".join(f"id={item.pk}" for item in items)
    return [
        f"/admin/snippets/careers/{name}/delete/{items[0].pk}/",
        f"/admin/bulk/careers/{name}/delete/?{ids}",
    ]


def publish_it(job: Any) -> None:
    job.save()


def draft_it(job: Any) -> None:
    job.save_revision()


def schedule_it(job: Any) -> None:
    """Schedule a version, and go on with another draft that does not use it."""
    job.save_revision(approved_go_live_at=timezone.now() + dt.timedelta(days=1))
    JobPage.objects.get(pk=job.pk).save_revision()


@pytest.mark.parametrize("store", [publish_it, draft_it, schedule_it])
def test_what_a_job_uses_is_not_deleted(editor: Client, job: Any, used: Any, store: Any) -> None:
    store(use(job, used))
    one, bulk = urls_of_deletion(used)
    for ask, address in ((editor.get, one), (editor.post, one), (editor.post, bulk)):
        response = ask(address)
        assert response.status_code == 409, address
        assert "Jobs use “Rigging”:" in response.content.decode()
        assert (
            f'<a href="/admin/pages/{job.pk}/edit/">Gauge keeper</a>' in response.content.decode()
        )
    for delete in (used.delete, type(used).objects.all().delete):
        with (
            pytest.raises(ProtectedError, match="Gauge keeper"),
            transaction.atomic(),
        ):
            delete()
    assert type(used).objects.filter(pk=used.pk).exists()


def test_usage_names_the_jobs_that_use_it(editor: Client, job: Any, used: Any) -> None:
    usage = f"/admin/snippets/careers/{used._meta.model_name}/usage/{used.pk}/"
    assert "Gauge keeper" not in editor.get(usage).content.decode()
    use(job, used).save()
    page = editor.get(usage).content.decode()
    assert f'href="/admin/pages/{job.pk}/edit/' in page
    edit = editor.get(usage.replace("usage", "edit")).content.decode()
    assert "Used 1 time" in edit
    job = JobPage.objects.get(pk=job.pk)
    job.department, job.locations = None, []
    job.save()
    assert "Gauge keeper" not in editor.get(usage).content.decode()


def test_bulk_deletion_is_refused_if_a_job_uses_one_of_them(editor: Client, job: Any) -> None:
    towns = [
        Location.objects.create(name=name, slug=name.lower(), country="GB")
        for name in ("Oban", "Wick")
    ]
    use(job, towns[1]).save()
    (_one, bulk) = urls_of_deletion(*towns)
    response = editor.post(bulk)
    assert response.status_code == 409
    assert "Jobs use what you chose:" in response.content.decode()
    assert Location.objects.count() == 2


def test_title_of_a_draft_is_not_shown_to_others(client: Client, job: Any, used: Any) -> None:
    use(job, used).live = False
    job.save()
    person = people.bob(None)
    people.allow(person, "careers", "delete_location", "delete_department")
    client.force_login(person)
    for address in urls_of_deletion(used):
        page = client.post(address).content.decode()
        assert "one more draft" in page
        assert "Gauge keeper" not in page


def test_what_no_job_uses_is_deleted(editor: Client, job: Any, used: Any) -> None:
    use(job, used).save_revision()
    # A newer draft no longer uses it.
    JobPage.objects.get(pk=job.pk).save_revision()
    (one, _bulk) = urls_of_deletion(used)
    assert editor.get(one).status_code == 200
    assert editor.post(one).status_code == 302
    assert not type(used).objects.exists()


def test_old_version_that_names_a_deleted_department_or_location_can_be_read(
    editor: Client, job: Any, used: Any
) -> None:
    old = use(job, used).save_revision()
    JobPage.objects.get(pk=job.pk).save_revision()
    used.delete()
    for address in (f"revisions/{old.pk}/view/", f"revisions/{old.pk}/revert/", "history/"):
        assert editor.get(f"/admin/pages/{job.pk}/{address}").status_code == 200, address
    assert (
        editor.get(f"/admin/pages/{job.pk}/revisions/compare/{old.pk}...latest/").status_code == 200
    )


def test_department_with_existing_short_name_is_refused(editor: Client, job: Any) -> None:
    sent = {"name": "Rigging", "slug": "rigging"}
    editor.post(f"{DEPARTMENTS}add/", sent)
    response = editor.post(f"{DEPARTMENTS}add/", sent)
    assert response.status_code == 200
    assert "already exists" in response.content.decode()


def test_menu_shows_job_settings(editor: Client, job: Any) -> None:
    assert "Job settings" in editor.get("/admin/").content.decode()
