"""The schedule of pages: what happens to times that have passed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from wagtail.models import Page

from home.models import PlainPage
from tests.support import people
from tests.support.editing import page_form
from tests.support.translating import french, french_site, in_french

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2027, 3, 1, 12, 0, tzinfo=dt.UTC)
NOON, ONE = NOW.isoformat(sep=" ")[:16], "2027-03-01 13:00"
INVALID = "The publishing schedule is not valid."


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW - dt.timedelta(hours=1), tick=False)


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(people.ada())
    return client


@pytest.fixture
def expired(job: Any, time_machine: Any) -> Any:
    """A job that its schedule has unpublished at noon, a minute ago."""
    job.go_live_at, job.expire_at = NOW - dt.timedelta(minutes=30), NOW
    job.save_revision().publish()
    time_machine.move_to(NOW - dt.timedelta(minutes=29), tick=False)
    call_command("publish_scheduled")
    time_machine.move_to(NOW + dt.timedelta(minutes=1), tick=False)
    call_command("publish_scheduled")
    job.refresh_from_db()
    assert (job.live, job.expired, job.expire_at) == (False, True, NOW)
    return job


def post(editor: Client, page: Page, **changes: str) -> Any:
    return editor.post(f"/admin/pages/{page.pk}/edit/", page_form(page, **changes))


def fresh(page: Any) -> Any:
    return type(page).objects.get(pk=page.pk)


def test_expired_job_is_saved_and_published_again(editor: Client, expired: Any) -> None:
    form = editor.get(f"/admin/pages/{expired.pk}/edit/").context["form"]
    assert (form["go_live_at"].value(), form["expire_at"].value()) == (None, None)
    assert post(editor, expired, title="Renamed").status_code == 302
    assert post(editor, expired, **{"action-publish": "1"}).status_code == 302
    call_command("publish_scheduled")
    job = fresh(expired)
    assert (job.live, job.go_live_at, job.expire_at) == (True, None, None)


def test_expired_plain_page_is_saved(editor: Client, home: Any, time_machine: Any) -> None:
    page = home.add_child(instance=PlainPage(title="Legal", expire_at=NOW))
    time_machine.move_to(NOW + dt.timedelta(minutes=1), tick=False)
    call_command("publish_scheduled")
    form = {"title": "Legal", "slug": page.slug, "intro": "", "body-count": "0"}
    comments = {"comments-TOTAL_FORMS": "0", "comments-INITIAL_FORMS": "0"}
    response = editor.post(f"/admin/pages/{page.pk}/edit/", form | comments)
    assert response.status_code == 302
    assert fresh(page).expire_at is None


@pytest.mark.parametrize("how", ["bulk", "code"])
def test_expired_job_stays_live_however_it_is_published(
    editor: Client, expired: Any, how: str
) -> None:
    if how == "bulk":
        editor.post(f"/admin/bulk/wagtailcore/page/publish/?id={expired.pk}")
    else:
        expired.get_latest_revision().publish()
    assert fresh(expired).live
    call_command("publish_scheduled")
    assert fresh(expired).live


@pytest.mark.parametrize("how", ["admin", "code", "published", "translation", "alias"])
def test_copy_has_no_spent_schedule(
    editor: Client, expired: Any, home: Any, job_index: Any, how: str
) -> None:
    match how:
        case "admin":
            form = {"new_title": "Copy", "new_slug": "copy", "new_parent_page": job_index.pk}
            assert editor.post(f"/admin/pages/{expired.pk}/copy/", form).status_code == 302
            copy = type(expired).objects.get(slug="copy")
        case "code" | "published":
            attributes = {"slug": "copy", "live": how == "published"}
            copy = expired.copy(update_attrs=attributes, keep_live=how == "published")
        case "translation":
            french_site(home, job_index)
            copy = expired.copy_for_translation(french())
        case _:
            copy = expired.create_alias(update_slug="copy")
    for page in (fresh(copy), copy.get_latest_revision_as_object()):
        assert (page.go_live_at, page.expire_at) == (None, None)
    if how != "alias":
        assert not fresh(copy).expired
        assert post(editor, fresh(copy)).status_code == 302


def test_copy_keeps_schedule_of_the_future(job: Any) -> None:
    job.expire_at = NOW
    job.save()
    assert job.copy(update_attrs={"slug": "copy"}).expire_at == NOW


def test_time_that_passed_while_editing_is_dropped_from_draft(editor: Client, expired: Any) -> None:
    assert post(editor, expired, expire_at=NOON).status_code == 302
    assert fresh(expired).get_latest_revision().content["expire_at"] is None


@pytest.mark.parametrize(
    "changes",
    [
        {"expire_at": NOON, "action-publish": "1"},
        {"expire_at": "2027-02-01 12:00"},
        {"go_live_at": "2027-03-01 14:00", "expire_at": ONE},
    ],
    ids=["passed while editing", "just entered", "wrong order"],
)
def test_invalid_schedule_is_reported_at_the_top(
    editor: Client, expired: Any, changes: dict[str, str]
) -> None:
    response = post(editor, expired, **changes)
    assert response.status_code == 200
    messages = "".join(str(message) for message in response.context["messages"])
    assert INVALID in messages
    assert "xpiry date/time" in messages
    assert not fresh(expired).live


def test_job_past_its_schedule_is_closed_before_the_task_runs(
    client: Client, job: Any, time_machine: Any
) -> None:
    job.expire_at = NOW
    job.save_revision().publish()
    time_machine.move_to(NOW, tick=False)
    assert fresh(job).live
    assert not fresh(job).is_open
    assert "<form class" not in client.get("/careers/gauge-keeper/").content.decode()


def test_publishing_by_code_does_not_cancel_schedule_that_is_due(
    job: Any, time_machine: Any
) -> None:
    job.expire_at = NOW
    job.save_revision().publish()
    time_machine.move_to(NOW + dt.timedelta(seconds=30), tick=False)
    job.get_latest_revision().publish()
    call_command("publish_scheduled")
    assert not fresh(job).live


def test_job_whose_whole_schedule_was_missed_does_not_stay_live(
    job: Any, time_machine: Any
) -> None:
    job.unpublish()
    job.go_live_at, job.expire_at = NOW, NOW + dt.timedelta(hours=1)
    job.save_revision().publish()
    time_machine.move_to(NOW + dt.timedelta(hours=2), tick=False)
    call_command("publish_scheduled")
    assert not fresh(job).is_open
    call_command("publish_scheduled")
    assert not fresh(job).live


def test_expiry_is_the_same_in_every_language(
    home: Any, job_index: Any, job: Any, time_machine: Any
) -> None:
    french_site(home, job_index)
    translated = in_french(job)
    job.expire_at = NOW
    job.save_revision().publish()
    assert fresh(translated).expire_at == NOW
    time_machine.move_to(NOW + dt.timedelta(minutes=1), tick=False)
    call_command("publish_scheduled")
    assert (fresh(translated).live, fresh(translated).expired) == (False, True)


def test_alias_of_expired_job_has_expired(job: Any, time_machine: Any) -> None:
    job.expire_at = NOW
    job.save_revision().publish()
    alias = job.create_alias(update_slug="alias")
    time_machine.move_to(timezone.now() + dt.timedelta(hours=2), tick=False)
    call_command("publish_scheduled")
    assert (fresh(alias).live, fresh(alias).expired) == (False, True)
