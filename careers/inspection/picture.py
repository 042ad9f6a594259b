"""JPEG and PNG pictures: decoded whole, within a limit on pixels."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageFile, JpegImagePlugin, MpoImagePlugin, PngImagePlugin  # noqa: F401

from careers.inspection import signatures
from careers.inspection.verdicts import JPEG, PNG, Judged, Refused, Verdict

#: A JPEG is decoded at an eighth of its size, so the largest phone photos fit into memory. A PNG is
#: decoded whole: a page of A4 at 600 dots per inch has 35 million pixels.
PIXELS = {JPEG: 220_000_000, PNG: 60_000_000}
_FORMATS = {JPEG: ["JPEG"], PNG: ["PNG"]}

Image.MAX_IMAGE_PIXELS = None  # our own limits come first
ImageFile.LOAD_TRUNCATED_IMAGES = False


def judge(content: bytes, content_type: str) -> Judged:
    """Judge a picture.

    Raises:
        Refused: a part is missing or wrong, it is too large, or it is something else as well.
    """
    if (
        signatures.PDF in content[: signatures.PDF_HEADER_WITHIN]
        or signatures.ends_as_zip(content)
        or signatures.holds_html(content[: signatures.PDF_HEADER_WITHIN])
        or signatures.holds_running_html(content)
    ):
        raise Refused(Verdict.TWO_TYPES)
    decoded(content, content_type, smallest=1).close()
    return Judged(content_type)


def decoded(content: bytes, content_type: str, *, smallest: int) -> Image.Image:
    """The picture with all its pixels decoded.

    Args:
        smallest: the side in pixels that is needed; a larger JPEG may come reduced.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(content), formats=_FORMATS[content_type])
            width, height = image.size
            if width * height > PIXELS[content_type]:
                raise Refused(Verdict.TOO_MANY_PIXELS)
            if content_type == JPEG:
                image.draft(None, (max(smallest, width // 8), max(smallest, height // 8)))
            image.load()
    except (Refused, MemoryError):
        raise
    except Exception:  # a parser may fail in any way on such bytes
        raise Refused(Verdict.DAMAGED_PICTURE) from None
    return image
