"""Files that applicants send: good ones, and each way in which one can be bad."""

from __future__ import annotations

import io
import zipfile

import pikepdf

from careers.inspection.verdicts import ODT


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


def make_zip(parts: dict[str, bytes], *, compressed: bool = True) -> bytes:
    out = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(out, "w", method, compresslevel=1) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def make_docx(**more: bytes) -> bytes:
    """A Word file; ``more`` are further parts, by their path with ``__`` for ``/``."""
    parts = {
        "[Content_Types].xml": b"<Types/>",
        "word/document.xml": b"<w:document/>",
        **{name.replace("__", "/"): content for name, content in more.items()},
    }
    return make_zip(parts)


def make_odt() -> bytes:
    return make_zip({"mimetype": ODT.encode(), "content.xml": b"<office/>"}, compressed=False)


def make_zip_bomb() -> bytes:
    """A Word file of under 1 MB that would unpack to 210 MB."""
    parts = {f"word/media/{n}.bin": b"\0" * (70 * 1024 * 1024) for n in range(3)}
    return make_zip({"[Content_Types].xml": b"", "word/document.xml": b"", **parts})


OLD_WORD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504
PROGRAM = b"MZ\x90\x00\x03" + b"\0" * 200
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\0" * 20
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
