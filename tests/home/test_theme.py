from typing import Any

import pytest
from django.test import Client

from home.models import SiteSettings
from home.theme import stylesheet, version

pytestmark = pytest.mark.django_db


def test_stylesheet_has_both_grounds_and_nothing_unsafe() -> None:
    css = stylesheet("#0e5c46")
    assert css.startswith(":root{--accent:#0e5c46;")
    assert "prefers-color-scheme:dark" in css
    assert css.count("{") == css.count("}")


def test_theme_is_public_and_has_no_cookie(client: Client, home: Any) -> None:
    response = client.get("/theme.css")
    assert response["Content-Type"].startswith("text/css")
    assert response["Cache-Control"] == "public, max-age=300"
    assert not response.cookies
    assert "Cookie" not in response.get("Vary", "")


def test_theme_may_be_kept_for_a_year_under_its_version(client: Client, home: Any) -> None:
    address = f"/theme.css?v={version(SiteSettings.objects.get().accent_colour)}"
    assert "immutable" in client.get(address)["Cache-Control"]
    assert "immutable" not in client.get("/theme.css?v=old")["Cache-Control"]


def test_unchanged_theme_is_not_sent_again(client: Client, home: Any) -> None:
    etag = client.get("/theme.css")["ETag"]
    again = client.get("/theme.css", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_another_accent_has_another_address(client: Client, home: Any) -> None:
    before = client.get("/").content.decode()
    SiteSettings.objects.update(accent_colour="#7a1f5c")
    after = client.get("/").content.decode()
    assert f"/theme.css?v={version('#0e5c46')}" in before
    assert f"/theme.css?v={version('#7a1f5c')}" in after


def test_theme_can_only_be_read(client: Client, home: Any) -> None:
    assert client.post("/theme.css").status_code == 405
