"""Pages of a file as pictures, and the words of an office file, so that nobody has to open it."""

from __future__ import annotations

import io

import pypdfium2
from PIL import Image, ImageOps

from careers.inspection import office_text, pdf, picture
from careers.inspection.verdicts import DOCX, JPEG, ODT, PDF, PNG, Pages, Refused, Verdict

#: The longer side of a page in pixels: A4 at about 150 dots per inch.
SIDE = 1800
#: Pages of one call, and bytes of their pictures; fewer pages come when the bytes run out.
COUNT, BYTES = 20, 40 * 1024 * 1024


def render(content: bytes, content_type: str, *, first: int, count: int) -> Pages:
    """Show pages of a file.

    Raises:
        Refused: the file can't be shown.
    """
    if content_type == PDF:
        return _pdf(content, max(first, 0), min(max(count, 0), COUNT))
    if content_type in (JPEG, PNG):
        return _picture(content, content_type)
    if content_type in (DOCX, ODT):
        return Pages(0, text=office_text.read(content))
    raise Refused(Verdict.UNKNOWN_TYPE)


def _picture(content: bytes, content_type: str) -> Pages:
    with picture.decoded(content, content_type, smallest=SIDE) as image:
        image.thumbnail((SIDE, SIDE))
        return Pages(1, (_png(ImageOps.exif_transpose(image)),))


def _pdf(content: bytes, first: int, count: int) -> Pages:
    document = opened(content)
    try:
        total = len(document)
        images: list[bytes] = []
        held = 0
        for number in range(first, min(first + count, total)):
            image = _page(document, number)
            held += len(image)
            if images and held > BYTES:
                break
            images.append(image)
        return Pages(total, tuple(images))
    finally:
        document.close()


def opened(content: bytes) -> pypdfium2.PdfDocument:
    """The document in pdfium; what pdfium can't repair, qpdf may."""
    try:
        document = pypdfium2.PdfDocument(content)
        if len(document):
            return document
        document.close()
    except pypdfium2.PdfiumError:
        pass
    repaired = io.BytesIO()
    with pdf.opened(content) as readable:
        sum(1 for _page in pdf.leaves(readable))
        readable.save(repaired)
    try:
        return pypdfium2.PdfDocument(repaired.getvalue())
    except pypdfium2.PdfiumError:
        raise Refused(Verdict.DAMAGED_PDF) from None


def _page(document: pypdfium2.PdfDocument, number: int) -> bytes:
    """One page as PNG; a page that can't be drawn is blank."""
    try:
        page = document[number]
    except pypdfium2.PdfiumError:
        return _png(Image.new("L", (SIDE // 2, SIDE // 2), 255))
    try:
        width, height = page.get_size()
        # Half a pixel less, because the sides are rounded up.
        scale = (SIDE - 0.5) / max(width, height, 1.0)
        bitmap = page.render(scale=scale, may_draw_forms=True)
        return _png(bitmap.to_pil())
    finally:
        page.close()


def _png(image: Image.Image) -> bytes:
    if image.mode not in ("1", "L", "RGB"):
        image = _on_white(image)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=3)
    return out.getvalue()


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode == "CMYK":
        return image.convert("RGB")
    if image.mode.startswith("I"):
        # Sixteen bits of grey; ``convert`` would cut them off instead of dividing.
        return image.point(lambda value: value / 256).convert("L")
    whole = image.convert("RGBA")
    white = Image.new("RGBA", whole.size, "white")
    white.alpha_composite(whole)
    return white.convert("RGB")
