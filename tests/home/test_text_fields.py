"""Text that is typed in the admin is cleaned as in the application form."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.forms import modelform_factory
from django.test import Client
from django.utils import timezone
from wagtail.admin.forms.models import WagtailAdminModelForm

from careers.jobs.models import JobPage
from careers.jobs.taxonomy import Location
from home.models import SiteSettings
from tests.support import people
from tests.support.editing import page_form

pytestmark = pytest.mark.django_db

OPENS = dt.datetime(2027, 3, 31, 17, tzinfo=timezone.get_default_timezone())


def admin_form(model: Any, **entered: str) -> Any:
    return modelform_factory(model, form=WagtailAdminModelForm, fields=list(entered))(entered)


@pytest.mark.parametrize(
    ("model", "field", "typed", "stored"),
    [
        (Location, "name", "\u202aTel\u200b Aviv\u202c", "Tel Aviv"),
        (Location, "postal_code", "\ufeffSW1A\u00a01AA", "SW1A 1AA"),
        (SiteSettings, "company_name", "A" + "\u0317" * 99, "A" + "\u0317" * 8),
        (
            SiteSettings,
            "hr_recipients",
            "a@x.example\r\n\u200bb@x.example",
            "a@x.example\nb@x.example",
        ),
        (JobPage, "contact_name", "\u3164", ""),
        (Location, "slug", "\u200btel-aviv\u3164", "tel-aviv"),
        (SiteSettings, "closing_grace", "\u200e٦٠\u200b", 60),
        (SiteSettings, "organisation_url", "\u200b", ""),
        (
            SiteSettings,
            "organisation_url",
            "\u202awww。example.org\u202c",
            "https://www.example.org",
        ),
        (JobPage, "opens_at", "\u202a٣١/٠٣/٢٠٢٧ 17:00\u202c", OPENS),
        (JobPage, "closes_at", "\u200b", None),
        (JobPage, "pay_from", "45" + " " * 200 + "000", Decimal(45000)),
        (JobPage, "pay_from", "\u200e٤٥٬٠٠٠\u200b", Decimal(45000)),
        (JobPage, "pay_from", "\u200b", None),
        (JobPage, "summary", "One\r\n\x07Two", "One\nTwo"),
    ],
)
def test_admin_form_cleans_what_is_typed(model: Any, field: str, typed: str, stored: Any) -> None:
    form = admin_form(model, **{field: typed})
    form.is_valid()
    assert field not in form.errors
    assert form.cleaned_data[field] == stored


@pytest.mark.parametrize("model", [Location, JobPage])
def test_admin_form_refuses_a_name_of_nothing_visible(model: Any) -> None:
    field = "name" if model is Location else "title"
    form = admin_form(model, **{field: "\u200b\u3164"})
    assert form.errors == {field: ["This field is required."]}


@pytest.mark.parametrize("typed", ["\u3164", "\u2800\u200b", "a b", "a\u3164b"])
def test_admin_form_refuses_a_short_name_that_nobody_can_see_or_type(typed: str) -> None:
    assert "slug" in admin_form(Location, slug=typed).errors


def test_text_that_is_no_content_of_the_editor_is_a_bad_request(client: Client, job: Any) -> None:
    client.force_login(people.ada())
    for content in ("", "x", "7", "[]", "{}", '{"blocks": 7}'):
        form = page_form(job, privacy_notice=content)
        assert client.post(f"/admin/pages/{job.pk}/edit/", form).status_code < 500, content


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("new_title", "\u200b\u3164"),
        ("new_title", "x" * 256),
        ("new_slug", "\u3164"),
        ("new_slug", "x" * 256),
    ],
)
def test_copy_needs_a_title_and_a_short_name_that_a_page_can_have(
    client: Client, job: Any, field: str, typed: str
) -> None:
    client.force_login(people.ada())
    form = {"new_title": "Copy", "new_slug": "copy", "new_parent_page": job.get_parent().pk}
    answer = client.post(f"/admin/pages/{job.pk}/copy/", {**form, field: typed})
    assert answer.status_code == 200
    assert field in answer.context["form"].errors
    assert JobPage.objects.count() == 1
    form["new_title"] = "\u202aCopy\u200b"
    assert client.post(f"/admin/pages/{job.pk}/copy/", form).status_code == 302
    assert JobPage.objects.exclude(pk=job.pk).get().title == "Copy"
