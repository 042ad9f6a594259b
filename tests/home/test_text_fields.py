"""Text that is typed in the admin is cleaned as in the application form."""

from __future__ import annotations

from typing import Any

import pytest
from django.forms import modelform_factory
from wagtail.admin.forms.models import WagtailAdminModelForm

from careers.jobs.models import JobPage
from careers.jobs.taxonomy import Location
from home.models import SiteSettings

pytestmark = pytest.mark.django_db


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
        (JobPage, "summary", "One\r\n\x07Two", "One\nTwo"),
    ],
)
def test_admin_form_cleans_text(model: Any, field: str, typed: str, stored: str) -> None:
    form = admin_form(model, **{field: typed})
    form.is_valid()
    assert form.cleaned_data[field] == stored


@pytest.mark.parametrize("model", [Location, JobPage])
def test_admin_form_refuses_a_name_of_nothing_visible(model: Any) -> None:
    field = "name" if model is Location else "title"
    form = admin_form(model, **{field: "\u200b\u3164"})
    assert form.errors == {field: ["This field is required."]}
