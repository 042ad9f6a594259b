"""The scheduled check names what pages are shown without."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from wagtail.documents import get_document_model
from wagtail.images import get_image_model

from careers import documents
from careers.operations import content_check, health, schedule
from home.models import SiteSettings
from tests.support import media

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.MEDIA_ROOT = tmp_path
    content_check._is_picture.cache_clear()
    yield
    gc.collect()


def said() -> list[str]:
    """What the findings about content and fonts say."""
    schedule.check_content.apply()
    return [
        finding.message
        for finding in health.check(broker_error="").faults
        if finding.code in ("content", "fonts-damaged")
    ]


def test_content_in_order_has_no_finding(job: Any) -> None:
    job.share_image = media.stored("16-bit grey PNG")
    job.save()
    media.stored("cut-off JPEG")  # nobody shows it
    assert said() == []


@pytest.mark.parametrize("kind", ["cut-off JPEG", "missing file", "zero bytes", "huge dimensions"])
def test_unusable_picture_is_named_until_it_is_replaced(job: Any, kind: str) -> None:
    image = media.stored(kind)
    SiteSettings.objects.update(logo=image)
    job.body = [{"type": "picture", "value": {"image": {"image": image.pk}}}]
    job.save()
    (message,) = said()
    assert f"the picture “Picture: {kind}” (Gauge keeper)" in message
    assert f"the picture “Picture: {kind}” (company settings)" in message
    get_image_model().objects.update(file=media.stored("CMYK JPEG").file.name)
    assert said() == []


@pytest.mark.parametrize(
    "reference",
    ["deleted page", "deleted document", "key that is no number", "key that is missing"],
)
def test_link_that_leads_nowhere_is_named_with_its_page(job: Any, reference: str) -> None:
    job.body = [{"type": "paragraph", "value": f"<p>{media.REFERENCES[reference]}</p>"}]
    job.save()
    assert "links to something that was deleted (Gauge keeper)" in said()[0]
    job.live = False
    job.save()
    assert said() == []


def test_lost_document_is_named(job: Any) -> None:
    document = get_document_model().objects.create(title="Terms", file="documents/lost.pdf")
    link = f'<p><a linktype="document" id="{document.pk}">words</a></p>'
    SiteSettings.objects.update(privacy_notice=link)
    assert "the document “Terms” (company settings)" in said()[0]


def test_unusable_settings_are_named(job: Any) -> None:
    SiteSettings.objects.update(accent_colour="red", time_zone="Mars/Olympus")
    (message,) = said()
    assert message.endswith(": the accent colour and the time zone.")


def test_damaged_font_is_named_and_not_used(settings: Any, tmp_path: Path) -> None:
    for content, is_damaged in ((b"no font", True), (None, False)):
        folder = tmp_path / str(is_damaged) / "fonts"
        folder.mkdir(parents=True)
        ours = settings.STATICFILES_DIRS[-1] / "fonts" / "careers-sans-greek-400.woff2"
        (folder / ours.name).write_bytes(content or ours.read_bytes())
        settings.STATICFILES_DIRS = [folder.parent, settings.STATICFILES_DIRS[-1]]
        assert documents.damaged_fonts() == (["careers-sans-greek-400"] if is_damaged else [])
        assert bool(said()) is is_damaged
