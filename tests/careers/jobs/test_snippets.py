"""The admin pages of departments and locations."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from careers.jobs.taxonomy import Department, Location
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
