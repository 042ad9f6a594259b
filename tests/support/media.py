"""Content as scanners, half uploads, imports and restored disks leave it."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from pathlib import Path
from typing import Any

from django.conf import settings
from PIL import Image
from wagtail.documents import get_document_model
from wagtail.images import get_image_model

from home.models import SiteSettings

#: Pictures that the site shows: they only look odd to a program.
USABLE = (
    "16-bit grey PNG",
    "CMYK JPEG",
    "animated GIF",
    "animated WebP",
    "palette with transparency",
    "strip",
    "JPEG with a broken colour profile",
)
#: What only some formats can be made of.
PARTLY = ("TIFF named .png",)
#: Formatted text with one word and a reference that leads nowhere.
REFERENCES = {
    "deleted page": '<a linktype="page" id="99999">words</a>',
    "deleted document": '<a linktype="document" id="99999">words</a>',
    "deleted picture": 'words<embed embedtype="image" id="99999" format="left" alt=""/>',
    "picture in an unknown format": 'words<embed embedtype="image" id="1" format="huge" alt=""/>',
    "picture without a format": 'words<embed embedtype="image" id="1"/>',
    "embed that can't be fetched": 'words<embed embedtype="media" url="https://youtu.be/x"/>',
    "embed without an address": 'words<embed embedtype="media"/>',
    "embed of an unknown type": 'words<embed embedtype="hologram"/>',
    "key that is no number": '<a linktype="page" id="seven">words</a>',
    "key that is too large": '<a linktype="page" id="99999999999999999999">words</a>',
    "key that is missing": '<a linktype="document">words</a>',
    "unknown kind of link": '<a linktype="rocket" id="1">words</a>',
    "deep nesting": "<b>" * 3000 + "words" + "</b>" * 3000,
    "unclosed elements": "<ul><li><a href='x'>words<p>",
}


def saved(mode: str, name: str, size: tuple[int, int] = (400, 300), **options: Any) -> bytes:
    """A picture in a mode and format of Pillow, with light and dark parts."""
    picture = Image.linear_gradient("L").resize(size).convert("RGB").convert(mode)
    out = io.BytesIO()
    picture.save(out, name, **options)
    return out.getvalue()


def png_of(width: int, height: int) -> bytes:
    """A PNG whose head promises this size; its content is one line."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    content = zlib.compress(bytes(width // 8 + 1))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", content) + chunk(b"IEND", b"")
    )


@functools.cache
def pictures() -> dict[str, tuple[str, bytes | None]]:
    """Each kind with the name and the bytes of a file; None for a file that is missing."""
    jpeg, png = saved("RGB", "JPEG"), saved("RGB", "PNG")
    grey = io.BytesIO()
    values = Image.linear_gradient("L").resize((400, 300)).convert("I").point(lambda v: v * 257)
    values.convert("I;16").save(grey, "PNG")
    frames = [Image.new("RGB", (60, 40), colour) for colour in ("red", "green", "blue")]
    animated = {"save_all": True, "append_images": frames[1:], "duration": 100}
    gif, webp = io.BytesIO(), io.BytesIO()
    frames[0].save(gif, "GIF", **animated)
    frames[0].save(webp, "WEBP", **animated)
    return {
        "16-bit grey PNG": ("grey.png", grey.getvalue()),
        "CMYK JPEG": ("cmyk.jpg", saved("CMYK", "JPEG")),
        "animated GIF": ("animated.gif", gif.getvalue()),
        "animated WebP": ("animated.webp", webp.getvalue()),
        "palette with transparency": ("palette.png", saved("P", "PNG", transparency=0)),
        "strip": ("strip.png", saved("L", "PNG", (6000, 1))),
        "cut-off JPEG": ("cut.jpg", jpeg[: len(jpeg) // 2]),
        "PNG cut in half": ("half.png", png[: len(png) // 2]),
        "missing file": ("missing.png", None),
        "zero bytes": ("empty.png", b""),
        "SVG": ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>'),
        "SVG named .png": ("drawing.png", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
        "broken SVG": ("broken.svg", b"<svg><g></svg>"),
        "text named .png": ("text.png", b"This is no picture."),
        "web page named .png": ("page.png", b"<html><body><p>404<br></body></html>"),
        "huge dimensions": ("huge.png", png_of(60_000, 60_000)),
        "no width": ("none.png", png_of(0, 10)),
        "JPEG with a broken colour profile": (
            "profile.jpg",
            saved("CMYK", "JPEG", icc_profile=b"no profile"),
        ),
        "TIFF named .png": ("tiff.png", saved("RGB", "TIFF")),
    }


def stored(kind: str) -> Any:
    """An image of this kind, as if it was uploaded before uploads were checked."""
    name, content = pictures()[kind]
    file = Path(settings.MEDIA_ROOT, "original_images", name)
    file.parent.mkdir(parents=True, exist_ok=True)
    if content is not None:
        file.write_bytes(content)
    return get_image_model().objects.create(
        title=f"Picture: {kind}", file=f"original_images/{name}", width=400, height=300
    )


def spoil(job: Any) -> None:
    """Put broken texts, pictures and values into the company's settings and two pages.

    ``tests/project/test_broken_media.py`` has the other kinds of pictures.
    """
    images = [stored(kind) for kind in ("16-bit grey PNG", "cut-off JPEG", "missing file")]
    get_document_model().objects.create(title="Lost", file="documents/lost.pdf")
    lost = '<a linktype="document" id="1">words</a>'
    texts = [f"<p>{reference}</p>" for reference in (*REFERENCES.values(), lost)]
    body = [{"type": "paragraph", "value": text} for text in texts]
    body += [{"type": "picture", "value": {"image": {"image": one.pk}}} for one in images]
    SiteSettings.objects.update(
        logo=images[-1],
        dark_logo=images[0],
        accent_colour="red",
        time_zone="Mars/Olympus",
        privacy_notice="".join(texts),
    )
    for page in (job, job.get_parent().get_parent()):
        page.body = body
        page.save()
    job.share_image = images[0]
    job.privacy_notice = texts[-1]
    job.save()
    type(job).objects.update(time_zone="Europe")
