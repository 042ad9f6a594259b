"""Translation of many pages at once, through Celery."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import Page
from wagtail_localize.components import TranslationComponentManager
from wagtail_localize.models import LocaleSynchronization, Translation
from wagtail_localize.operations import translate_page_subtree
from wagtail_localize.tasks import background as configured

from careers.languages import background
from careers.languages.background import dispatch as real_dispatch
from careers.languages.models import TranslationRequest
from careers.languages.tasks import translate_pages
from tests.support import people
from tests.support.factories import JobPageFactory
from tests.support.translating import french, in_french

pytestmark = pytest.mark.django_db


@pytest.fixture
def dispatched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    ids: list[int] = []
    monkeypatch.setattr(background, "dispatch", ids.append)
    return ids


@pytest.fixture
def jobs(job_index: Any) -> list[Any]:
    return [JobPageFactory(parent=job_index) for _number in range(3)]


def submit(home: Any, capture: Any) -> TranslationRequest:
    """As an editor who has ticked “include subtree”."""
    client = Client()
    client.force_login(people.ada())
    with capture(execute=True):
        response = client.post(
            reverse("wagtail_localize:submit_page_translation", args=[home.pk]),
            {"locales": [french().pk], "include_subtree": "on"},
        )
    assert response.status_code == 302
    return TranslationRequest.objects.get()


def french_pages() -> list[str]:
    return list(Page.objects.filter(locale=french(), depth__gt=3).values_list("title", flat=True))


def test_request_is_a_row_and_a_message_with_its_id(
    home: Any, jobs: Any, dispatched: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    request = submit(home, django_capture_on_commit_callbacks)
    assert dispatched == [request.pk]
    assert request.kind == TranslationRequest.Kind.SUBTREE
    assert (request.page_id, request.locales) == (home.pk, [french().pk])
    assert request.user.get_username() == "ada"
    assert french_pages() == []


@pytest.mark.parametrize("name", ["request_id", "errand_id"], ids=["now", "previous release"])
def test_worker_makes_drafts_of_all_pages_below(
    name: str,
    home: Any,
    jobs: Any,
    dispatched: list[int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    request = submit(home, django_capture_on_commit_callbacks)
    translate_pages(**{name: request.pk})
    assert sorted(french_pages()) == sorted(job.title for job in jobs)
    assert Translation.objects.filter(enabled=True).count() == 2 + len(jobs)
    assert not Page.objects.filter(locale=french(), live=True).exists()
    assert not TranslationRequest.objects.exists()


def test_request_without_message_is_done_by_the_scheduled_task(
    home: Any, jobs: Any, dispatched: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    submit(home, django_capture_on_commit_callbacks)
    translate_pages()
    assert len(french_pages()) == len(jobs)
    assert not TranslationRequest.objects.exists()


def test_request_is_stored_while_the_broker_is_down(
    home: Any, jobs: Any, monkeypatch: Any, django_capture_on_commit_callbacks: Any
) -> None:
    def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(background, "dispatch", real_dispatch)
    monkeypatch.setattr("celery.app.base.Celery.send_task", refuse)
    submit(home, django_capture_on_commit_callbacks)
    assert background.waiting() == [TranslationRequest.objects.get().pk]


def test_long_request_is_split_between_messages(
    home: Any,
    jobs: Any,
    dispatched: list[int],
    monkeypatch: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    request = submit(home, django_capture_on_commit_callbacks)
    monkeypatch.setattr(background, "SLICE", 2)
    translate_pages(request_id=request.pk)
    # The list of jobs and the first job.
    assert len(french_pages()) == 1
    assert dispatched == [request.pk, request.pk]
    translate_pages(request_id=request.pk)
    assert len(french_pages()) == len(jobs)
    assert not TranslationRequest.objects.exists()


def test_translated_page_is_left_unchanged(
    home: Any,
    job_index: Any,
    jobs: Any,
    dispatched: list[int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    in_french(home)
    in_french(job_index)
    done = in_french(jobs[0], {jobs[0].title: "Horloger"})
    revision = done.latest_revision_id
    request = TranslationRequest.objects.create(
        kind=TranslationRequest.Kind.SUBTREE, page=home, locales=[french().pk]
    )
    translate_pages(request_id=request.pk)
    done.refresh_from_db()
    assert (done.title, done.live, done.latest_revision_id) == ("Horloger", True, revision)
    assert len(french_pages()) == len(jobs)


def test_request_claimed_by_another_worker_is_skipped(home: Any, jobs: Any) -> None:
    request = TranslationRequest.objects.create(
        kind=TranslationRequest.Kind.SUBTREE,
        page=home,
        locales=[french().pk],
        claimed_at=timezone.now(),
    )
    translate_pages(request_id=request.pk)
    assert french_pages() == []
    TranslationRequest.objects.update(claimed_at=timezone.now() - dt.timedelta(minutes=16))
    translate_pages()
    assert len(french_pages()) == len(jobs)


def test_request_that_fails_is_kept(home: Any, jobs: Any, monkeypatch: Any) -> None:
    request = TranslationRequest.objects.create(
        kind=TranslationRequest.Kind.SUBTREE, page=home, locales=[french().pk]
    )

    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr("wagtail_localize.operations.translate_object", fail)
        with pytest.raises(MemoryError):
            translate_pages(request_id=request.pk)
    assert background.waiting() == [request.pk]
    translate_pages()
    assert len(french_pages()) == len(jobs)


def test_request_is_deleted_with_its_page(home: Any, job_index: Any) -> None:
    request = TranslationRequest.objects.create(
        kind=TranslationRequest.Kind.SUBTREE, page=job_index, locales=[french().pk]
    )
    job_index.delete()
    translate_pages(request_id=request.pk)
    assert not TranslationRequest.objects.exists()


def test_pages_of_a_synchronised_language_are_made_by_a_worker(
    home: Any, jobs: Any, dispatched: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        LocaleSynchronization.objects.create(locale=french(), sync_from=home.locale)
    assert french_pages() == []
    translate_pages(request_id=dispatched[0])
    assert len(french_pages()) == len(jobs)
    assert not Page.objects.filter(locale=french(), depth__gt=1, alias_of=None).exists()


def test_request_that_cannot_be_stored_is_done_at_once(
    home: Any, jobs: Any, dispatched: list[int]
) -> None:
    in_french(home)
    user = get_user_model().objects.create_user("translator")
    chosen = TranslationComponentManager([object()])
    chosen.save = lambda *_args, **_kwargs: None  # type: ignore[method-assign]
    configured.enqueue(translate_page_subtree, [home.pk, [french()], chosen, user], {})
    assert len(french_pages()) == len(jobs)
    assert dispatched == []
