"""The background task that lets search find what it has not read yet."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from careers import archive, inspection
from careers.applications.errors import EffectError, Permanent, Transient
from careers.applications.models import (
    Application,
    ApplicationFile,
    FileBytes,
    FileKind,
    ScanVerdict,
)
from careers.inspection import PNG, Refused, Verdict
from careers.operations import indexing, schedule
from careers.pipeline.time_limit import OutOfTime
from careers.search.applications import by_anything
from careers.search.models import ApplicationTerms, ContentTerms
from tests.support.factories import ApplicationFactory, ApplicationFileFactory
from tests.support.papers import make_cv

pytestmark = pytest.mark.django_db


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The files that a child process was asked to read; it takes their bytes for their words."""
    asked: list[bytes] = []

    def text_of(content: bytes, content_type: str) -> str:
        asked.append(content)
        return content.decode()

    monkeypatch.setattr(inspection, "text_of", text_of)
    return asked


def finds(typed: str) -> bool:
    return Application.objects.filter(by_anything(typed)).exists()


def cv(application: Application, text: str, **more: Any) -> ApplicationFile:
    made: ApplicationFile = ApplicationFileFactory(
        application=application, content=text.encode(), **more
    )
    return made


def test_task_reads_the_text_of_a_cv_in_a_child(application: Application) -> None:
    cv(application, "", filename="Élodie.pdf")
    ApplicationFileFactory(application=application, content=make_cv("Keeper of tide gauges"))
    assert not finds("gauges")
    schedule.index_texts.apply()
    assert finds("jane gauges")
    assert finds("elodie.pdf")
    assert inspection.pool.SERVER._process is None  # it holds no memory until the next file


def test_application_of_an_older_release_is_indexed(
    application: Application, read: list[bytes]
) -> None:
    cv(application, "Straßenbau")
    ApplicationTerms.objects.all().delete()
    assert indexing.run() >= 3
    assert finds("jane strassenbau")
    # Nothing is left to do.
    assert indexing.run() == 0
    assert len(read) == 1


def test_terms_of_an_older_version_are_made_again(
    application: Application, read: list[bytes]
) -> None:
    cv(application, "Straßenbau")
    indexing.run()
    ApplicationTerms.objects.update(terms=" old ", version=0)
    ContentTerms.objects.update(terms=" old ", version=0)
    indexing.run()
    assert not ApplicationTerms.objects.filter(terms=" old ").exists()
    assert not ContentTerms.objects.filter(terms=" old ").exists()


def test_pages_without_terms_are_indexed(bare_job: Any) -> None:
    ContentTerms.objects.all().delete()
    indexing.run()
    assert ContentTerms.objects.filter(title__contains=" clockmaker").exists()


def test_what_another_release_deleted_is_forgotten(
    application: Application, read: list[bytes]
) -> None:
    kept = ApplicationFactory(page=application.page)
    for one in (application, kept):
        cv(one, "Straßenbau")
    indexing.run()
    # As code does that does not know the table.
    FileBytes.objects.all().delete()
    kept.files.all()._raw_delete("default")
    application.files.all()._raw_delete("default")
    Application.objects.filter(pk=application.pk)._raw_delete("default")
    indexing.run()
    assert {row.application_id for row in ApplicationTerms.objects.all()} == {kept.pk}
    assert not ApplicationTerms.objects.filter(file__isnull=False).exists()


def test_each_run_compares_some_rows_and_the_next_run_continues(
    application: Application, read: list[bytes], monkeypatch: Any
) -> None:
    for one in (application, ApplicationFactory(page=application.page)):
        cv(one, "Straßenbau")
    indexing.run()
    FileBytes.objects.all().delete()
    application.files.all()._raw_delete("default")
    Application.objects.filter(pk=application.pk)._raw_delete("default")
    of_deleted = ApplicationTerms.objects.filter(application=application.pk)
    assert of_deleted.count() == 3
    monkeypatch.setattr(indexing, "LOOKED_AT", 1)
    left = []
    for _row in range(7):
        with CaptureQueriesContext(connection) as asked:
            indexing.forget_deleted()
        assert len(asked) < 10
        left.append(of_deleted.count())
    assert left == sorted(left, reverse=True)
    assert (max(left) - min(left) > 1, left[-1]) == (True, 0)


@pytest.mark.parametrize("verdict", [ScanVerdict.WAITING, ScanVerdict.INFECTED])
def test_locked_file_is_read_once_it_is_clean(
    application: Application, read: list[bytes], verdict: str
) -> None:
    file = cv(application, "Straßenbau", scan_verdict=verdict)
    indexing.run()
    assert read == []
    ApplicationFile.objects.filter(pk=file.pk).update(scan_verdict=ScanVerdict.CLEAN)
    indexing.run()
    assert finds("strassenbau")


def test_only_uploads_with_words_are_read(application: Application, read: list[bytes]) -> None:
    cv(application, "the site’s own PDF", kind=FileKind.PDF)
    cv(application, "a photo", content_type=PNG, kind=FileKind.ANSWER)
    indexing.run()
    assert read == []
    assert ApplicationTerms.objects.filter(file__isnull=False).count() == 1


def test_file_that_can_not_be_read_is_not_read_again(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def text_of(content: bytes, content_type: str) -> str:
        asked.append(content)
        raise Refused(Verdict.TOO_COMPLEX)

    monkeypatch.setattr(inspection, "text_of", text_of)
    cv(application, "hostile")
    indexing.run()
    indexing.run()
    assert asked == [b"hostile"]


@pytest.mark.parametrize(
    ("error", "asked_twice"),
    [
        (Transient("archive-unavailable", "It does not answer."), True),
        (Permanent("archive-lost", "It is lost."), False),
    ],
)
def test_archive_that_fails_is_asked_again_unless_the_file_is_lost(
    application: Application,
    read: list[bytes],
    monkeypatch: pytest.MonkeyPatch,
    error: EffectError,
    asked_twice: bool,
) -> None:
    asked = []

    def fetch(key: str, *, sha256: str) -> bytes:
        asked.append(key)
        raise error

    monkeypatch.setattr(archive, "fetch", fetch)
    for number in range(2):
        cv(ApplicationFactory(page=application.page), str(number), archived=True)
    indexing.run()
    assert len(asked) == 2
    indexing.run()
    assert len(asked) == (4 if asked_twice else 2)


def test_file_that_the_archive_refuses_leaves_the_others_until_three_fail(
    application: Application, read: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fetch(key: str, *, sha256: str) -> bytes:
        asked.append(key)
        if len(asked) in refused:
            raise Transient("archive-unavailable", "It does not answer.")
        return b"%PDF"

    monkeypatch.setattr(archive, "fetch", fetch)
    for number in range(5):
        cv(ApplicationFactory(page=application.page), str(number), archived=True)
    refused = {1, 2}
    indexing.run()
    assert len(asked) == 5
    asked.clear()
    ApplicationTerms.objects.filter(file__isnull=False).delete()
    refused = {1, 2, 3}
    indexing.run()
    assert len(asked) == 3


@pytest.mark.parametrize("error", [SoftTimeLimitExceeded, OutOfTime])
def test_file_that_takes_all_the_time_leaves_the_older_ones_and_is_tried_later(
    application: Application, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    """However the task ends: by its soft limit, or with its process."""
    asked = []

    def text_of(content: bytes, content_type: str) -> str:
        asked.append(content)
        if content == b"endless":
            raise error
        return content.decode()

    monkeypatch.setattr(inspection, "text_of", text_of)
    cv(application, "older")
    cv(application, "endless")
    for _run in range(3):
        with suppress(error):
            indexing.run()
    assert asked == [b"endless", b"older"]
    assert finds("older")
    cache.clear()  # as if its time had passed
    with suppress(error):
        indexing.run()
    assert asked == [b"endless", b"older", b"endless"]


def test_error_of_one_application_leaves_the_others(
    application: Application, read: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    broken = ApplicationFactory(page=application.page, name="Broken")
    Application.objects.filter(pk=broken.pk).update(form={})
    indexing.run()
    sources = ApplicationTerms.objects.filter(source="answers")
    assert set(sources.values_list("application", flat=True)) == {application.pk}
    assert "KeyError" in caplog.text
    assert "Broken" not in caplog.text


def test_run_ends_in_time(bare_job: Any, read: list[bytes]) -> None:
    now = timezone.now()
    for minutes in range(3):
        ApplicationFactory(page=bare_job, received_at=now - dt.timedelta(minutes=minutes))
    # At least one, so that it gets on however busy the machine is.
    assert indexing.run(lasts=0) == 1
