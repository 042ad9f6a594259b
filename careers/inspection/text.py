"""The words of a file for the search, bounded. A picture has none."""

from __future__ import annotations

import re
import time

import pypdfium2

from careers.inspection import office_text, rendering
from careers.inspection.verdicts import DOCX, ODT, PDF

#: Pages and characters that are read of a file, and seconds of CPU time after which a PDF ends.
PAGES, CHARACTERS, CPU = 100, 200_000, 2
#: A word that a line divides; pdfium has marks of its own for it.
_DIVIDED = re.compile("[\ufffe\u0002]\\s*|(?<=\\w)[-\u00ad\u2010][ \\t\\r]*\n\\s*")


def read(content: bytes, content_type: str) -> str:
    """The words in the order of the file.

    Raises:
        Refused: the file is damaged or exceeds a limit.
    """
    if content_type == PDF:
        return _pdf(content)
    if content_type in (DOCX, ODT):
        return office_text.read(content)
    return ""


def _pdf(content: bytes) -> str:
    document = rendering.opened(content)
    ends = time.process_time() + CPU
    texts: list[str] = []
    left = CHARACTERS
    for number in range(min(len(document), PAGES)):
        if left <= 0 or time.process_time() > ends:
            break
        text = _page(document, number)[:left]
        texts.append(text)
        left -= len(text)
    return _DIVIDED.sub("-", "\n".join(texts))


def _page(document: pypdfium2.PdfDocument, number: int) -> str:
    """The words of one page; "" for a page that can't be read."""
    try:
        return str(document[number].get_textpage().get_text_bounded(errors="replace"))
    except pypdfium2.PdfiumError:
        return ""
