"""The pages of a file, shown without opening the file."""

from __future__ import annotations

import io
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from PIL import Image

from careers import inspection
from careers.applications.errors import Permanent, Transient
from careers.applications.models import ApplicationFile, ApplicationView, FileKind
from careers.backoffice import file_content, file_pages
from careers.inspection import DOCX, Busy, Pages, Refused, Verdict
from careers.jobs.models import JobPage
from tests.support import people
from tests.support.factories import ApplicationFileFactory
from tests.support.papers import make_cv
from tests.support.people import logged_in


def pages_url(file: ApplicationFile) -> str:
    return reverse("careers_applications:pages", args=[file.application.reference, file.public_id])


def page_url(file: ApplicationFile, number: int = 1) -> str:
    return file_pages.page_url(file, number)


@pytest.fixture
def shows(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``shows(answer)`` decides what the child process answers; returns the questions."""

    def answers(answer: Any) -> list[dict[str, Any]]:
        asked: list[dict[str, Any]] = []

        def pages(content: bytes, content_type: str, **more: Any) -> Pages:
            asked.append({"content_type": content_type, **more})
            if isinstance(answer, Exception):
                raise answer
            found: Pages = answer
            return found

        monkeypatch.setattr(inspection, "pages", pages)
        return asked

    return answers


def test_pages_of_a_pdf_are_pictures(as_hanna: Client, ours: JobPage) -> None:
    """With the real child process."""
    file = ApplicationFileFactory(application__page=ours, content=make_cv())
    page = BeautifulSoup(as_hanna.get(pages_url(file)).content, "html.parser")
    (image,) = page.select("img")
    assert (image["data-src"], image["alt"]) == (page_url(file), "Page 1 of 1")
    response = as_hanna.get(page_url(file))
    assert response.status_code == 200
    with Image.open(io.BytesIO(response.content)) as picture:
        assert picture.format == "PNG"
        assert picture.size == (1272, 1800)
        # Something is drawn.
        assert len(picture.convert("L").getcolors(256) or []) > 1


def test_page_is_private_and_can_run_nothing(as_hanna: Client, ours: JobPage, shows: Any) -> None:
    shows(Pages(1, (b"\x89PNG",)))
    file = ApplicationFileFactory(application__page=ours)
    headers = as_hanna.get(page_url(file)).headers
    assert headers["Content-Type"] == "image/png"
    assert {"private", "no-store"} <= set(headers["Cache-Control"].split(", "))
    policy = set(headers["Content-Security-Policy"].split("; "))
    assert {"default-src 'none'", "frame-ancestors 'none'", "sandbox"} <= policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "no-store" in as_hanna.get(pages_url(file)).headers["Cache-Control"]


def test_each_page_has_a_place_up_to_a_limit(as_hanna: Client, ours: JobPage, shows: Any) -> None:
    asked = shows(Pages(250))
    file = ApplicationFileFactory(application__page=ours)
    response = as_hanna.get(pages_url(file))
    assert response.content.count(b"data-src=") == file_pages.MOST
    assert "first 100 of 250 pages" in response.content.decode()
    # Only the number of pages was asked for.
    assert [(one["first"], one["count"]) for one in asked] == [(0, 0)]


def test_page_asks_the_child_for_one_page(as_hanna: Client, ours: JobPage, shows: Any) -> None:
    asked = shows(Pages(9, (b"\x89PNG",)))
    file = ApplicationFileFactory(application__page=ours)
    assert as_hanna.get(page_url(file, 7)).status_code == 200
    (one,) = asked
    assert (one["first"], one["count"], one["content_type"]) == (6, 1, "application/pdf")
    assert one["reader"]


@pytest.mark.parametrize("number", [0, 10, 101, 10**30])
def test_page_that_does_not_exist_is_not_found(
    as_hanna: Client, ours: JobPage, shows: Any, number: int
) -> None:
    # A picture has one page, whatever page is asked for.
    shows(Pages(9, (b"\x89PNG",)))
    file = ApplicationFileFactory(application__page=ours)
    assert as_hanna.get(page_url(file, number)).status_code == 404


def test_office_file_is_shown_by_its_words(as_hanna: Client, ours: JobPage, shows: Any) -> None:
    shows(Pages(0, text="Jane <b>Miller</b>\n\nTides"))
    file = ApplicationFileFactory(application__page=ours, content_type=DOCX)
    page = as_hanna.get(pages_url(file)).content.decode()
    assert "without its layout" in page
    assert "<p>Jane &lt;b&gt;Miller&lt;/b&gt;</p>" in page
    assert as_hanna.get(page_url(file)).status_code == 404


@pytest.mark.parametrize("address", [pages_url, page_url])
@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (Busy(), 503, "Try again in a minute"),
        (Refused(Verdict.TOO_COMPLEX), 422, "too complex"),
        (Refused(Verdict.DAMAGED_PDF), 422, "damaged"),
        (Refused(Verdict.LOCKED_PDF), 422, "password"),
        (Refused(Verdict.UNKNOWN_TYPE), 422, "type"),
        (Transient("archive-unavailable", "The archive did not answer."), 503, "did not answer"),
        (Permanent("archive-missing", "The file is lost."), 404, "is lost"),
    ],
)
def test_file_that_cannot_be_shown_says_why(
    as_hanna: Client,
    ours: JobPage,
    shows: Any,
    address: Any,
    error: Exception,
    status: int,
    words: str,
) -> None:
    shows(error)
    response = as_hanna.get(address(ApplicationFileFactory(application__page=ours)))
    assert response.status_code == status
    assert words in response.content.decode()
    assert not ApplicationView.objects.exists()


@pytest.mark.parametrize("verdict", ["waiting", "infected"])
def test_locked_file_shows_no_page_and_says_why(
    as_hanna: Client, ours: JobPage, shows: Any, verdict: str
) -> None:
    asked = shows(Pages(1, (b"\x89PNG",)))
    file = ApplicationFileFactory(application__page=ours, scan_verdict=verdict)
    for address in (pages_url(file), page_url(file)):
        response = as_hanna.get(address)
        assert response.status_code == 403
        assert "virus scan" in response.content.decode()
        assert b"PNG" not in response.content
    assert asked == []
    assert not ApplicationView.objects.exists()


def test_file_that_the_site_made_has_no_pages(as_hanna: Client, ours: JobPage) -> None:
    file = ApplicationFileFactory(application__page=ours, kind=FileKind.PDF)
    assert as_hanna.get(pages_url(file)).status_code == 404
    assert as_hanna.get(page_url(file)).status_code == 404


@pytest.mark.parametrize("address", [pages_url, page_url])
def test_pages_of_a_foreign_application_are_not_found(
    ours: JobPage, theirs: JobPage, shows: Any, address: Any
) -> None:
    shows(Pages(1, (b"\x89PNG",)))
    file = ApplicationFileFactory(application__page=ours)
    assert logged_in(people.hanna(theirs.get_parent())).get(address(file)).status_code == 404
    other = ApplicationFileFactory(application__page=theirs)
    other.application = file.application
    helen = logged_in(people.hanna(ours.get_parent(), "helen"))
    assert helen.get(address(other)).status_code == 404
    assert helen.get(address(file)).status_code == 200


def test_reading_pages_is_logged_once_an_hour_for_each_file(
    as_hanna: Client, ours: JobPage, shows: Any
) -> None:
    shows(Pages(3, (b"\x89PNG",)))
    file = ApplicationFileFactory(application__page=ours)
    as_hanna.get(pages_url(file))
    for number in (1, 2, 3):
        as_hanna.get(page_url(file, number))
    (entry,) = ApplicationView.objects.all()
    assert entry.what.startswith("pages:cv")


def test_detail_offers_pages_of_openable_uploads_only(as_hanna: Client, ours: JobPage) -> None:
    file = ApplicationFileFactory(application__page=ours)
    locked = ApplicationFileFactory(
        application=file.application, kind=FileKind.COVER_LETTER, scan_verdict="waiting"
    )
    made = ApplicationFileFactory(application=file.application, kind=FileKind.PDF)
    url = reverse("careers_applications:detail", args=[file.application.reference])
    page = BeautifulSoup(as_hanna.get(url).content, "html.parser")
    assert [one["data-reader"] for one in page.select("[data-reader]")] == [pages_url(file)]
    text = str(page)
    assert str(made.public_id) in text
    assert str(locked.public_id) not in text


def test_nothing_else_in_the_back_office_reads_bytes() -> None:
    """So the lock of a file holds on every address."""
    from pathlib import Path

    folder = Path(file_content.__file__).parent
    readers = {
        path.name
        for path in folder.glob("*.py")
        for words in (
            "stored_bytes",
            "FileBytes",
            "archive import",
            "archive.fetch",
            ".stored",
            "content_of",
        )
        if words in path.read_text("utf-8")
    }
    assert readers == {"file_content.py"}
