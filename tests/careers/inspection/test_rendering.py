"""Pages as pictures and the words of office files: bounded, whatever the file asks for."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from careers.inspection import DOCX, JPEG, ODT, PDF, PNG, Refused, Verdict, pages
from careers.inspection.rendering import SIDE
from tests.support.papers import (
    WORD_MAIN,
    document,
    docx_parts,
    make_cv,
    make_docx,
    make_pages,
    make_pdf,
    make_picture,
    make_zip,
    odt_parts,
    repeated,
    stream,
    types,
)


def size_of(image: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(image), formats=["PNG"]) as opened:
        return opened.size


def darkest(image: bytes) -> int:
    with Image.open(io.BytesIO(image)) as opened:
        return int(opened.convert("L").getextrema()[0])


def test_pdf_page_is_a_picture_with_its_words() -> None:
    shown = pages(make_cv(), PDF)
    assert (shown.total, len(shown.images), shown.text) == (1, 1, "")
    assert size_of(shown.images[0]) == (1272, SIDE)
    # The page names a font that it does not hold.
    assert darkest(shown.images[0]) < 100


def test_pages_returns_the_pages_that_were_asked_for() -> None:
    content = make_pages(5)
    for first, count, expected in ((0, 2, 2), (3, 9, 2), (5, 1, 0), (0, 0, 0), (-3, 1, 1)):
        shown = pages(content, PDF, first=first, count=count)
        assert (shown.total, len(shown.images)) == (5, expected)


@pytest.mark.parametrize(
    "box", ["0 0 1000000 1000000", "0 0 1 1000000", "0 0 0 0", "a", "0 0 -9 -9"]
)
def test_page_of_any_size_is_a_bounded_picture(box: str) -> None:
    content = make_pdf().replace(b"0 0 595 842", box.encode())
    assert max(size_of(pages(content, PDF).images[0])) <= SIDE


def test_page_that_unpacks_to_a_gigabyte_is_refused_or_shown_within_the_limits() -> None:
    bomb = stream(repeated(b"0 0 m " * (1 << 18), 700), "/Filter/FlateDecode")
    content = make_pdf("", "", bomb).replace(b"/Contents 4 0 R", b"/Contents 6 0 R")
    with pytest.raises(Refused) as caught:
        pages(content, PDF)
    assert caught.value.verdict == Verdict.TOO_COMPLEX


def test_locked_pdf_is_not_shown() -> None:
    with pytest.raises(Refused) as caught:
        pages(make_cv(password="secret"), PDF)
    assert caught.value.verdict == Verdict.LOCKED_PDF


def test_photo_is_turned_and_made_smaller() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = make_picture(size=(4000, 2000), exif=exif.tobytes())
    shown = pages(photo, JPEG)
    assert (shown.total, size_of(shown.images[0])) == (1, (SIDE // 2, SIDE))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1", "I;16"])
def test_picture_of_any_kind_is_shown(mode: str) -> None:
    shown = pages(make_picture("PNG", mode), PNG)
    assert size_of(shown.images[0]) == (64, 48)


def test_sixteen_bits_of_grey_keep_their_shades() -> None:
    image = Image.new("I;16", (2, 1))
    image.putpixel((1, 0), 32768)
    out = io.BytesIO()
    image.save(out, "PNG")
    shown = pages(out.getvalue(), PNG).images[0]
    with Image.open(io.BytesIO(shown)) as opened:
        assert [opened.getpixel((0, 0)), opened.getpixel((1, 0))] == [0, 128]


BODY = (
    "<w:p><w:r><w:t>Jane </w:t></w:r><w:r><w:t>Miller</w:t><w:tab/><w:t>1990</w:t></w:r></w:p>"
    "<w:p><w:r><w:t>a</w:t><w:br/><w:t>b</w:t><w:delText>gone</w:delText></w:r></w:p>"
)


def test_words_of_a_docx_are_its_header_and_its_paragraphs() -> None:
    header = document("<w:p><w:r><w:t>jane@example.org</w:t></w:r></w:p>").replace(
        b"w:document", b"w:hdr"
    )
    parts = docx_parts(body=document(BODY)) | {"word/h.xml": header}
    kind = WORD_MAIN.replace("document.main", "header")
    parts["[Content_Types].xml"] = types(word__document_xml=WORD_MAIN, word__h_xml=kind)
    shown = pages(make_zip(parts), DOCX)
    assert (shown.total, shown.images) == (0, ())
    assert shown.text == "jane@example.org\nJane Miller\t1990\na\nb"


def test_words_of_an_odt_are_its_paragraphs() -> None:
    body = (
        "<text:h>Jane <text:span>Miller</text:span> born<text:tab/>1990</text:h>\n"
        "<text:list><text:list-item><text:p>a<text:line-break/>b<text:s/>c</text:p>"
        "</text:list-item></text:list>"
    )
    assert pages(make_zip(odt_parts(body)), ODT).text == "Jane Miller born\t1990\na\nb c"


def test_words_are_cut_at_their_limit() -> None:
    text = document("<w:p><w:r><w:t>0123456789</w:t></w:r></w:p>" * 30_000)
    assert len(pages(make_zip(docx_parts(body=text)), DOCX).text) == 200_000


@pytest.mark.parametrize("content_type", ["text/html", "", "image/svg+xml"])
def test_other_types_are_not_shown(content_type: str) -> None:
    with pytest.raises(Refused) as caught:
        pages(make_docx(), content_type)
    assert caught.value.verdict == Verdict.UNKNOWN_TYPE
