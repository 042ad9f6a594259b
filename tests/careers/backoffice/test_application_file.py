"""Files of applications, streamed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from careers import archive
from careers.applications.errors import EffectError, Misconfigured, Permanent, Transient
from careers.applications.models import ApplicationFile, ApplicationView, FileBytes, FileKind
from careers.backoffice import application_file
from careers.jobs.models import JobPage
from tests.support.factories import PDF, ApplicationFileFactory


def url(file: ApplicationFile) -> str:
    return reverse("careers_applications:file", args=[file.application.reference, file.public_id])


def archive_gives(
    monkeypatch: pytest.MonkeyPatch, answer: bytes | EffectError
) -> list[tuple[str, str]]:
    """Let the archive answer with bytes or with an error; returns the requested keys."""
    asked: list[tuple[str, str]] = []

    def fetch(key: str, *, sha256: str = "") -> bytes:
        asked.append((key, sha256))
        if isinstance(answer, EffectError):
            raise answer
        return answer

    monkeypatch.setattr(archive, "fetch", fetch)
    return asked


def test_cv_is_downloaded_in_a_sandbox(as_hanna: Client, ours: JobPage) -> None:
    file = ApplicationFileFactory(application__page=ours, content=PDF, filename="Jane’s CV.pdf")
    response = as_hanna.get(url(file))
    assert response.status_code == 200
    assert response.content == PDF
    assert response.headers["Content-Type"] == "application/pdf"
    assert (
        response.headers["Content-Disposition"]
        == "attachment; filename*=utf-8''Jane%E2%80%99s%20CV.pdf"
    )
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == application_file.SANDBOXED
    assert "no-store" in response.headers["Cache-Control"]
    # No header reveals the hash of the file.
    assert "ETag" not in response.headers


def test_only_the_pdf_of_the_site_opens_in_the_browser(as_hanna: Client, ours: JobPage) -> None:
    file = ApplicationFileFactory(application__page=ours, kind=FileKind.PDF)
    assert as_hanna.get(url(file)).headers["Content-Disposition"].startswith("inline")
    forced = as_hanna.get(url(file) + "?download").headers["Content-Disposition"]
    assert forced.startswith("attachment")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "....etcpasswd"),
        ("a\r\nSet-Cookie: x=1.pdf", "aSet-Cookie: x=1.pdf"),
        ("cv\u202efdp.exe", "cvfdp.exe"),
        ("   ", "file"),
        ("x" * 500 + ".pdf", "x" * 150),
    ],
)
def test_file_names_are_cleaned(given: str, shown: str) -> None:
    assert application_file.safe_name(given) == shown.strip(" .")


def test_download_is_logged(as_hanna: Client, ours: JobPage) -> None:
    file = ApplicationFileFactory(application__page=ours)
    as_hanna.get(url(file))
    view = ApplicationView.objects.get()
    assert (view.application, view.user.username, view.what) == (
        file.application,
        "hanna",
        f"file:cv:{file.public_id.hex[:8]}",
    )


def test_archived_files_come_from_the_archive(
    as_hanna: Client, ours: JobPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ApplicationFileFactory(application__page=ours, archived=True)
    assert not FileBytes.objects.exists()
    asked = archive_gives(monkeypatch, b"from the archive")
    assert as_hanna.get(url(file)).content == b"from the archive"
    assert asked == [(file.object_key, file.sha256)]


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (Transient("archive-unavailable", "The archive did not answer."), 503),
        (Misconfigured("archive-key", "The archive refused the access key."), 503),
        (Permanent("archive-missing", "The file is no longer in the archive."), 404),
    ],
)
def test_archive_failure_is_explained(
    as_hanna: Client,
    ours: JobPage,
    monkeypatch: pytest.MonkeyPatch,
    failure: EffectError,
    status: int,
) -> None:
    file = ApplicationFileFactory(application__page=ours, archived=True)
    archive_gives(monkeypatch, failure)
    response = as_hanna.get(url(file))
    assert response.status_code == status
    page = response.content.decode()
    assert failure.public in page
    assert "Back to the application" in page
    # Without a file there is no download to log.
    assert not ApplicationView.objects.exists()


def test_lost_bytes_are_explained(as_hanna: Client, ours: JobPage) -> None:
    file = ApplicationFileFactory(application__page=ours)
    FileBytes.objects.all().delete()
    response = as_hanna.get(url(file))
    assert response.status_code == 404
    assert "neither in the database nor in the archive" in response.content.decode()


def test_infected_file_cannot_be_downloaded(as_hanna: Client, ours: JobPage) -> None:
    file = ApplicationFileFactory(application__page=ours, scan_verdict="infected")
    response = as_hanna.get(url(file))
    assert response.status_code == 403
    assert "The virus scanner found" in response.content.decode()


@pytest.mark.parametrize(
    ("verdict", "status"),
    [("waiting", 403), ("infected", 403), ("clean", 200), ("not_scanned", 200), ("opened", 200)],
)
@pytest.mark.parametrize("archived", [False, True])
def test_only_locked_files_are_refused(
    as_hanna: Client,
    ours: JobPage,
    monkeypatch: pytest.MonkeyPatch,
    verdict: str,
    status: int,
    archived: bool,
) -> None:
    asked = archive_gives(monkeypatch, PDF)
    file = ApplicationFileFactory(
        application__page=ours, scan_verdict=verdict, archived=archived, content=PDF
    )
    for address in (url(file), url(file) + "?download"):
        response = as_hanna.get(address)
        assert response.status_code == status
        assert (PDF in response.content) == (status == 200)
    assert len(asked) == (2 if archived and status == 200 else 0)


def test_queries_do_not_grow_with_files(
    as_hanna: Client, ours: JobPage, queries: Callable[[Client, str], int]
) -> None:
    file = ApplicationFileFactory(application__page=ours)
    at_one = queries(as_hanna, url(file))
    for _ in range(2):
        ApplicationFileFactory(application=file.application)
    assert queries(as_hanna, url(file)) == at_one
