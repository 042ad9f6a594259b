"""Pictures that editors upload: a page shows them, or it is shown without them.

Every place that shows a picture takes it from ``rendition`` or ``renditions``: templates, share
images, the markup for search engines, PDFs.
"""

from __future__ import annotations

import io
import logging
from typing import IO

import PIL.Image
import PIL.ImageCms
import PIL.ImageFile
import willow
from django.conf import settings
from django.core.cache import cache
from wagtail.images import get_image_model
from wagtail.images.models import AbstractImage, AbstractRendition, Filter
from willow.image import AvifImageFile, GIFImageFile, JPEGImageFile, PNGImageFile, WebPImageFile
from willow.plugins.pillow import PillowImage
from willow.registry import registry

from home.caching import ends_within

log = logging.getLogger(__name__)

#: The formats in which pages, PDFs and feeds show pictures.
FORMATS = ("jpeg", "png", "webp")
#: Seconds until a picture that could not be shown is tried again: decoding it takes time.
RETRY_AFTER = 60


class Unusable(Exception):
    """A file that is no picture, is damaged, or has more pixels than the site decodes."""


def rendition(image: AbstractImage | None, spec: str) -> AbstractRendition | None:
    """A picture in one size and format; None if it can't be shown.

    Args:
        image: None for no picture.
        spec: as in Wagtail's templates, such as ``max-480x160|format-png``.
    """
    return renditions(image, spec).get(spec)


def renditions(image: AbstractImage | None, *specs: str) -> dict[str, AbstractRendition]:
    """The same in several sizes and formats, by ``spec``; empty if one of them can't be made."""
    if image is None:
        return {}
    failed = f"picture:{image.pk}:{image.file.name}"
    if cache.get(failed):
        ends_within(RETRY_AFTER)
        return {}
    try:
        return make(image, *specs)
    except Exception as error:  # decoders fail in any way, and so does a full disk
        log.warning("the picture %s can't be shown: %s", image.pk, type(error).__name__)
        cache.set(failed, 1, RETRY_AFTER)
        ends_within(RETRY_AFTER)
        return {}


def make(image: AbstractImage, *specs: str) -> dict[str, AbstractRendition]:
    """The same as ``renditions``, but errors are raised.

    Raises:
        Unusable, OSError, and whatever a decoder raises.
    """
    made: dict[str, AbstractRendition] = AbstractImage.get_renditions(image, *specs)
    for one in made.values():
        if not _has_content(one):
            _write_again(image, one)
    return made


def content(image: AbstractImage, spec: str) -> bytes:
    """The bytes of a picture in one size and format.

    Raises:
        Unusable, OSError, and whatever a decoder raises.
    """
    with make(image, spec)[spec].file.open("rb") as file:
        return bytes(file.read())


def check(file: IO[bytes]) -> None:
    """Check that a file is a picture that the site can show.

    Raises:
        Unusable: it can't be decoded, or not be saved in each of ``FORMATS``.
    """
    try:
        # Decodes the whole file. One pixel is enough to try the formats.
        picture = willow.Image.open(file).auto_orient().crop((0, 0, 1, 1))
        if picture.has_alpha():
            picture = picture.set_background_color_rgb((255, 255, 255))
        for name in FORMATS:
            getattr(picture, f"save_as_{name}")(io.BytesIO())
    except Exception as error:  # a decoder fails in any way on such bytes
        raise Unusable(type(error).__name__) from error


# ── Files of renditions ─────────────────────────────────────────────────────────────────


def _has_content(made: AbstractRendition) -> bool:
    try:
        return bool(made.file.size)
    except OSError:
        return False


def _write_again(image: AbstractImage, lost: AbstractRendition) -> None:
    """Write the file of a rendition again, for instance after a backup without it."""
    content = image.generate_rendition_file(Filter(lost.filter_spec))
    lost.file.storage.delete(lost.file.name)
    lost.file.storage.save(lost.file.name, content)


# ── In Wagtail ──────────────────────────────────────────────────────────────────────────


def install() -> None:
    """Let Wagtail's own pages survive such pictures. Call it once, when all apps are ready.

    Wagtail's lists, editors and choosers call these methods of an image. They have an answer to a
    missing file at most, so one damaged file takes the whole list of pictures down. An image model
    of our own would be Wagtail's way to change them, but it would need a new table for the images
    of every installation.
    """
    for name, method in (("get_rendition", _get_rendition), ("get_renditions", _get_renditions)):
        setattr(get_image_model(), name, method)
    for kind in (AvifImageFile, GIFImageFile, JPEGImageFile, PNGImageFile, WebPImageFile):
        registry.register_converter(kind, PillowImage, _decoded)


def _get_rendition(image: AbstractImage, filter: Filter | str) -> AbstractRendition:  # noqa: A002
    (made,) = _get_renditions(image, filter).values()
    return made


def _get_renditions(image: AbstractImage, *filters: Filter | str) -> dict[str, AbstractRendition]:
    specs = [one.spec if isinstance(one, Filter) else one for one in filters]
    return renditions(image, *specs) or {spec: _empty(image, spec) for spec in specs}


def _empty(image: AbstractImage, spec: str) -> AbstractRendition:
    """What Wagtail itself shows in place of a missing file."""
    made = image.get_rendition_model()(image=image, filter_spec=spec, width=0, height=0)
    made.file.name = "not-found"
    return made


def _decoded(file: willow.image.ImageFile) -> PillowImage:
    """Decode a file as Willow does, within a limit and to eight bits for each colour.

    Raises:
        Unusable: it has more pixels than ``WAGTAILIMAGES_MAX_IMAGE_PIXELS``.
        Exception: whatever the decoder raises.
    """
    file.f.seek(0)
    image: PIL.Image.Image = PIL.Image.open(file.f)
    if image.width * image.height > settings.WAGTAILIMAGES_MAX_IMAGE_PIXELS:
        raise Unusable("pixels")
    # WeasyPrint, once imported, makes Pillow take cut-off pictures for whole ones.
    PIL.ImageFile.LOAD_TRUNCATED_IMAGES = False
    image.load()
    try:
        PIL.ImageCms.ImageCmsProfile(io.BytesIO(image.info.get("icc_profile") or b""))
    except (OSError, PIL.ImageCms.PyCMSError):
        image.info.pop("icc_profile", None)  # damaged, or there is none
    if image.mode.startswith("I"):
        # 16 bits of grey. No format but PNG holds them, and Pillow would cut off light tones.
        image = image.point(lambda value: value / 256).convert("L")
    return PillowImage(image)
