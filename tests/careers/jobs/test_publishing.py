"""Every way to publish a job warns if nobody can apply for it, or if it has no recipients."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import GroupApprovalTask, Page, Workflow, WorkflowTask
from wagtail_localize.models import TranslationSource

from careers.jobs.models import JobPage
from careers.jobs.panels import DATES_PANEL, RECIPIENTS_PANEL
from careers.jobs.publishing import jobs_scheduled_too_late
from home.bidi import isolated
from home.models import SiteSettings
from tests.support import people
from tests.support.editing import page_form
from tests.support.factories import JobPageFactory
from tests.support.translating import french_site, in_french

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(people.ada())
    return client


CLOSED = f"Nobody can apply for “{isolated('Gauge keeper')}”: it closed on "
SILENT = f"Nobody gets a mail about applications for “{isolated('Gauge keeper')}”."
EMPTY = f"Nobody can apply for “{isolated('Gauge keeper')}”: it closes on "


def hours(number: float) -> dt.datetime:
    return (timezone.now() + dt.timedelta(hours=number)).replace(second=0, microsecond=0)


def typed(number: float) -> str:
    return f"{hours(number):%Y-%m-%d %H:%M}"


def shown(response: Any) -> str:
    return " ".join(map(str, response.wsgi_request._messages))


@pytest.mark.parametrize(
    ("dates", "warning"),
    [
        ({}, ""),
        ({"closes_at": typed(9)}, ""),
        ({"opens_at": typed(9)}, ""),
        ({"closes_at": typed(-9)}, CLOSED),
        ({"opens_at": typed(9), "expire_at": typed(3)}, EMPTY),
        ({"closes_at": typed(3), "go_live_at": typed(9)}, EMPTY),
        ({"closes_at": typed(-3), "go_live_at": typed(9)}, CLOSED),
    ],
    ids=["no dates", "closes", "opens", "closed", "ends first", "closes first", "closed first"],
)
def test_publishing_a_job_that_nobody_can_apply_for_warns(
    editor: Client, job: Any, dates: dict[str, str], warning: str
) -> None:
    form = page_form(job, **dates, **{"action-publish": "1"})
    response = editor.post(f"/admin/pages/{job.pk}/edit/", form)
    assert response.status_code == 302
    said = shown(response)
    assert ("Nobody can apply" in said, warning in said) == (bool(warning), True)
    assert (f'/admin/pages/{job.pk}/edit/#{DATES_PANEL}"' in said) is bool(warning)
    assert (warning in editor.get(f"/admin/pages/{job.pk}/edit/").content.decode()) is True


def test_copy_says_that_the_closing_time_was_left_out(
    editor: Client, job: Any, job_index: Any
) -> None:
    job.closes_at = hours(-9)
    job.save()
    form = {"new_title": "Copy", "new_slug": "copy", "new_parent_page": job_index.pk}
    response = editor.post(f"/admin/pages/{job.pk}/copy/", form)
    assert "The copy has no closing time" in shown(response)
    assert "Nobody can apply" not in shown(response)


def test_editor_of_translation_warns_of_a_closed_job(
    editor: Client, home: Any, job_index: Any, job: Any
) -> None:
    french_site(home, job_index)
    translated = in_french(job)
    JobPage.objects.update(closes_at=hours(-9))
    page = editor.get(f"/admin/pages/{translated.pk}/edit/").content.decode()
    assert CLOSED in page
    assert f"/admin/pages/{job.pk}/edit/#{DATES_PANEL}" in page


# ── Every way to publish ────────────────────────────────────────────────────────────────


def bulk(editor: Client, job: JobPage, *others: Page) -> Any:
    ids = "&".join(f"id={page.pk}" for page in (job, *others))
    return editor.post(f"/admin/bulk/wagtailcore/page/publish/?{ids}")


def in_editor(editor: Client, job: JobPage) -> Any:
    draft = job.get_latest_revision_as_object()
    closes = f"{draft.closes_at:%Y-%m-%d %H:%M}" if draft.closes_at else ""
    form = page_form(draft, closes_at=closes, **{"action-publish": "1"})
    return editor.post(f"/admin/pages/{job.pk}/edit/", form)


def approved(editor: Client, job: JobPage, *, where: str = "dashboard") -> Any:
    """Publish by the approval of the only task of a workflow."""
    workflow = Workflow.objects.create(name="Review")
    task = GroupApprovalTask.objects.create(name="Read")
    WorkflowTask.objects.create(workflow=workflow, task=task)
    state = workflow.start(job, get_user_model().objects.get())
    if where == "dashboard":
        arguments = [job.pk, "approve", state.current_task_state.pk]
        address = reverse("wagtailadmin_pages:workflow_action", args=arguments)
        return editor.post(address, {"next": "/admin/"})
    action = {"action-workflow-action": "true", "workflow-action-name": "approve"}
    draft = job.get_latest_revision_as_object()
    closes = f"{draft.closes_at:%Y-%m-%d %H:%M}" if draft.closes_at else ""
    return editor.post(f"/admin/pages/{job.pk}/edit/", page_form(draft, closes_at=closes, **action))


def approved_in_editor(editor: Client, job: JobPage) -> Any:
    return approved(editor, job, where="editor")


def through_the_api(editor: Client, job: JobPage) -> Any:
    return editor.post(f"/admin/api/main/pages/{job.pk}/action/publish/")


WAYS: list[Callable[..., Any]] = [in_editor, bulk, approved, approved_in_editor, through_the_api]
#: The editor and the bulk action refuse to publish a job without recipients.
WITHOUT_REFUSAL: list[Callable[..., Any]] = [approved, approved_in_editor, through_the_api]


@pytest.mark.parametrize("publish", WAYS)
def test_each_way_to_publish_a_closed_job_warns(editor: Client, job: Any, publish: Any) -> None:
    job.live, job.closes_at = False, hours(-9)
    job.save()
    job.save_revision()
    response = publish(editor, job)
    assert JobPage.objects.get().live
    said = shown(response)
    assert (said.count(CLOSED), said.count(SILENT)) == (1, 0)
    assert f'/admin/pages/{job.pk}/edit/#{DATES_PANEL}"' in said


@pytest.mark.parametrize("publish", [in_editor, approved])
def test_publishing_an_open_job_does_not_warn(editor: Client, job: Any, publish: Any) -> None:
    job.live, job.closes_at = False, hours(9)
    job.save()
    job.save_revision()
    said = shown(publish(editor, job))
    assert JobPage.objects.get().live
    assert "Nobody can apply" not in said
    assert "No recipient" not in said


@pytest.mark.parametrize("publish", WITHOUT_REFUSAL)
def test_each_way_to_publish_a_job_without_recipients_warns(
    editor: Client, job: Any, publish: Any
) -> None:
    SiteSettings.objects.update(hr_recipients="")
    job.live, job.hr_recipients = False, ""
    job.save()
    job.save_revision()
    said = shown(publish(editor, job))
    assert JobPage.objects.get().live
    assert (said.count(CLOSED), said.count(SILENT)) == (0, 1)
    page = editor.get(f"/admin/pages/{job.pk}/edit/").content.decode()
    assert SILENT in page
    assert f'id="{RECIPIENTS_PANEL}"' in page


def test_several_closed_jobs_have_one_warning(editor: Client, job: Any, job_index: Any) -> None:
    jobs = [job, JobPageFactory(parent=job_index, title="Diver")]
    for one in jobs:
        one.closes_at = hours(-9)
        one.save_revision()
    said = shown(bulk(editor, *jobs))
    assert "for these jobs, because of their dates: Gauge keeper and Diver." in said
    assert said.count("Nobody") == 1


def test_publishing_an_original_and_its_translation_warns_once(
    editor: Client, home: Any, job_index: Any, job: Any
) -> None:
    french_site(home, job_index)
    in_french(job, {"Gauge keeper": "Gardien"})
    job.closes_at = hours(-9)
    job.save_revision()
    said = shown(bulk(editor, job))
    assert said.count("Nobody can apply") == said.count(CLOSED) == 1


def test_translation_that_is_published_with_an_update_warns(
    editor: Client, home: Any, job_index: Any, job: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    french_site(home, job_index)
    in_french(job, {"Gauge keeper": "Gardien"}, publish=False)
    JobPage.objects.filter(pk=job.pk).update(closes_at=hours(-9))
    source = TranslationSource.objects.get(object_id=job.translation_key)
    # wagtail-localize publishes when the transaction ends, which a test's never does.
    monkeypatch.setattr(transaction, "on_commit", lambda function, **_more: function())
    response = editor.post(f"/admin/localize/update/{source.pk}/", {"publish_translations": "on"})
    assert "Nobody can apply for “Gardien”" in shown(response)


# ── The schedule ────────────────────────────────────────────────────────────────────────


def reported() -> list[str]:
    return [finding.message for finding in jobs_scheduled_too_late()]


@pytest.mark.parametrize(("closes", "is_reported"), [(-3, True), (3, False), (None, False)])
def test_job_that_the_schedule_published_too_late_is_reported(
    editor: Client, job: Any, closes: int | None, is_reported: bool
) -> None:
    job.live, job.go_live_at = False, hours(1)
    job.closes_at = closes and hours(closes)
    job.save()
    job.save_revision().publish()
    assert reported() == []
    job.revisions.update(approved_go_live_at=hours(-1))
    revision = job.revisions.get()
    revision.content["go_live_at"] = hours(-1).isoformat()
    revision.save()
    call_command("publish_scheduled")
    assert JobPage.objects.get().live
    words = ["The schedule published 1 job after it had closed: Gauge keeper. Nobody can apply."]
    assert reported() == (words if is_reported else [])
    # A person who publishes it again reads the warning in the editor.
    in_editor(editor, JobPage.objects.get())
    assert reported() == []
