"""Odd files that honest people send, because their programs write such files: all accepted."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from careers.inspection import DOCX, JPEG, ODT, PDF, PNG, Judged, judge, pages
from tests.support.papers import (
    ODF,
    document,
    docx_parts,
    locked_pdf,
    make_cv,
    make_docx,
    make_odt,
    make_pages,
    make_pdf,
    make_picture,
    make_zip,
    odt_parts,
    relationships,
    saved_pdf,
    stream,
    types,
    updated_pdf,
)

CASES = Path(__file__).with_name("cases")


def case(name: str) -> bytes:
    return (CASES / name).read_bytes()


def replaced(content: bytes, old: bytes, new: bytes) -> bytes:
    assert old in content
    return content.replace(old, new)


def scanned() -> bytes:
    """A page that is one picture, as scanners and phone apps write it."""
    photo = make_picture(size=(1240, 1754))
    picture = stream(
        photo,
        "/Type/XObject/Subtype/Image/Width 1240/Height 1754/ColorSpace/DeviceRGB"
        "/BitsPerComponent 8/Filter/DCTDecode",
    )
    return make_pdf("", "/Resources<</XObject<</I 6 0 R>>>>", picture)


def form(*, needs: str = "") -> bytes:
    field = "/Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(Jane Miller)/Rect[50 50 200 70]/P 3 0 R"
    return make_pdf(
        f"/AcroForm<</Fields[6 0 R]/DA(/Helv 12 Tf){needs}>>", "/Annots[6 0 R]", f"<<{field}>>"
    )


def attached(name: str, content: bytes, compressed: bool = False) -> bytes:
    """A document with another file inside, such as an invoice or a portfolio."""
    data = zlib.compress(content) if compressed else content
    return make_pdf(
        "/Names<</EmbeddedFiles<</Names[(a) 6 0 R]>>>>/AF[6 0 R]",
        "",
        f"<</Type/Filespec/F({name})/UF({name})/AFRelationship/Data/EF<</F 7 0 R/UF 7 0 R>>>>",
        stream(data, "/Type/EmbeddedFile" + ("/Filter/FlateDecode" if compressed else "")),
    )


def only_attachments_locked() -> bytes:
    """Strings and streams are readable; only embedded files have a key (ISO 32000-2, 7.6.6)."""
    lock = (
        "/Encrypt<</Filter/Standard/V 4/R 4/Length 128/P -4/CF<</StdCF<</AuthEvent/EFOpen/CFM"
        "/AESV2/Length 16>>>>/StmF/Identity/StrF/Identity/EFF/StdCF"
        f"/O<{'ab' * 32}>/U<{'cd' * 32}>>>/ID[<00><00>]"
    )
    return make_pdf(
        "/Names<</EmbeddedFiles<</Names[(a) 6 0 R]>>>>",
        "",
        "<</Type/Filespec/F(a.txt)/EF<</F 7 0 R>>>>",
        stream(bytes(range(64)), "/Type/EmbeddedFile"),
        trailer=lock,
    )


HONEST_PDF: dict[str, Callable[[], bytes]] = {
    "written by hand": make_pdf,
    "by qpdf": make_cv,
    "linearised": lambda: saved_pdf(make_pdf(), linearize=True),
    "cross-reference streams": lambda: saved_pdf(
        make_pdf(), object_stream_mode=pikepdf.ObjectStreamMode.generate
    ),
    "updated once": lambda: updated_pdf(
        make_pdf(), 1, "<</Type/Catalog/Pages 2 0 R/PageLayout/OneColumn>>"
    ),
    "updated twice": lambda: updated_pdf(
        updated_pdf(make_pdf(), 1, "<</Type/Catalog/Pages 2 0 R/Lang(en)>>"),
        1,
        "<</Type/Catalog/Pages 2 0 R/Lang(fr)>>",
    ),
    "script removed by an update": lambda: updated_pdf(
        make_pdf("/OpenAction 6 0 R", "", "<</S/JavaScript/JS(app.alert(1))>>"),
        1,
        "<</Type/Catalog/Pages 2 0 R>>",
    ),
    "AES-256 with an empty password": lambda: locked_pdf(make_pdf(), "", 6),
    "AES-128 with an empty password": lambda: locked_pdf(make_pdf(), "", 4),
    "RC4, printing locked": lambda: locked_pdf(make_pdf(), "", 3),
    "only attachments locked": only_attachments_locked,
    "no trailer": lambda: case("no-trailer.pdf"),
    "no trailer at all": lambda: make_pdf().partition(b"xref")[0],
    "opens in viewers, 1": lambda: case("viewers-open-1.pdf"),
    "opens in viewers, 2": lambda: case("viewers-open-2.pdf"),
    "byte order mark before the header": lambda: b"\xef\xbb\xbf" + make_pdf(),
    "blank lines before the header": lambda: b"\r\n" * 40 + make_pdf(),
    "HTTP header before the header": lambda: b"Content-Type: application/pdf\r\n\r\n" + make_pdf(),
    "printer job language before the header": lambda: (
        b"\x1b%-12345X@PJL JOB\r\n@PJL ENTER LANGUAGE=PDF\r\n" + make_pdf()
    ),
    "zeros after the end": lambda: make_pdf() + b"\0" * 700,
    "a comment of a web server after the end": lambda: make_pdf() + b"\n<!-- 0.02 s --></html>",
    "missing endobj": lambda: replaced(make_pdf(), b"\nendobj\n4 0 obj", b"\n4 0 obj"),
    "wrong cross-reference table": lambda: replaced(make_pdf(), b"xref\n0", b"xref\n3"),
    "wrong length of a stream": lambda: replaced(make_pdf(), b"<</Length ", b"<</Length 9"),
    "startxref cut off": lambda: make_pdf().partition(b"startxref")[0],
    "cut off in the last line": lambda: make_pdf()[:-5],
    "line ends of an old Mac": lambda: make_pdf(header=b"%PDF-1.4\r", ends=b"\r"),
    "PDF 2.0": lambda: make_pdf(header=b"%PDF-2.0\n"),
    "a version that does not exist": lambda: make_pdf(header=b"%PDF-1.9\n"),
    "no version": lambda: make_pdf(header=b"%PDF-\n"),
    "scanned": scanned,
    "five hundred pages": lambda: make_pages(500),
    "the same page twice": lambda: make_pdf(pages="/Kids[3 0 R 3 0 R]/Count 2"),
    "wrong count of pages": lambda: make_pdf(pages="/Kids[3 0 R]/Count 7"),
    "filled-in form": form,
    "form that asks for appearances": lambda: form(needs="/NeedAppearances true"),
    "signature field": lambda: make_pdf(
        "/AcroForm<</Fields[6 0 R]/SigFlags 3>>",
        "/Annots[6 0 R]",
        "<</Type/Annot/Subtype/Widget/FT/Sig/T(s)/Rect[0 0 0 0]/V<</Type/Sig/Filter/Adobe.PPKLite"
        "/SubFilter/adbe.pkcs7.detached/ByteRange[0 1 2 3]/Contents<00>>>>>",
    ),
    "links": lambda: make_pdf(
        "/OpenAction[3 0 R/Fit]",
        "/Annots[<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(https://example.org)>>>>]",
    ),
    "table of contents": lambda: make_pdf(
        "/Outlines 6 0 R",
        "",
        "<</First 7 0 R/Last 7 0 R/Count 1>>",
        "<</Title(Experience)/Parent 6 0 R/A<</S/GoTo/D[3 0 R/XYZ 0 0 0]>>>>",
    ),
    "link to a file beside it": lambda: make_pdf(
        "", "/Annots[<</Subtype/Link/Rect[0 0 9 9]/A<</S/GoToR/F(letter.pdf)/D[0/Fit]>>>>]"
    ),
    "tagged, with an invoice attached": lambda: attached("factur-x.xml", b"<rsm/>", True),
    "portfolio with a text attached": lambda: attached("letter.docx", make_docx()),
    "tagged by Chrome": lambda: make_pdf(
        "/MarkInfo<</Marked true>>/StructTreeRoot 6 0 R/Lang(en)",
        "/StructParents 0/Tabs/S",
        "<</Type/StructTreeRoot/K 7 0 R/ParentTree<</Nums[0[7 0 R]]>>>>",
        "<</Type/StructElem/S/Document/P 6 0 R/K[0]/Pg 3 0 R>>",
    ),
    "ligatures and odd names": lambda: make_pdf(
        "",
        "/Rotate 90/UserUnit 2",
        "<</Type/Font/Subtype/Type1/BaseFont/ABCDEF+CMR10/Encoding"
        "<</Differences[2/fi/fl/ffi/a#20b/J#61vaScript/Launch]>>>>",
    ),
    "layers and page labels": lambda: make_pdf(
        "/OCProperties<</OCGs[]/D<</Order[]>>>>/PageLabels<</Nums[0<</S/D>>]>>/ViewerPreferences"
        "<</DisplayDocTitle true>>"
    ),
    "transition and transparency": lambda: make_pdf(
        "", "/Group<</S/Transparency/CS/DeviceRGB>>/Trans<</S/Fade>>/Dur 5"
    ),
}


def streamed(parts: dict[str, bytes]) -> bytes:
    """A ZIP whose sizes follow the data, as programs that write to a network make it."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.written = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.written += data
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return bytes(pipe.written)


def with_settings(target: str, kind: str = "attachedTemplate") -> bytes:
    """A Word file with a relationship that leads out of it."""
    return make_zip(
        docx_parts()
        | {"word/_rels/settings.xml.rels": relationships((kind, target), external=True)}
    )


def with_chart() -> bytes:
    table = make_zip({"[Content_Types].xml": types(), "_rels/.rels": relationships()})
    return make_zip(docx_parts() | {"word/embeddings/Microsoft_Excel_Sheet1.xlsx": table})


def strict() -> bytes:
    """Strict Office Open XML has namespaces of its own."""
    parts = docx_parts()
    root = relationships(
        (
            "http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument",
            "word/document.xml",
        )
    )
    return make_zip(parts | {"_rels/.rels": root})


HONEST_DOCX: dict[str, Callable[[], bytes]] = {
    "from Word": make_docx,
    "from Word Online": lambda: case("word-online.docx"),
    "from a program that streams": lambda: streamed(docx_parts()),
    "absolute targets, as Pages writes": lambda: make_zip(
        docx_parts() | {"_rels/.rels": relationships(("officeDocument", "/word/document.xml"))}
    ),
    "main part at the root": lambda: make_zip(docx_parts("document.xml")),
    "main part with spaces": lambda: make_zip(
        docx_parts("word/my text.xml")
        | {"_rels/.rels": relationships(("officeDocument", "word/my%20text.xml"))}
    ),
    "capitals differ": lambda: make_zip(
        docx_parts() | {"_rels/.rels": relationships(("officeDocument", "Word/Document.xml"))}
    ),
    "strict": strict,
    "folders as parts": lambda: make_zip([("word/", b""), *docx_parts().items()]),
    "nothing compressed": lambda: make_zip(docx_parts(), compressed=False),
    "comment at the end": lambda: replaced(make_docx(), b"\0\0", b"\0\0")[:-2] + b"\5\0hello",
    "part with a foreign name": lambda: make_zip(
        docx_parts() | {"word/media/фото.png": b"\x89PNG"}
    ),
    "made from a template of its author": lambda: with_settings(
        "file:///C:\\Users\\jane\\AppData\\Roaming\\Microsoft\\Templates\\Resume.dotx"
    ),
    "made from a template on a Mac": lambda: with_settings(
        "file:///Users/jane/Library/Templates/Resume.dotx"
    ),
    "made from a template beside it": lambda: with_settings("Normal.dotm"),
    "with links": lambda: with_settings("https://example.org/jane", "hyperlink"),
    "with a picture from the web": lambda: with_settings("https://example.org/a.png", "image"),
    "with a chart": with_chart,
    "with fields": lambda: make_zip(
        docx_parts(
            body=document(
                '<w:p><w:r><w:fldChar w:fldCharType="begin"/><w:instrText> HYPERLINK '
                '"https://example.org/DDE" </w:instrText></w:r></w:p>'
                '<w:fldSimple w:instr=" PAGE "/>'
            )
        )
    ),
    "with a long table": lambda: make_zip(
        docx_parts(body=document("<w:p><w:r><w:t>x</w:t></w:r></w:p>" * 20_000))
    ),
}

#: What LibreOffice writes beside the text.
_MORE = {
    "Configurations2/accelerator/current.xml": b"",
    "Basic/script-lc.xml": b"<library:libraries/>",
    "Basic/Standard/script-lb.xml": b"<library:library/>",
    "Thumbnails/thumbnail.png": b"\x89PNG",
    "META-INF/documentsignatures.xml": b"<document-signatures/>",
    "settings.xml": b"<office:document-settings xmlns:office='x'/>",
}
HONEST_ODT: dict[str, Callable[[], bytes]] = {
    "from LibreOffice": make_odt,
    "with empty libraries and a signature": lambda: make_zip(odt_parts() | _MORE),
    "type compressed and last": lambda: make_zip(dict(reversed(odt_parts().items()))),
    "type only in the manifest": lambda: make_zip(
        {name: part for name, part in odt_parts().items() if name != "mimetype"}
    ),
    "with a formula": lambda: make_zip(
        odt_parts("<draw:object xlink:href='./Object 1'/>")
        | {"Object 1/content.xml": b"<math xmlns='http://www.w3.org/1998/Math/MathML'/>"}
    ),
    "with links": lambda: make_zip(
        odt_parts("<text:a xlink:href='https://example.org'>Jane</text:a>", "<office:scripts/>")
    ),
    "with a template in its facts": lambda: make_zip(
        odt_parts()
        | {
            "meta.xml": f"<m xmlns:meta='{ODF}:meta:1.0' xmlns:xlink='http://www.w3.org/1999/xlink'>"
            "<meta:template xlink:href='file:///home/jane/cv.ott'/></m>".encode()
        }
    ),
}


def interlaced() -> bytes:
    """One pixel: the first pass of Adam7 holds it, the others are empty."""
    rows = zlib.compress(b"\0\x10\x20\x30")

    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack("!I", zlib.crc32(name + data))
        return struct.pack("!I", len(data)) + name + data + check

    head = struct.pack("!IIBBBBB", 1, 1, 8, 2, 0, 0, 1)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", rows), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def animated() -> bytes:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    return out.getvalue()


def two_pictures() -> bytes:
    """What phones write: a photo, its depth map behind it (CIPA DC-007)."""
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "MPO", save_all=True, append_images=frames[1:])
    return out.getvalue()


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return make_picture(exif=exif.tobytes())


HONEST_JPEG: dict[str, Callable[[], bytes]] = {
    "photo": make_picture,
    "grey": lambda: make_picture(mode="L"),
    "CMYK as Adobe writes it": lambda: make_picture(mode="CMYK"),
    "progressive": lambda: make_picture(progressive=True),
    "turned by EXIF": turned,
    "two pictures": two_pictures,
    "a film behind it": lambda: make_picture() + b"\0\0\0\x18ftypmp42" + bytes(5000),
    "twelve million pixels": lambda: make_picture(size=(4000, 3000)),
    "no subsampling": lambda: make_picture(subsampling=0, quality=100),
}
HONEST_PNG: dict[str, Callable[[], bytes]] = {
    "screenshot": lambda: make_picture("PNG"),
    "transparent": lambda: make_picture("PNG", "RGBA"),
    "palette": lambda: make_picture("PNG", "P"),
    "transparent palette": lambda: make_picture("PNG", "P", transparency=0),
    "black and white": lambda: make_picture("PNG", "1"),
    "grey and transparent": lambda: make_picture("PNG", "LA"),
    "sixteen bits": lambda: make_picture("PNG", "I;16"),
    "interlaced": interlaced,
    "animated": animated,
    "A4 at 600 dots": lambda: make_picture("PNG", "1", (4960, 7016)),
}

ROWS = [
    pytest.param(make, kind, id=f"{short} {name}")
    for kind, short, files in (
        (PDF, "PDF", HONEST_PDF),
        (DOCX, "DOCX", HONEST_DOCX),
        (ODT, "ODT", HONEST_ODT),
        (JPEG, "JPEG", HONEST_JPEG),
        (PNG, "PNG", HONEST_PNG),
    )
    for name, make in files.items()
]


@pytest.mark.parametrize(("make", "kind"), ROWS)
def test_honest_file_is_accepted_and_shown(make: Callable[[], bytes], kind: str) -> None:
    content = make()
    assert judge(content) == Judged(kind)
    shown = pages(content, kind, count=1)
    if kind in (DOCX, ODT):
        assert (shown.total, shown.images) == (0, ())
    else:
        assert shown.total >= 1
        assert shown.images[0].startswith(b"\x89PNG")


def test_collection_has_forty_honest_files() -> None:
    assert len(ROWS) >= 40
