"""The picture that messaging apps show with a link to a job."""

from __future__ import annotations

import gc
import io
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file
from wagtail.models import PageViewRestriction

from careers.feeds import share_image
from careers.feeds.share_image import Card, Text, draw
from home.models import SiteSettings

LONG = "Senior principal engineer for the calibration of acoustic Doppler current profilers (all)"


def shown(title: str, **more: str) -> Card:
    return Card(
        **{"company": "Tidewater", "title": title, "facts": "Bergen", "accent": "#0e5c46"} | more
    )


def opened(picture: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(picture))
    image.load()
    return image


def dark_rows(picture: bytes) -> int:
    """How many rows of the picture's middle have ink on them."""
    grey = opened(picture).convert("L").crop((0, 150, 1200, 500))
    return sum(min(grey.crop((0, row, 1200, row + 1)).tobytes()) < 80 for row in range(350))


# ── The drawing ─────────────────────────────────────────────────────────────────────────


def test_picture_has_expected_size_and_format() -> None:
    picture = draw(shown("Gauge keeper"))
    assert opened(picture).size == (1200, 630)
    assert opened(picture).format == "PNG"
    assert len(picture) < 40_000


def test_long_title_uses_more_lines_of_smaller_type() -> None:
    short, long = Text("Gauge keeper", 650).set_in(1040), Text(LONG, 650).set_in(1040)
    assert (short[0], len(short[1])) == (88, 1)
    assert (long[0], len(long[1])) == (72, 3)
    assert " ".join(long[1]) == LONG
    assert dark_rows(draw(shown(LONG))) > dark_rows(draw(shown("Gauge keeper"))) > 20


def test_title_that_does_not_fit_ends_in_ellipsis() -> None:
    size, lines = Text("tide analyst " * 19, 650).set_in(1040)
    assert (size, len(lines)) == (55, 5)
    assert lines[-1].endswith("…")


def test_word_wider_than_picture_is_broken() -> None:
    word = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamter"
    _size, lines = Text(word, 650).set_in(1040)
    assert "".join(lines) == word
    assert len(lines) > 1


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Инженер по приливам", "Инженер по приливам"),
        ("Kỹ sư phần mềm ✨🚀", "Kỹ sư phần mềm"),
        ("مهندس معايرة", "مهندس معايرة"),
        ("מהנדס כיול", "מהנדס כיול"),
        ("e\u0301tudes", "études"),
    ],
)
def test_letters_without_font_are_left_out(title: str, text: str) -> None:
    found = Text(title, 650)
    assert found.text == text
    assert found.is_whole


@pytest.mark.parametrize("title", ["潮汐分析師", "工程师 A", "🚀", ""])
def test_title_without_font_is_replaced_by_company(title: str) -> None:
    assert not Text(title, 650).is_whole
    alone = draw(shown(title))
    assert alone == draw(shown("", facts="Bergen"))
    assert dark_rows(alone) > 20


def test_picture_without_any_font_is_empty() -> None:
    assert dark_rows(draw(shown("潮汐", company="有限公司", facts="京都"))) == 0


@hypothesis_settings(max_examples=15, deadline=None)
@given(title=st.text(max_size=255), accent=st.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
def test_any_title_in_any_colour_is_drawn(title: str, accent: str) -> None:
    assert opened(draw(shown(title, company=title, facts=title, accent=accent))).size == (1200, 630)


# ── Where it is ─────────────────────────────────────────────────────────────────────────


def head(client: Client, path: str = "/careers/gauge-keeper/") -> dict[str, str]:
    """The sharing markup of a page."""
    page = client.get(path).content.decode()
    return dict(
        re.findall(r'<meta (?:property|name)="((?:og|twitter):[\w:]+)" content="([^"]*)">', page)
    )


@pytest.mark.django_db
def test_open_job_page_links_its_picture(client: Client, job: Any) -> None:
    told = head(client)
    assert told["og:title"] == "Gauge keeper"
    assert told["og:description"] == "Build and mend movements."
    assert told["og:url"] == job.full_url
    assert told["og:site_name"] == "Tidewater Instruments"
    assert (told["og:image:width"], told["og:image:height"]) == ("1200", "630")
    assert told["twitter:card"] == "summary_large_image"
    assert told["og:image"].startswith(f"http://localhost/share/{job.job_key}.png?v=")
    response = client.get(told["og:image"].removeprefix("http://localhost"))
    assert response.status_code == 200
    assert response["Content-Type"] == "image/png"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert opened(response.content).size == (1200, 630)


@pytest.mark.django_db
def test_picture_is_drawn_once(client: Client, job: Any, monkeypatch: Any) -> None:
    address = share_image.address(job)
    first = client.get(address)
    monkeypatch.setattr(share_image, "draw", None)
    assert client.get(address).content == first.content
    unversioned = client.get(address.partition("?")[0])
    assert unversioned.content == first.content
    assert unversioned["Cache-Control"] == "public, max-age=300"
    again = client.get(address, headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.django_db
def test_new_title_or_colour_changes_picture_address(job: Any) -> None:
    before = share_image.address(job)
    job.title = "Keeper of gauges"
    assert share_image.address(job) != before
    renamed = share_image.address(job)
    SiteSettings.objects.update(accent_colour="#123456")
    del job.company
    assert share_image.address(job) != renamed


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["closed", "draft", "private"])
def test_job_that_is_not_open_has_no_picture(client: Client, job: Any, state: str) -> None:
    if state == "private":
        PageViewRestriction.objects.create(page=job, restriction_type="login")
    else:
        job.live = state != "draft"
        job.closes_at = timezone.now() if state == "closed" else None
        job.save()
    assert client.get(share_image.address(job)).status_code == 404
    if state == "closed":
        assert "og:image" not in head(client)


@pytest.mark.django_db
def test_other_pages_have_no_picture(client: Client, job_index: Any) -> None:
    told = head(client, "/careers/")
    assert told["og:title"] == "Jobs"
    assert told["twitter:card"] == "summary"
    assert "og:image" not in told


# Wagtail leaves the file open that it makes a rendition in.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.django_db
def test_picture_chosen_by_hr_replaces_drawn_one(
    client: Client, job: Any, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    picture = get_test_image_file(size=(1400, 1000))
    job.share_image = get_image_model().objects.create(title="Harbour", file=picture)
    job.save()
    told = head(client)
    assert told["og:image"].startswith("http://localhost/media/images/")
    assert (told["og:image:width"], told["og:image:height"]) == ("1200", "630")
    gc.collect()
