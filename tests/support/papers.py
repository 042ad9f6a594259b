"""Files that applicants send, made by hand: PDFs object by object, office files part by part.

``tests/careers/inspection`` has the collection of odd and harmful ones.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import pikepdf
from PIL import Image

from careers.inspection.verdicts import ODT

#: What a PDF holds so that a viewer runs a script.
JS = "<</S/JavaScript/JS(app.alert(1))>>"

# ── PDF ─────────────────────────────────────────────────────────────────────────────────


def make_cv(
    text: str = "Jane Miller\nKeeper of tide gauges since 2014",
    *,
    password: str = "",
    owner_password: str = "",
) -> bytes:
    """A small real PDF with text, locked for opening or only for editing when asked."""
    pdf = pikepdf.new()
    lines = " T* ".join(
        "({}) Tj".format(line.replace("\\", "").replace("(", "").replace(")", ""))
        for line in text.splitlines()
    )
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
    )
    page = pikepdf.Dictionary(
        Type=pikepdf.Name.Page,
        MediaBox=[0, 0, 595, 842],
        Resources=pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font)),
        Contents=pdf.make_stream(
            f"BT /F1 12 Tf 14 TL 72 770 Td {lines} ET".encode("latin-1", "replace")
        ),
    )
    pdf.pages.append(pikepdf.Page(page))
    out = io.BytesIO()
    if password or owner_password:
        locks = pikepdf.Encryption(user=password, owner=owner_password or password, R=6)
        pdf.save(out, encryption=locks)
    else:
        pdf.save(out, deterministic_id=True)
    return out.getvalue()


def stream(data: bytes, entries: str = "") -> bytes:
    """A stream as the value of an object."""
    return f"<</Length {len(data)}{entries}>>stream\n".encode() + data + b"\nendstream"


def repeated(data: bytes, times: int) -> bytes:
    """Deflated data that unpacks to ``data`` many times, without the work of packing it all."""
    packer = zlib.compressobj(9)
    head = packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + (packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)) * (times - 1)


def make_pages(count: int) -> bytes:
    """A balanced tree, as Word and Chrome write it."""
    pdf = pikepdf.new()
    for _page in range(count):
        pdf.add_blank_page()
    out = io.BytesIO()
    pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return out.getvalue()


def make_pdf(
    catalog: str = "",
    page: str = "",
    *objects: str | bytes,
    pages: str = "/Kids[3 0 R]/Count 1",
    trailer: str = "",
    header: bytes = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    ends: bytes = b"\n",
) -> bytes:
    """A PDF with one page, written by hand, so that it may be as wrong as a test needs.

    Args:
        catalog, page, pages, trailer: further entries of these dictionaries.
        objects: further objects; the first one is number 6.
    """
    everything: list[str | bytes] = [
        f"<</Type/Catalog/Pages 2 0 R{catalog}>>",
        f"<</Type/Pages{pages}>>",
        (
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
            f"/Resources<</Font<</F1 5 0 R>>>>{page}>>"
        ),
        stream(b"BT /F1 12 Tf 72 770 Td (Jane Miller) Tj ET"),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        *objects,
    ]
    content, offsets = header, []
    for number, value in enumerate(everything, start=1):
        offsets.append(len(content))
        body = value.encode() if isinstance(value, str) else value
        content += f"{number} 0 obj".encode() + ends + body + ends + b"endobj" + ends
    at = len(content)
    table = "".join(f"{offset:010} 00000 n\r\n" for offset in offsets)
    head = f"xref\n0 {len(everything) + 1}\n0000000000 65535 f\r\n{table}"
    tail = f"trailer\n<</Size {len(everything) + 1}/Root 1 0 R{trailer}>>\nstartxref\n{at}\n%%EOF\n"
    return content + (head + tail).encode()


def updated_pdf(original: bytes, number: int, value: str) -> bytes:
    """A PDF to which a program appended a new version of one object (ISO 32000-2, 7.5.6)."""
    before = original.rindex(b"startxref")
    previous = int(original[before:].split()[1])
    addition = f"{number} 0 obj\n{value}\nendobj\n".encode()
    at = len(original) + len(addition)
    return (
        original
        + addition
        + (
            f"xref\n{number} 1\n{len(original):010} 00000 n\r\n"
            f"trailer\n<</Size 20/Root 1 0 R/Prev {previous}>>\nstartxref\n{at}\n%%EOF\n"
        ).encode()
    )


def saved_pdf(content: bytes, **options: Any) -> bytes:
    """A PDF as qpdf writes it."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(content)) as document:
        document.save(out, **options)
    return out.getvalue()


def locked_pdf(content: bytes, user: str, revision: int) -> bytes:
    """An encrypted PDF; the owner's password is always ``owner``."""
    more = {} if revision > 4 else {"aes": revision == 4, "metadata": revision == 4}
    locks = pikepdf.Encryption(user=user, owner="owner", R=revision, **more)  # type: ignore[arg-type]
    return saved_pdf(content, encryption=locks)


# ── Office files ────────────────────────────────────────────────────────────────────────


def make_zip(
    parts: Mapping[str, bytes] | Sequence[tuple[str, bytes]], *, compressed: bool = True
) -> bytes:
    out = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(out, "w", method, compresslevel=1) as archive:
        for name, content in parts.items() if isinstance(parts, Mapping) else parts:
            archive.writestr(name, content)
    return out.getvalue()


WORD_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def types(**by_part: str) -> bytes:
    """``[Content_Types].xml``; names of parts have ``__`` for ``/`` and ``_`` for ``.``."""
    overrides = "".join(
        f'<Override PartName="/{part_name(name)}" ContentType="{kind}"/>'
        for name, kind in by_part.items()
    )
    return (
        f'<?xml version="1.0"?><Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f"{overrides}</Types>"
    ).encode()


def part_name(name: str) -> str:
    return name.replace("__", "/").replace("_", ".")


def relationships(*given: tuple[str, str], external: bool = False) -> bytes:
    """A part of relationships: pairs of a type (its last word, or its address) and a target."""
    mode = ' TargetMode="External"' if external else ""
    rows = "".join(
        f'<Relationship Id="r{at}" Target="{target}"{mode} '
        f'Type="{kind if "://" in kind else f"{OFFICE}/{kind}"}"/>'
        for at, (kind, target) in enumerate(given)
    )
    text = f'<?xml version="1.0"?><Relationships xmlns="{PACKAGE}/relationships">{rows}'
    return f"{text}</Relationships>".encode()


def document(body: str = "<w:p><w:r><w:t>Jane Miller</w:t></w:r></w:p>") -> bytes:
    """The main part of a Word file."""
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w="{space}">'
        f"<w:body>{body}</w:body></w:document>"
    ).encode()


def docx_parts(
    main: str = "word/document.xml",
    kind: str = WORD_MAIN,
    body: bytes | None = None,
    content_types: Mapping[str, str] | None = None,
) -> dict[str, bytes]:
    """The parts of a Word file.

    Args:
        content_types: of further parts, by name as in ``types``.
    """
    named = main.replace("/", "__").replace(".", "_")
    return {
        "[Content_Types].xml": types(**{named: kind}, **(content_types or {})),
        "_rels/.rels": relationships(("officeDocument", main)),
        main: document() if body is None else body,
    }


def make_docx(**more: bytes) -> bytes:
    """A Word file; ``more`` are further parts, with ``__`` for ``/`` and ``_`` for ``.``."""
    return make_zip(docx_parts() | {part_name(name): data for name, data in more.items()})


ODF = "urn:oasis:names:tc:opendocument:xmlns"
ODF_SPACES = (
    f'xmlns:office="{ODF}:office:1.0" xmlns:text="{ODF}:text:1.0" xmlns:draw="{ODF}:drawing:1.0" '
    f'xmlns:script="{ODF}:script:1.0" xmlns:xlink="http://www.w3.org/1999/xlink"'
)


def odt_parts(
    body: str = "<text:p>Jane Miller</text:p>", head: str = "", entries: str = ""
) -> dict[str, bytes]:
    """The parts of an ODT; ``entries`` are further elements of its manifest."""
    content = (
        f"<office:document-content {ODF_SPACES}>{head}<office:body><office:text>{body}"
        "</office:text></office:body></office:document-content>"
    )
    manifest = (
        f'<manifest:manifest xmlns:manifest="{ODF}:manifest:1.0"><manifest:file-entry '
        f'manifest:full-path="/" manifest:media-type="{ODT}"/>{entries}</manifest:manifest>'
    )
    return {
        "mimetype": ODT.encode(),
        "content.xml": content.encode(),
        "META-INF/manifest.xml": manifest.encode(),
    }


def make_odt(**more: bytes) -> bytes:
    """An ODT; ``more`` as in ``make_docx``."""
    parts = odt_parts() | {part_name(name): data for name, data in more.items()}
    return make_zip(parts, compressed=False)


def make_zip_bomb() -> bytes:
    """A Word file of under 1 MB that would unpack to 210 MB."""
    parts = {f"word/media/{n}.bin": b"\0" * (70 * 1024 * 1024) for n in range(3)}
    return make_zip(docx_parts() | parts)


# ── Pictures and others ─────────────────────────────────────────────────────────────────


def make_picture(
    kind: str = "JPEG", mode: str = "RGB", size: tuple[int, int] = (64, 48), **options: Any
) -> bytes:
    """A picture with a gradient, as Pillow writes it."""
    image = Image.radial_gradient("L").resize(size).convert("RGB").convert(mode)
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


OLD_WORD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504
PROGRAM = b"MZ\x90\x00\x03" + b"\0" * 200
JPEG = make_picture()
PNG = make_picture("PNG")
