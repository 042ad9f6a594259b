"""Bytes of files: stored once, read back unchanged."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from careers.applications.files import store_file, stored_bytes
from careers.applications.models import ApplicationFile, FileBytes
from tests.support.applying import apply_for

pytestmark = pytest.mark.django_db

EVERY_BYTE = bytes(range(256)) * 40


def test_stored_bytes_returns_what_was_stored(job: Any) -> None:
    application = apply_for(job)
    file = store_file(
        application,
        kind="pdf",
        content=EVERY_BYTE,
        filename="a.pdf",
        content_type="application/pdf",
    )
    assert stored_bytes(file) == EVERY_BYTE
    assert (file.size, file.sha256) == (len(EVERY_BYTE), hashlib.sha256(EVERY_BYTE).hexdigest())


def test_same_bytes_for_the_same_purpose_are_stored_once(job: Any) -> None:
    application = apply_for(job)
    given: dict[str, Any] = {"content": EVERY_BYTE, "filename": "a.pdf", "content_type": "x/y"}
    first = store_file(application, kind="pdf", **given)
    again = store_file(application, kind="pdf", **given)
    other = store_file(application, kind="answer", question_key="q", **given)
    assert (first.pk == again.pk, first.pk == other.pk) == (True, False)
    assert FileBytes.objects.filter(file__kind__in=["pdf", "answer"]).count() == 2


def test_stored_bytes_is_none_when_only_the_archive_has_them(job: Any) -> None:
    application = apply_for(job)
    file = application.files.get()
    FileBytes.objects.all().delete()
    assert stored_bytes(file) is None


def test_list_of_files_does_not_load_bytes(job: Any, django_assert_num_queries: Any) -> None:
    apply_for(job)
    with django_assert_num_queries(1) as captured:
        list(ApplicationFile.objects.all())
    assert "careers_filebytes" not in captured.captured_queries[0]["sql"]
