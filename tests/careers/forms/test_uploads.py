"""Uploaded files: received within limits, judged by their bytes, kept within quotas."""

from __future__ import annotations

import datetime as dt
import unicodedata
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from careers.applications.files import Upload
from careers.forms.models import PendingUpload
from careers.forms.uploads import (
    BoundedUploadHandler,
    ReceivedFile,
    check,
    clean_filename,
    clean_up,
    keep,
    unchecked,
)
from careers.inspection import ACCEPTED, DOCX, JPEG, ODT, PDF, PNG, Active, Verdict, words
from home.models import SiteSettings
from tests.support import papers
from tests.support.applying import received, the_cv
from tests.support.papers import make_cv, make_docx, make_odt

UNKNOWN = (
    "The file must be one of these: PDF, DOCX, ODT, JPG, PNG. Save it as a PDF and choose it again."
)
DAMAGED_PDF = "The PDF is damaged and can’t be opened. Save it again and choose the new file."
DAMAGED_OFFICE = "The file is damaged and can’t be opened. Save it again, best as a PDF."


def checked(file: ReceivedFile) -> Upload:
    return check(unchecked(file, "cv"))


def refusal(content: bytes, name: str = "cv.pdf", size: int | None = None) -> str:
    with pytest.raises(ValidationError) as caught:
        checked(received(content, name, size))
    (message,) = caught.value.messages
    return message


# ── Judging ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "name", "content_type", "filename"),
    [
        (make_cv(), "cv.docx", PDF, "cv.pdf"),
        (make_docx(), "cv.pdf", DOCX, "cv.docx"),
        (make_odt(), "cv", ODT, "cv.odt"),
        (papers.JPEG, "photo.png", JPEG, "photo.jpg"),
        (papers.PNG, "photo.jpg", PNG, "photo.png"),
    ],
)
@pytest.mark.django_db
def test_check_takes_the_type_from_the_bytes_and_not_from_the_name(
    content: bytes, name: str, content_type: str, filename: str
) -> None:
    upload = checked(received(content, name))
    assert (upload.content_type, upload.filename, upload.marks) == (content_type, filename, "")
    assert upload.content == content


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty. Choose another file."),
        (papers.PROGRAM, UNKNOWN),
        (b"GIF89a", UNKNOWN),
        (make_cv()[:200], DAMAGED_PDF),
        (make_docx()[:-30], DAMAGED_OFFICE),
        (
            make_cv(password="secret"),
            "The PDF is password-protected. Save it without a password and choose it again.",
        ),
    ],
)
def test_check_refuses_a_bad_file_with_advice(content: bytes, sentence: str) -> None:
    assert refusal(content) == sentence


SCRIPT = papers.make_pdf("/OpenAction<</S/JavaScript/JS(app.alert(1))>>")


@pytest.mark.django_db
def test_check_refuses_active_content_by_default() -> None:
    assert refusal(SCRIPT) == (
        "The PDF holds a script (JavaScript). Print it to a new PDF and choose that one."
    )


@pytest.mark.django_db
def test_check_marks_active_content_where_the_company_accepts_it(home: Any) -> None:
    SiteSettings.objects.update(active_content="mark")
    upload = checked(received(SCRIPT))
    assert (upload.content_type, upload.marks, upload.content) == (PDF, "script", SCRIPT)


def test_every_verdict_has_words() -> None:
    for verdict in Verdict:
        assert "%" not in words.refusal(verdict)
    for active in Active:
        assert words.active_refusal([active])
        assert words.mark(active)
    assert words.mark("script of-a-later-release") == "a script and of-a-later-release"


# ── Size ────────────────────────────────────────────────────────────────────────────────


def test_file_one_byte_over_the_limit_is_refused(settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = len(the_cv())
    assert checked(received(the_cv())).size == len(the_cv())
    settings.UPLOAD_MAX_BYTES = 1024 * 1024
    assert refusal(b"", size=1024 * 1024 + 1) == (
        "The file is 1.1\xa0MB. Choose a file of up to 1\xa0MB."
    )


def fill(handler: BoundedUploadHandler, size: int) -> Any:
    handler.new_file("cv", "cv.pdf", "application/pdf", None)
    for _chunk in range(size // 10):
        handler.receive_data_chunk(b"0123456789", 0)
    return handler.file_complete(size)


def test_handler_keeps_a_file_up_to_the_limit(settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 100
    file = fill(BoundedUploadHandler(), 100)
    assert (file.read(), file.true_size, file.is_whole) == (b"0123456789" * 10, 100, True)


def test_handler_counts_and_drops_bytes_beyond_the_limit(settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 100
    file = fill(BoundedUploadHandler(), 250)
    assert (file.read(), file.true_size) == (b"", 250)


def test_handler_limits_all_files_of_a_request_together(settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES, settings.REQUEST_MAX_BYTES = 100, 150
    handler = BoundedUploadHandler()
    files = [fill(handler, size) for size in (250, 100, 100, 50)]
    assert [len(file.read()) for file in files] == [0, 100, 0, 50]
    with pytest.raises(ValidationError, match="All files together are larger than 150"):
        checked(files[2])


# ── File name ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("cv.pdf", "cv.pdf"),
        ("cv", "cv.pdf"),
        ("cv.", "cv.pdf"),
        ("CV.PDF", "CV.pdf"),
        ("Lebenslauf Müller (neu).PDF", "Lebenslauf Müller (neu).pdf"),
        ("CV v1.2", "CV v1.2.pdf"),
        ("CV v1.2.docx", "CV v1.2.pdf"),
        ("CV 2026.03.31", "CV 2026.03.31.pdf"),
        ("Jane.Miller", "Jane.Miller.pdf"),
        ("J. R. Miller", "J. R. Miller.pdf"),
        ("cv.jpeg.pdf", "cv.jpeg.pdf"),
        ("CV/", "CV.pdf"),
        ("CV\\", "CV.pdf"),
        ("CV .pdf ", "CV.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("..\\..\\boot.ini", "boot.ini.pdf"),
        ("C:\\Users\\jane\\cv.pdf", "cv.pdf"),
        ("cv.pdf.exe", "cv.pdf.exe.pdf"),
        ("photo\u202egnp.exe", "photognp.exe.pdf"),
        ('a"; filename="b.html', "a; filename=b.html.pdf"),
        ("cv\r\nSet-Cookie: a=b.pdf", "cvSet-Cookie a=b.pdf"),
        ("cv\x00.pdf", "cv.pdf"),
        ("履歴書.docx", "履歴書.pdf"),
        ("履歴書.第二版", "履歴書.第二版.pdf"),
        ("سيرة.pdf", "سيرة.pdf"),
        ("", "file.pdf"),
        (".", "file.pdf"),
        ("..", "file.pdf"),
        ("/", "file.pdf"),
        (".pdf", "file.pdf"),
        ("\u200b\u202e", "file.pdf"),
        ("\u3164.pdf", "file.pdf"),
        ("\u2800", "file.pdf"),
        (".htaccess", "htaccess.pdf"),
        ("x" * 300 + ".pdf", "x" * 120 + ".pdf"),
        ("e\u0301.pdf", "é.pdf"),
        ("می\u200cخواهم.pdf", "می\u200cخواهم.pdf"),
        ("ශ්\u200dරී.pdf", "ශ්\u200dරී.pdf"),
        ("क्\u200dष CV.docx", "क्\u200dष CV.pdf"),
        ("👩\u200d💻.pdf", "👩\u200d💻.pdf"),
        ("c\u200dv\u200c.pdf", "cv.pdf"),
        ("ه\u200d.pdf", "ه.pdf"),
        ('می\u200c"x.pdf', "می\u200cx.pdf"),
    ],
)
def test_clean_filename_removes_path_and_control_characters(name: str, clean: str) -> None:
    assert clean_filename(name, PDF) == clean


@settings(max_examples=200, deadline=None)
@given(
    name=st.text(
        st.one_of(st.characters(), st.sampled_from('\u200c\u200d\ufe0fمه\u0dca\u0dbb".\\ |👩')),
        max_size=400,
    ),
    content_type=st.sampled_from(sorted(ACCEPTED)),
)
def test_clean_filename_of_any_text_is_safe(name: str, content_type: str) -> None:
    clean = clean_filename(name, content_type)
    assert clean.endswith(ACCEPTED[content_type])
    assert len(clean) <= 125
    assert not set(clean) & set('/\\"<>:|?*')
    assert not any(unicodedata.category(c)[0] == "C" for c in clean if c not in "\u200c\u200d")
    assert not clean.startswith((".", " "))
    assert clean_filename(clean, content_type) == clean


# ── Kept files and quotas ───────────────────────────────────────────────────────────────


def test_quota_of_one_network_does_not_affect_others(job: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("careers.forms.uploads.KEPT_PER_NETWORK", 2)
    upload = checked(received(the_cv()))
    given = [keep(upload, job_key=job.job_key, network="one") for _ in range(3)]
    assert [pending is not None for pending in given] == [True, True, False]
    assert keep(upload, job_key=job.job_key, network="other") is not None


@pytest.mark.django_db
def test_total_quota_refuses_further_files(job: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("careers.forms.uploads.KEPT_TOTAL_BYTES", len(the_cv()) + 10)
    upload = checked(received(the_cv()))
    assert keep(upload, job_key=job.job_key, network="one") is not None
    assert keep(upload, job_key=job.job_key, network="other") is None


@pytest.mark.django_db
def test_clean_up_deletes_only_expired_files(job: Any, time_machine: Any) -> None:
    upload = checked(received(the_cv()))
    now = timezone.now()
    time_machine.move_to(now - dt.timedelta(hours=25), tick=False)
    keep(upload, job_key=job.job_key, network="n")
    time_machine.move_to(now, tick=False)
    fresh = keep(upload, job_key=job.job_key, network="n")
    assert clean_up() == 1
    assert list(PendingUpload.objects.all()) == [fresh]
