"""The editor of a job: many questions, and saving while somebody else publishes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from wagtail import hooks
from wagtail.models import Page, get_page_models

from careers.jobs.models import JobPage
from home.publishing import PageForm
from tests.support import people
from tests.support.editing import choice_questions, page_form

pytestmark = pytest.mark.django_db

PUBLISH = {"action-publish": "1"}


@pytest.fixture
def editor(job: Any) -> Client:
    return people.logged_in(people.ada())


def edit(job: JobPage) -> str:
    return f"/admin/pages/{job.pk}/edit/"


# ── Many questions ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("count", "options"), [(40, 5), (300, 2)])
def test_job_with_many_choice_questions_is_published(
    editor: Client, job: Any, count: int, options: int
) -> None:
    form = page_form(job, **choice_questions(count, options), **PUBLISH)
    assert editor.post(edit(job), form).status_code == 302
    stored = JobPage.objects.get(pk=job.pk).frozen_form().questions[-count:]
    assert [len(question.options) for question in stored] == [options] * count


def test_repeated_option_is_refused_at_the_option(editor: Client, job: Any) -> None:
    form = page_form(job, **choice_questions(1, 3), **PUBLISH)
    form["questions-0-value-options-2-value"] = "option 0"
    page = editor.post(edit(job), form).content.decode()
    assert (
        "&quot;options&quot;: {&quot;blockErrors&quot;: {&quot;2&quot;: {&quot;messages&quot;: "
        "[&quot;This is the same as option 1." in page
    )


# ── Publishing and saving at the same moment ────────────────────────────────────────────


def between(act: Callable[[], Any]) -> Any:
    """Run ``act`` in the next request of the editor, after it has read the page."""
    acts = [act]

    def run(request: Any, page: Page) -> None:
        if acts:
            acts.pop()()

    return hooks.register_temporarily("before_edit_page", run)


def autosave(editor: Client, job: JobPage, **more: str) -> Any:
    """Save a draft as the script of Wagtail's editor does."""
    form = page_form(job, title="Autosaved", **more)
    return editor.post(edit(job), form, headers={"accept": "application/json"})


def publish(editor: Client, job: JobPage) -> Any:
    return editor.post(edit(job), page_form(job, title="Published", **PUBLISH))


def publish_in_bulk(editor: Client, job: JobPage) -> Any:
    """Publish the newest draft as it is."""
    return editor.post(f"/admin/bulk/wagtailcore/page/publish/?id={job.pk}")


@pytest.fixture
def draft(job: Any) -> Any:
    job.live = False
    job.save()
    return job


@pytest.mark.parametrize("overwrites", [True, False])
@pytest.mark.parametrize("publishing", [publish, publish_in_bulk])
def test_autosave_that_read_the_draft_does_not_undo_publishing(
    editor: Client, draft: Any, publishing: Any, overwrites: bool
) -> None:
    first = autosave(editor, draft).json()["revision_id"]
    more = {"overwrite_revision_id": str(first)} if overwrites else {}
    with between(lambda: publishing(editor, draft)):
        answer = autosave(editor, draft, summary="Too late", **more)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "invalid_revision")
    stored = JobPage.objects.get(pk=draft.pk)
    assert stored.live
    assert stored.title == ("Published" if publishing is publish else "Autosaved")
    assert stored.live_revision_id == stored.latest_revision_id
    assert stored.first_published_at
    assert not stored.has_unpublished_changes
    assert editor.get(stored.url).status_code == 200


def test_publishing_that_read_the_page_before_an_autosave_wins(editor: Client, draft: Any) -> None:
    with between(lambda: autosave(editor, draft)):
        assert publish(editor, draft).status_code == 302
    stored = JobPage.objects.get(pk=draft.pk)
    assert (stored.live, stored.title) == (True, "Published")
    assert stored.live_revision_id == stored.latest_revision_id
    assert not stored.has_unpublished_changes


@pytest.mark.parametrize("overwrites", [True, False])
def test_autosave_of_a_published_page_does_not_hide_a_newer_publication(
    editor: Client, job: Any, overwrites: bool
) -> None:
    first = autosave(editor, job).json()["revision_id"]
    more = {"overwrite_revision_id": str(first)} if overwrites else {}
    with between(lambda: publish(editor, job)):
        assert autosave(editor, job, **more).status_code == 400
    stored = JobPage.objects.get(pk=job.pk)
    assert (stored.title, stored.get_latest_revision_as_object().title) == ("Published",) * 2


def test_draft_that_somebody_saves_by_hand_while_it_is_published_stays_in_the_editor(
    editor: Client, draft: Any
) -> None:
    with between(lambda: publish(editor, draft)):
        answer = editor.post(edit(draft), page_form(draft, title="By hand"))
    page = answer.content.decode()
    assert "Not saved: this page was changed or published at the same moment." in page
    assert 'value="By hand"' in page
    # The next request has read the published page.
    assert editor.post(edit(draft), page_form(draft, title="By hand")).status_code == 302
    stored = JobPage.objects.get(pk=draft.pk)
    assert (stored.live, stored.title) == (True, "Published")
    assert stored.get_latest_revision_as_object().title == "By hand"


def test_autosave_does_not_publish_again_what_was_unpublished(editor: Client, job: Any) -> None:
    with between(lambda: JobPage.objects.get(pk=job.pk).unpublish()):
        assert autosave(editor, job).status_code == 400
    assert not JobPage.objects.get(pk=job.pk).live


def test_every_kind_of_page_has_the_guard() -> None:
    for model in set(get_page_models()) - {Page}:
        assert issubclass(model.get_edit_handler().get_form_class(), PageForm), model
