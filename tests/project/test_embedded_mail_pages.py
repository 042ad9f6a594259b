"""The pages with caught mails: for superusers only, and safe to open."""

from __future__ import annotations

import mailbox
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import include, path

from careersite.urls import urlpatterns as site_urls
from tests.support import people

urlpatterns = [path("mail/", include("careersite.embedded.urls")), *site_urls]

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

HOSTILE = '<script>alert(1)</script><p style="color:red">Hello"</p>'


@pytest.fixture
def key(settings: Any, tmp_path: Path) -> str:
    """The key of a caught mail."""
    settings.VAR_DIR = tmp_path
    message = EmailMessage()
    message["From"], message["To"] = "careers@example.com", "ann@example.com"
    message["Subject"] = "We have <your> application"
    message["X-Rcpt-To"] = "ann@example.com"
    message.set_content("See http://127.0.0.1:8000/received/abc/ & more.\n")
    message.add_alternative(HOSTILE, subtype="html")
    message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="a.pdf")
    kept: str = mailbox.Maildir(tmp_path / "mail").add(message.as_bytes())
    return kept


def test_anonymous_visitor_is_redirected_to_the_login(client: Client, key: str) -> None:
    for address in ("/mail/", f"/mail/{key}/", f"/mail/{key}/source/"):
        response = client.get(address)
        assert response.status_code == 302
        assert response["Location"].startswith("/admin/login/")


def test_editor_is_refused_without_a_redirect(client: Client, key: str, home: Any) -> None:
    client.force_login(people.hanna(home))
    assert client.get("/mail/")["Location"] == "/admin/"


def test_account_without_admin_access_is_refused(client: Client, key: str) -> None:
    client.force_login(people.charlie())
    assert client.get(f"/mail/{key}/").status_code in (302, 403)


def test_list_and_page_of_a_mail_are_shown(client: Client, key: str) -> None:
    client.force_login(people.ada())
    listing = client.get("/mail/")
    assert "We have &lt;your&gt; application" in listing.content.decode()
    assert "no-store" in listing["Cache-Control"]
    page = client.get(f"/mail/{key}/").content.decode()
    assert 'href="http://127.0.0.1:8000/received/abc/"' in page
    assert "a.pdf" in page


def test_html_part_is_sandboxed(client: Client, key: str) -> None:
    client.force_login(people.ada())
    response = client.get(f"/mail/{key}/")
    page = response.content.decode()
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in page
    frame = page[page.index("<iframe") : page.index("</iframe>")]
    assert "allow-scripts" not in frame
    assert "allow-same-origin" not in frame
    policy = response["Content-Security-Policy"].split("; ")
    assert [part for part in policy if part.startswith("script-src")] == ["script-src 'self'"]


def test_original_mail_is_a_download(client: Client, key: str) -> None:
    client.force_login(people.ada())
    response = client.get(f"/mail/{key}/source/")
    assert response["Content-Type"] == "message/rfc822"
    assert response["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("wrong", ["1.M1P1.host", "..%2Fenv", "..%5Cenv"])
def test_unknown_mail_is_not_found(client: Client, key: str, wrong: str) -> None:
    client.force_login(people.ada())
    assert client.get(f"/mail/{wrong}/").status_code == 404


def test_empty_list_of_mails_shows_a_sentence(
    client: Client, settings: Any, tmp_path: Path
) -> None:
    settings.VAR_DIR = tmp_path
    client.force_login(people.ada())
    assert "No mails yet" in client.get("/mail/").content.decode()
