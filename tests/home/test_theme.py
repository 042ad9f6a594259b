import gc
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file

from home.models import SiteSettings
from home.theme import stylesheet, version

pytestmark = pytest.mark.django_db


def test_stylesheet_has_both_modes_and_nothing_unsafe() -> None:
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


def test_theme_with_its_version_is_cached_for_a_year(client: Client, home: Any) -> None:
    address = f"/theme.css?v={version(SiteSettings.objects.get().accent_colour)}"
    assert "immutable" in client.get(address)["Cache-Control"]
    assert "immutable" not in client.get("/theme.css?v=old")["Cache-Control"]


def test_unchanged_theme_answers_304(client: Client, home: Any) -> None:
    etag = client.get("/theme.css")["ETag"]
    again = client.get("/theme.css", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_another_accent_changes_the_address(client: Client, home: Any) -> None:
    before = client.get("/").content.decode()
    SiteSettings.objects.update(accent_colour="#7a1f5c")
    after = client.get("/").content.decode()
    assert f"/theme.css?v={version('#0e5c46')}" in before
    assert f"/theme.css?v={version('#7a1f5c')}" in after


def test_icon_has_the_accent_colour_and_visible_lines(client: Client, home: Any) -> None:
    SiteSettings.objects.update(accent_colour="#ffe600")
    (address,) = re.findall(
        r'rel="icon" href="([^"]+)" type="image/svg\+xml"', client.get("/").content.decode()
    )
    response = client.get(address)
    assert response["Content-Type"] == "image/svg+xml"
    assert "immutable" in response["Cache-Control"]
    icon = ElementTree.fromstring(response.content)
    assert [part.get("fill") for part in icon] == ["#ffe600", "none"]
    assert icon[1].get("stroke") == "#000000"
    # The policy of the site holds for it as well.
    assert "<style" not in response.content.decode()


def test_favicon_ico_redirects_to_the_icon(client: Client, home: Any) -> None:
    assert client.get("/favicon.ico")["Location"] == "/icon.svg"


@pytest.fixture
def logo(home: Any, settings: Any, tmp_path: Path) -> Iterator[Any]:
    settings.MEDIA_ROOT = tmp_path
    yield get_image_model().objects.create(title="Logo", file=get_test_image_file())
    gc.collect()


# Wagtail leaves the file open that it makes a rendition in.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_logo_replaces_the_company_name_and_has_a_light_background_in_dark_mode(
    client: Client, logo: Any
) -> None:
    SiteSettings.objects.update(logo=logo)
    (tag,) = re.findall(r"<img[^>]+>", client.get("/").content.decode())
    assert 'alt="Tidewater Instruments"' in tag
    assert 'class="masthead__plate"' in tag


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_logo_for_dark_mode_needs_no_light_background(client: Client, logo: Any) -> None:
    SiteSettings.objects.update(logo=logo, dark_logo=logo)
    page = client.get("/").content.decode()
    dark = re.findall(r'<source srcset="([^"]+)" media="([^"]+)">', page)
    assert len(dark) == 1
    assert dark[0][0].startswith("/media/images/")
    assert dark[0][1] == "(prefers-color-scheme: dark)"
    assert "masthead__plate" not in page


def test_theme_refuses_other_methods(client: Client, home: Any) -> None:
    assert client.post("/theme.css").status_code == 405
