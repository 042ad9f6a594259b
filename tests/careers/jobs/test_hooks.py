"""Guards on deleting and publishing jobs, and the jobs on the home page."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from wagtail.models import Locale, Page

from careers.applications.models import Application
from careers.jobs.hooks import jobs_without_recipients
from careers.jobs.models import JobIndexPage, JobPage
from careers.operations import findings, health
from home.models import SiteSettings
from tests.support import people
from tests.support.applying import apply_for
from tests.support.factories import JobPageFactory

pytestmark = pytest.mark.django_db

WORDS = "their applications belong to"


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(people.ada())
    return client


def delete(editor: Client, page: Page) -> Any:
    return editor.post(f"/admin/pages/{page.pk}/delete/")


def bulk(editor: Client, action: str, *pages: Page) -> Any:
    ids = "&".join(f"id={page.pk}" for page in pages)
    return editor.post(f"/admin/bulk/wagtailcore/page/{action}/?{ids}")


def test_job_without_applications_is_deleted(editor: Client, job: Any) -> None:
    assert delete(editor, job).status_code == 302
    assert JobPage.objects.count() == 0


@pytest.mark.parametrize("method", ["get", "post"])
def test_job_with_applications_is_not_deleted(editor: Client, job: Any, method: str) -> None:
    apply_for(job)
    response = getattr(editor, method)(f"/admin/pages/{job.pk}/delete/")
    assert response.status_code == 409
    assert WORDS in response.content.decode()
    assert "Gauge keeper" in response.content.decode()
    assert f"/admin/pages/{job.pk}/unpublish/" in response.content.decode()
    assert Application.objects.count() == JobPage.objects.count() == 1


def test_page_above_job_with_applications_is_not_deleted(
    editor: Client, job: Any, job_index: Any, home: Any
) -> None:
    apply_for(job)
    for page in (job_index, home):
        assert delete(editor, page).status_code == 409
    assert Application.objects.count() == 1


def test_bulk_deletion_is_refused_if_one_job_has_applications(
    editor: Client, job: Any, job_index: Any
) -> None:
    apply_for(job)
    other = JobPageFactory(parent=job_index)
    response = bulk(editor, "delete", other, job)
    assert response.status_code == 409
    assert WORDS in response.content.decode()
    assert JobPage.objects.count() == 2


def test_bulk_deletion_of_jobs_without_applications_works(
    editor: Client, job: Any, job_index: Any
) -> None:
    apply_for(JobPageFactory(parent=job_index))
    assert bulk(editor, "delete", job).status_code == 302
    assert JobPage.objects.count() == 1


def test_translation_of_job_with_applications_is_not_deleted(
    editor: Client, job: Any, settings: Any
) -> None:
    settings.LANGUAGES = settings.WAGTAIL_CONTENT_LANGUAGES = [("en", "English"), ("fr", "French")]
    french = Locale.objects.create(language_code="fr")
    apply_for(job)
    translated = job.copy_for_translation(french, copy_parents=True)
    assert translated.job_key == job.job_key
    assert delete(editor, translated).status_code == 409
    assert JobPage.objects.count() == 2


def test_other_bulk_actions_work(editor: Client, job: Any) -> None:
    apply_for(job)
    assert bulk(editor, "unpublish", job).status_code == 302
    job.refresh_from_db()
    assert job.live is False


def test_bulk_publishing_refuses_jobs_without_recipients(
    editor: Client, job: Any, job_index: Any
) -> None:
    SiteSettings.objects.update(hr_recipients="")
    silent = JobPageFactory(parent=job_index, title="Mute", hr_recipients="", live=False)
    silent.save_revision()
    job.save_revision()
    response = bulk(editor, "publish", job, silent)
    assert response.status_code == 302
    words = [str(message) for message in response.wsgi_request._messages]
    assert words == [
        "Not published: no recipient would be notified of applications for Mute. Enter recipients."
    ]
    silent.refresh_from_db()
    assert silent.live is False


def test_bulk_publishing_uses_recipients_of_the_draft(editor: Client, job: Any) -> None:
    SiteSettings.objects.update(hr_recipients="")
    job.hr_recipients, job.live = "", False
    job.save()
    job.hr_recipients = "hr@example.org"
    job.save_revision()
    assert bulk(editor, "publish", job).status_code == 302
    job.refresh_from_db()
    assert (job.live, job.hr_recipients) == (True, "hr@example.org")


# ── Pages ───────────────────────────────────────────────────────────────────────────────


def test_home_page_shows_only_open_jobs(client: Client, job: Any, job_index: Any) -> None:
    JobPageFactory(parent=job_index, closed=True, title="Long gone")
    page = client.get("/").content.decode()
    assert "Gauge keeper" in page
    assert "Long gone" not in page


# ── Jobs without recipients ─────────────────────────────────────────────────────────────


def without_recipients() -> list[str]:
    return [finding.message for finding in jobs_without_recipients()]


@pytest.mark.parametrize("who", ["job", "index", "company"])
def test_job_with_recipients_at_any_level_is_not_reported(
    job: Any, job_index: Any, who: str
) -> None:
    addresses = {name: "hr@example.org" if name == who else "" for name in ("job", "index")}
    JobPage.objects.update(hr_recipients=addresses["job"])
    JobIndexPage.objects.update(hr_recipients=addresses["index"])
    SiteSettings.objects.update(hr_recipients="hr@example.org" if who == "company" else "")
    assert without_recipients() == []


def test_open_jobs_without_recipients_are_reported(job: Any, job_index: Any) -> None:
    JobPageFactory(parent=job_index, title="Told", hr_recipients="hr@example.org")
    JobPageFactory(parent=job_index, title="Closed", hr_recipients="", closed=True)
    JobPage.objects.filter(pk=job.pk).update(hr_recipients="")
    SiteSettings.objects.update(hr_recipients="")
    assert without_recipients() == [
        "1 open job has no recipients for its applications: Gauge keeper."
    ]
    findings.ask_hooks()
    finding = next(f for f in health.check().faults if f.code == "nobody-told")
    assert "Until then the operators receive these mails." in finding.action


def test_jobs_without_recipients_take_few_queries(
    job: Any, job_index: Any, django_assert_max_num_queries: Any
) -> None:
    SiteSettings.objects.update(hr_recipients="")
    for _ in range(7):
        JobPageFactory(parent=job_index, hr_recipients="")
    without_recipients()
    with django_assert_max_num_queries(6):
        (message,) = without_recipients()
    assert message.startswith("7 open jobs have no recipients")
    assert message.endswith(", and 2 others.")


def test_application_without_recipients_is_mailed_to_operators(job: Any) -> None:
    people.ada()
    application = apply_for(job, recipients=())
    told = application.steps.filter(kind="mail_hr")
    assert list(told.values_list("recipient", flat=True)) == ["ada@example.com"]
    SiteSettings.objects.update(operators="ops@example.org")
    again = apply_for(job, recipients=(), answers={"name": "Jim"})
    assert again.steps.get(kind="mail_hr").recipient == "ops@example.org"
