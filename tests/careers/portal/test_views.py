"""The receipt: available at once, and only to those who have its link."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.utils import timezone

from careers.applications.files import Upload, store_file
from careers.applications.models import Application, ApplicationFile, FileBytes, FileKind
from tests.support.applying import apply_for, ask, send, the_cv
from tests.support.servers import reserve_port
from tests.support.translating import french

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7 the whole application"


@pytest.fixture
def application(job: Any) -> Application:
    job.contact_name, job.contact_email = "Hanna Lie", "hanna@example.org"
    job.questions = [
        ask("long_text", "Why?", key="why"),
        ask("single_choice", "Shift?", key="shift", options={"a": "Early", "b": "Late"}),
        ask("yes_no", "Boat?", key="boat"),
    ]
    job.save()
    return apply_for(job, answers={"why": "<b>Tides</b>\n\nand moons", "shift": "b"})


def address(application: Application, more: str = "") -> str:
    return f"/received/{application.receipt_secret}/{more}"


def make_pdf(application: Application) -> ApplicationFile:
    return store_file(
        application,
        kind=FileKind.PDF,
        content=PDF,
        filename="x.pdf",
        content_type="application/pdf",
    )


def test_receipt_shows_reference_answers_and_files(
    client: Client, application: Application
) -> None:
    page = client.get(address(application)).content.decode()
    assert application.reference in page
    assert "Gauge keeper · Tidewater Instruments" in page
    assert "<p>&lt;b&gt;Tides&lt;/b&gt;</p><p>and moons</p>" in page
    assert "<p>Late</p>" in page
    assert "cv.pdf" in page
    assert page.count("Not answered") == 2
    assert "hanna@example.org" in page


def test_receipt_shows_time_in_zone_of_job(client: Client, application: Application) -> None:
    Application.objects.update(received_at="2027-01-15T23:30:00+00:00")
    page = client.get(address(application)).content.decode()
    assert "16 January 2027, 00:30 CET" in page


def test_receipt_is_private_and_not_indexed(client: Client, application: Application) -> None:
    response = client.get(address(application))
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert "no-store" in response["Cache-Control"]
    assert "private" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"
    assert '<meta name="robots" content="noindex' in response.content.decode()
    assert not response.cookies


@pytest.mark.parametrize("secret", ["x", "0" * 43, "%00", "..%2f", "🦑", "A" * 5000])
@pytest.mark.parametrize("more", ["", "application.pdf"])
def test_unknown_secret_is_not_found(client: Client, home: Any, secret: str, more: str) -> None:
    assert client.get(f"/received/{secret}/{more}").status_code == 404


def test_reference_and_public_id_do_not_open_receipt(
    client: Client, application: Application
) -> None:
    for name in (application.reference, application.public_id, application.pk):
        assert client.get(f"/received/{name}/").status_code == 404


@pytest.mark.parametrize("more", ["", "application.pdf"])
def test_receipt_rejects_post(client: Client, application: Application, more: str) -> None:
    assert client.post(address(application, more)).status_code == 405


def test_receipt_needs_few_queries_for_any_form(
    client: Client, application: Application, django_assert_max_num_queries: Any
) -> None:
    client.get(address(application))
    with django_assert_max_num_queries(12):
        client.get(address(application))


def test_receipt_links_to_itself_in_other_language(
    client: Client, application: Application, home: Any
) -> None:
    home.copy_for_translation(french()).save_revision().publish()
    page = client.get(address(application)).content.decode()
    assert f'href="/fr{address(application)}" hreflang="fr" lang="fr"' in page
    page = client.get(f"/fr{address(application)}").content.decode()
    assert f'href="{address(application)}" hreflang="en" lang="en"' in page


def test_receipt_is_available_right_after_sending(client: Client, job: Any) -> None:
    response = send(client, job)
    page = client.get(response["Location"])
    assert page.status_code == 200
    assert "We have your application" in page.content.decode()


def test_receipt_stays_when_job_is_unpublished(client: Client, application: Application) -> None:
    application.page.unpublish()
    page = client.get(address(application)).content.decode()
    assert "Gauge keeper" in page


def words_of(client: Client, application: Application) -> list[str]:
    """The receipt page without what only this application has."""
    soup = BeautifulSoup(client.get(address(application)).content, "html.parser")
    return [text.replace(application.reference, "") for text in soup.stripped_strings]


def test_quarantined_application_gets_same_receipt(
    client: Client, job: Any, time_machine: Any
) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    first = apply_for(job, uploads=())
    held = apply_for(job, suspicion="honeypot", uploads=(), nonce="another")
    assert held.quarantined
    assert words_of(client, held) == words_of(client, first)


def test_receipt_promises_no_mail_above_the_limit(client: Client, job: Any, settings: Any) -> None:
    settings.MAILS_PER_MAILBOX = 7
    page = " ".join(words_of(client, apply_for(job)))
    assert "We usually send it to jane@example.org, too: at most 7 such mails a day" in page


# ── The PDF ─────────────────────────────────────────────────────────────────────────────


def test_pdf_link_is_hidden_before_pdf_exists(client: Client, application: Application) -> None:
    assert "application.pdf" not in client.get(address(application)).content.decode()
    assert client.get(address(application, "application.pdf")).status_code == 404


def test_pdf_is_served_from_database(client: Client, application: Application) -> None:
    make_pdf(application)
    assert address(application, "application.pdf") in (
        client.get(address(application)).content.decode()
    )
    response = client.get(address(application, "application.pdf"))
    assert (response.status_code, response.content) == (200, PDF)
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == f'inline; filename="{application.reference}.pdf"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in response["Cache-Control"]


def archived(application: Application) -> None:
    file = make_pdf(application)
    ApplicationFile.objects.filter(pk=file.pk).update(object_key="applications/x/pdf.pdf")
    FileBytes.objects.filter(file=file).delete()


def test_pdf_is_served_from_archive(
    client: Client, application: Application, monkeypatch: Any
) -> None:
    archived(application)
    asked = ("applications/x/pdf.pdf", hashlib.sha256(PDF).hexdigest())
    monkeypatch.setattr("careers.archive.fetch", lambda key, *, sha256: {asked: PDF}[key, sha256])
    assert client.get(address(application, "application.pdf")).content == PDF


def test_pdf_with_archive_down_answers_unavailable(
    client: Client, application: Application, settings: Any
) -> None:
    archived(application)
    options = settings.STORAGES["archive"]["OPTIONS"] | {
        "endpoint_url": f"http://127.0.0.1:{reserve_port()}",
        "access_key": "x",
        "secret_key": "y",
    }
    settings.STORAGES = settings.STORAGES | {
        "archive": settings.STORAGES["archive"] | {"OPTIONS": options}
    }
    response = client.get(address(application, "application.pdf"))
    assert response.status_code == 503
    assert response["Retry-After"] == "120"
    assert "The PDF can’t be fetched at the moment" in response.content.decode()
    assert "Your application is safe." in response.content.decode()


def test_receipt_shows_original_name_of_file(client: Client, job: Any) -> None:
    upload = Upload("cv", "<b>סיביו</b>.pdf", "application/pdf", the_cv(), "0" * 64)
    application = apply_for(job, uploads=(upload,))
    assert "&lt;b&gt;סיביו&lt;/b&gt;.pdf" in client.get(address(application)).content.decode()
