"""The pages of jobs, for visitors and for HR."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from careers.applications.models import Application
from careers.jobs.models import JobPage
from home.models import SiteSettings
from tests.support import people
from tests.support.applying import apply_for, ask, send
from tests.support.editing import page_form
from tests.support.factories import JobIndexPageFactory

pytestmark = pytest.mark.django_db


def in_days(days: float) -> dt.datetime:
    return timezone.now() + dt.timedelta(days=days)


# ── Public pages ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/", "/careers/", "/careers/gauge-keeper/"])
def test_public_page_is_cacheable_by_any_cache(client: Client, job: Any, path: str) -> None:
    response = client.get(path, headers={"accept-language": "fr,de;q=0.5"})
    assert response.status_code == 200
    assert not response.cookies
    assert "Set-Cookie" not in response
    vary = {part.strip().lower() for part in response.get("Vary", "").split(",")}
    assert not vary & {"cookie", "accept-language", "*"}


@pytest.mark.parametrize("path", ["/", "/careers/", "/careers/gauge-keeper/"])
def test_browser_asks_before_it_shows_page_again(client: Client, job: Any, path: str) -> None:
    assert client.get(path)["Cache-Control"] == "public, max-age=0, must-revalidate"


def test_page_for_logged_in_user_is_not_cached(client: Client, job: Any) -> None:
    client.force_login(people.ada())
    assert "no-store" in client.get("/careers/gauge-keeper/")["Cache-Control"]


def test_job_page_is_identical_for_all_visitors(client: Client, job: Any) -> None:
    first, second = (Client().get("/careers/gauge-keeper/").content for _ in range(2))
    page = first.decode()
    assert first == second
    assert "csrfmiddlewaretoken" not in page
    assert re.findall(r'type="hidden" name="([^"]+)"', page) == ["edition"]
    assert "confirm" not in re.findall(r'name="([^"]+)"', page)


def test_job_page_shows_form_with_its_address(client: Client, job: Any) -> None:
    page = client.get("/careers/gauge-keeper/").content.decode()
    assert f'action="/apply/{job.translation_key}/"' in page
    assert set(re.findall(r'<(?:input|textarea)[^>]* name="([^"]+)"', page)) == {
        "name",
        "email",
        "phone",
        "cv",
        "edition",
        "more",
    }
    assert "Phone number" in page
    assert "(optional)" in page
    assert re.search(r"up to 10(\.0)?\WMB", page)


@pytest.mark.parametrize(
    "change", [{"closes_at": in_days(-1)}, {"opens_at": in_days(1)}], ids=["closed", "not yet"]
)
def test_job_page_shows_no_form_while_not_open(client: Client, job: Any, change: Any) -> None:
    for name, value in change.items():
        setattr(job, name, value)
    job.save()
    page = client.get("/careers/gauge-keeper/").content.decode()
    assert "<form class" not in page
    assert "This job is closed." in page or "open" in page


def test_custom_questions_use_their_keys_as_field_names(client: Client, job: Any) -> None:
    job.questions = [
        ask("single_choice", "Shift?", key="shift", options={"a": "Early", "b": "Late"}),
        ask("long_text", "Why?", key="why", required=True, help_text="Briefly."),
    ]
    job.save()
    page = client.get("/careers/gauge-keeper/").content.decode()
    assert 'name="q-shift" value="a"' in page
    assert 'name="q-why"' in page
    assert 'id="id_q-why-hint"' in page


# ── Recipients, dates, validation ───────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("own", "index", "company", "expected"),
    [
        ("a@x.org\nb@x.org", "c@x.org", "d@x.org", ["a@x.org", "b@x.org"]),
        ("", "c@x.org, c@x.org", "d@x.org", ["c@x.org"]),
        ("", "", "d@x.org", ["d@x.org"]),
        (" \n, ", "", "", []),
    ],
)
def test_recipients_come_from_job_then_list_then_company(
    job: Any, job_index: Any, own: str, index: str, company: str, expected: list[str]
) -> None:
    job.hr_recipients, job_index.hr_recipients = own, index
    job_index.save()
    SiteSettings.objects.update(hr_recipients=company)
    assert job.recipients() == expected


@pytest.mark.parametrize(
    ("change", "is_open"),
    [
        ({}, True),
        ({"live": False}, False),
        ({"opens_at": in_days(1)}, False),
        ({"opens_at": in_days(-1), "closes_at": in_days(1)}, True),
        ({"closes_at": in_days(-0.001)}, False),
    ],
)
def test_job_is_open_between_its_dates(job: Any, change: Any, is_open: bool) -> None:
    for name, value in change.items():
        setattr(job, name, value)
    job.save()
    assert job.is_open is is_open
    assert JobPage.objects.open().filter(pk=job.pk).exists() is is_open


@pytest.mark.parametrize(
    ("closes", "last_second", "words", "eve", "days"),
    [
        # Daylight saving time begins or ends in the night before.
        ("2027-03-28T12:00", "2027-03-28T09:59:59Z", "12:00 (CEST)", "2027-03-27T22:59Z", 1),
        ("2027-10-31T12:00", "2027-10-31T10:59:59Z", "12:00 (CET)", "2027-10-30T21:59Z", 1),
        ("2028-02-29T23:59", "2028-02-29T22:58:59Z", "23:59 (CET)", "2028-02-28T12:00Z", 1),
        ("2028-03-01T00:00", "2028-02-29T22:59:59Z", "00:00 (CET)", "2028-02-28T12:00Z", 2),
    ],
)
def test_job_closes_at_local_time_across_clock_changes(
    job: Any, time_machine: Any, closes: str, last_second: str, words: str, eve: str, days: int
) -> None:
    job.time_zone = "Europe/Oslo"
    job.closes_at = dt.datetime.fromisoformat(closes).replace(tzinfo=job.zone)
    job.save()
    job = JobPage.objects.get()
    last = dt.datetime.fromisoformat(last_second)
    time_machine.move_to(last, tick=False)
    assert (job.is_open, JobPage.objects.open().count()) == (True, 1)
    time_machine.move_to(last + dt.timedelta(seconds=1), tick=False)
    assert (job.is_open, JobPage.objects.open().count()) == (False, 0)
    assert job.moment(job.closes_at).endswith(words)
    time_machine.move_to(dt.datetime.fromisoformat(eve), tick=False)
    assert job.closes_in_days == days


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"pay_from": Decimal(2), "pay_to": Decimal(1)}, "pay_to"),
        ({"opens_at": in_days(2), "closes_at": in_days(1)}, "closes_at"),
        ({"hr_recipients": "nobody"}, "hr_recipients"),
    ],
)
def test_job_with_contradictory_fields_is_invalid(job: Any, change: Any, field: str) -> None:
    for name, value in change.items():
        setattr(job, name, value)
    with pytest.raises(ValidationError) as caught:
        job.full_clean()
    assert list(caught.value.message_dict) == [field]


def test_copied_job_has_own_key_and_same_questions(client: Client, job: Any) -> None:
    job.questions = [ask("long_text", "Why?", key="why")]
    job.save()
    apply_for(job)
    copy = job.copy(update_attrs={"title": "Copy", "slug": "copy"})
    assert copy.job_key != job.job_key
    assert [question.key for question in copy.frozen_form().questions][-1] == "why"
    assert send(client, copy).status_code == 303
    assert sorted(Application.objects.values_list("page_id", flat=True)) == [job.pk, copy.pk]


# ── In the Wagtail admin ────────────────────────────────────────────────────────────────


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(people.ada())
    return client


def without_recipients(job: Any) -> None:
    SiteSettings.objects.update(hr_recipients="")
    job.hr_recipients = ""
    job.live = False
    job.save()


def test_publishing_without_recipients_shows_error_at_the_field(editor: Client, job: Any) -> None:
    without_recipients(job)
    response = editor.post(
        f"/admin/pages/{job.pk}/edit/", page_form(job, **{"action-publish": "1"})
    )
    assert response.status_code == 200
    errors = response.context["form"].errors
    assert list(errors) == ["hr_recipients"]
    assert "No recipient would be notified of applications." in str(errors["hr_recipients"])
    assert "No recipient would be notified of applications." in response.content.decode()
    job.refresh_from_db()
    assert job.live is False


def test_draft_without_recipients_is_saved(editor: Client, job: Any) -> None:
    without_recipients(job)
    response = editor.post(f"/admin/pages/{job.pk}/edit/", page_form(job, title="Renamed"))
    assert response.status_code == 302
    job.refresh_from_db()
    assert job.get_latest_revision_as_object().title == "Renamed"


def test_job_with_recipients_is_published(editor: Client, job: Any) -> None:
    without_recipients(job)
    form = page_form(job, hr_recipients="hr@example.org", **{"action-publish": "1"})
    response = editor.post(f"/admin/pages/{job.pk}/edit/", form)
    assert response.status_code == 302
    job.refresh_from_db()
    assert job.live is True


def test_preview_of_draft_shows_form(editor: Client, job: Any) -> None:
    job.live = False
    job.save()
    job.save_revision()
    response = editor.get(f"/admin/pages/{job.pk}/view_draft/")
    assert response.status_code == 200
    assert '<form class="form"' in response.content.decode()
    assert "public" not in response.get("Cache-Control", "")


def test_job_index_allows_only_jobs_as_children(home: Any) -> None:
    index = JobIndexPageFactory(parent=home)
    assert [model.__name__ for model in index.allowed_subpage_models()] == ["JobPage"]
