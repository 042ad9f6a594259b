"""What the effects read before they act."""

from __future__ import annotations

import errno
import gc
from pathlib import Path
from typing import Any

import pytest
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file

from careers.pipeline.effects.mails import receipt_url
from careers.pipeline.effects.render_pdf import branding
from careers.pipeline.runner import run
from home.models import SiteSettings
from tests.support.factories import StepFactory

pytestmark = pytest.mark.django_db


# Wagtail leaves the file open that it makes a rendition in.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("lost", ["the original", "both", "what it was", "for a page"])
def test_lost_logo_is_left_out_of_the_pdf(
    application: Any, settings: Any, tmp_path: Path, caplog: Any, lost: str
) -> None:
    """A site may be restored without its media files."""
    settings.MEDIA_ROOT = tmp_path
    image = get_image_model().objects.create(title="Logo", file=get_test_image_file())
    SiteSettings.objects.update(logo=image)
    if lost == "both":
        assert branding(application).logo
    match lost:
        case "both":
            for file in tmp_path.glob("images/*"):
                file.unlink()
        case "the original":
            Path(image.file.path).unlink()
        case "for a page":
            Path(image.file.path).write_text("<html><body><p>404<br></body></html>")
        case _:
            Path(image.file.path).write_bytes(b"no picture any more")
    if lost == "both":
        for file in tmp_path.glob("original_images/*"):
            file.unlink()
    step = StepFactory(application=application, kind="render_pdf", queued=True, events=False)
    run(step.pk, owner="worker:1")
    step.refresh_from_db()
    assert (step.state, step.error_public) == ("succeeded", "")
    assert "the logo can't be read: " in caplog.text
    gc.collect()


def test_full_disk_while_the_logo_is_rendered_is_temporary(
    application: Any, monkeypatch: Any
) -> None:
    image = get_image_model().objects.create(title="Logo", file=get_test_image_file())
    SiteSettings.objects.update(logo=image)

    def full(*_args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(type(image), "generate_rendition_file", full)
    step = StepFactory(application=application, kind="render_pdf", queued=True, events=False)
    run(step.pk, owner="worker:1")
    step.refresh_from_db()
    assert (step.state, step.error_code) == ("retrying", "pdf-machine")


@pytest.mark.parametrize(
    ("languages", "prefix"), [(["en", "fr"], "/fr/received/"), (["en"], "/received/")]
)
def test_receipt_url_without_the_applications_language_uses_the_default(
    application: Any, settings: Any, languages: list[str], prefix: str
) -> None:
    application.language = "fr"
    settings.LANGUAGES = [(code, code) for code in languages]
    path = receipt_url(application).removeprefix(settings.SITE_URL)
    assert path == f"{prefix}{application.receipt_secret}/"
