"""Translating many pages at once, by way of Celery."""

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
from careers.languages.background import ring as real_ring
from careers.languages.models import TranslationErrand
from careers.languages.tasks import translate_pages
from tests.support import people
from tests.support.factories import JobPageFactory
from tests.support.translating import french, in_french

pytestmark = pytest.mark.django_db


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    ids: list[int] = []
    monkeypatch.setattr(background, "ring", ids.append)
    return ids


@pytest.fixture
def jobs(job_index: Any) -> list[Any]:
    return [JobPageFactory(parent=job_index) for _number in range(3)]


def submit(home: Any, capture: Any) -> TranslationErrand:
    """As an editor who has ticked “include subtree”."""
    client = Client()
    client.force_login(people.ada())
    with capture(execute=True):
        response = client.post(
            reverse("wagtail_localize:submit_page_translation", args=[home.pk]),
            {"locales": [french().pk], "include_subtree": "on"},
        )
    assert response.status_code == 302
    return TranslationErrand.objects.get()


def french_pages() -> list[str]:
    return list(Page.objects.filter(locale=french(), depth__gt=3).values_list("title", flat=True))


def test_editor_gets_a_row_and_a_message_that_names_it(
    home: Any, jobs: Any, rung: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    errand = submit(home, django_capture_on_commit_callbacks)
    assert rung == [errand.pk]
    assert errand.kind == TranslationErrand.Kind.SUBTREE
    assert (errand.page_id, errand.locales) == (home.pk, [french().pk])
    assert errand.user.get_username() == "ada"
    assert french_pages() == []


def test_worker_makes_drafts_of_all_pages_below(
    home: Any, jobs: Any, rung: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    errand = submit(home, django_capture_on_commit_callbacks)
    translate_pages(errand_id=errand.pk)
    assert sorted(french_pages()) == sorted(job.title for job in jobs)
    assert Translation.objects.filter(enabled=True).count() == 2 + len(jobs)
    assert not Page.objects.filter(locale=french(), live=True).exists()
    assert not TranslationErrand.objects.exists()


def test_errand_without_a_message_is_found_by_the_clock(
    home: Any, jobs: Any, rung: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    submit(home, django_capture_on_commit_callbacks)
    translate_pages()
    assert len(french_pages()) == len(jobs)
    assert not TranslationErrand.objects.exists()


def test_broker_that_is_down_costs_the_editor_nothing(
    home: Any, jobs: Any, monkeypatch: Any, django_capture_on_commit_callbacks: Any
) -> None:
    def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(background, "ring", real_ring)
    monkeypatch.setattr("celery.app.base.Celery.send_task", refuse)
    submit(home, django_capture_on_commit_callbacks)
    assert background.waiting() == [TranslationErrand.objects.get().pk]


def test_long_errand_lets_others_go_first(
    home: Any,
    jobs: Any,
    rung: list[int],
    monkeypatch: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    errand = submit(home, django_capture_on_commit_callbacks)
    monkeypatch.setattr(background, "SLICE", 2)
    translate_pages(errand_id=errand.pk)
    # The list of jobs and the first job.
    assert len(french_pages()) == 1
    assert rung == [errand.pk, errand.pk]
    translate_pages(errand_id=errand.pk)
    assert len(french_pages()) == len(jobs)
    assert not TranslationErrand.objects.exists()


def test_page_that_is_translated_already_stays_as_it_is(
    home: Any, job_index: Any, jobs: Any, rung: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    in_french(home)
    in_french(job_index)
    done = in_french(jobs[0], {jobs[0].title: "Horloger"})
    revision = done.latest_revision_id
    errand = TranslationErrand.objects.create(
        kind=TranslationErrand.Kind.SUBTREE, page=home, locales=[french().pk]
    )
    translate_pages(errand_id=errand.pk)
    done.refresh_from_db()
    assert (done.title, done.live, done.latest_revision_id) == ("Horloger", True, revision)
    assert len(french_pages()) == len(jobs)


def test_errand_in_other_hands_is_left_alone(home: Any, jobs: Any) -> None:
    errand = TranslationErrand.objects.create(
        kind=TranslationErrand.Kind.SUBTREE,
        page=home,
        locales=[french().pk],
        claimed_at=timezone.now(),
    )
    translate_pages(errand_id=errand.pk)
    assert french_pages() == []
    TranslationErrand.objects.update(claimed_at=timezone.now() - dt.timedelta(minutes=16))
    translate_pages()
    assert len(french_pages()) == len(jobs)


def test_failing_errand_stays_for_another_time(home: Any, jobs: Any, monkeypatch: Any) -> None:
    errand = TranslationErrand.objects.create(
        kind=TranslationErrand.Kind.SUBTREE, page=home, locales=[french().pk]
    )

    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr("wagtail_localize.operations.translate_object", fail)
        with pytest.raises(MemoryError):
            translate_pages(errand_id=errand.pk)
    assert background.waiting() == [errand.pk]
    translate_pages()
    assert len(french_pages()) == len(jobs)


def test_page_that_is_gone_takes_its_errand_along(home: Any, job_index: Any) -> None:
    errand = TranslationErrand.objects.create(
        kind=TranslationErrand.Kind.SUBTREE, page=job_index, locales=[french().pk]
    )
    job_index.delete()
    translate_pages(errand_id=errand.pk)
    assert not TranslationErrand.objects.exists()


def test_language_that_mirrors_another_is_filled_by_a_worker(
    home: Any, jobs: Any, rung: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        LocaleSynchronization.objects.create(locale=french(), sync_from=home.locale)
    assert french_pages() == []
    translate_pages(errand_id=rung[0])
    assert len(french_pages()) == len(jobs)
    assert not Page.objects.filter(locale=french(), depth__gt=1, alias_of=None).exists()


def test_what_no_row_can_hold_is_done_at_once(home: Any, jobs: Any, rung: list[int]) -> None:
    in_french(home)
    user = get_user_model().objects.create_user("translator")
    chosen = TranslationComponentManager([object()])
    chosen.save = lambda *_args, **_kwargs: None  # type: ignore[method-assign]
    configured.enqueue(translate_page_subtree, [home.pk, [french()], chosen, user], {})
    assert len(french_pages()) == len(jobs)
    assert rung == []
