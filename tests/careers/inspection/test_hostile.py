"""Files that would harm the site or the person who opens them: each is refused for its reason."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from careers.inspection import ACCEPTED, Active, Refused, Verdict, judge
from tests.support.papers import (
    JPEG,
    JS,
    ODT,
    OLD_WORD,
    PACKAGE,
    PNG,
    PROGRAM,
    WORD_MAIN,
    document,
    docx_parts,
    locked_pdf,
    make_cv,
    make_docx,
    make_odt,
    make_pdf,
    make_picture,
    make_zip,
    make_zip_bomb,
    odt_parts,
    relationships,
    repeated,
    saved_pdf,
    stream,
    types,
    updated_pdf,
)

CASES = Path(__file__).with_name("cases")

Rows = dict[str, tuple[Callable[[], bytes], Any]]

# ── PDF ─────────────────────────────────────────────────────────────────────────────────

LAUNCH = "<</S/Launch/F(cmd.exe)>>"


def annotated(annotation: str, *objects: str | bytes) -> bytes:
    return make_pdf("", f"/Annots[<</Type/Annot/Rect[0 0 9 9]{annotation}>>]", *objects)


def with_file(name: str, content: bytes, entries: str = "") -> bytes:
    return make_pdf(
        "/Names<</EmbeddedFiles<</Names[(a) 6 0 R]>>>>",
        "",
        f"<</Type/Filespec/F({name})/EF<</F 7 0 R>>>>",
        stream(content, "/Type/EmbeddedFile" + entries),
    )


def deep_tree(levels: int) -> bytes:
    nodes = [f"<</Type/Pages/Count 1/Kids[{7 + at} 0 R]>>" for at in range(levels)]
    nodes[-1] = "<</Type/Pages/Count 1/Kids[3 0 R]>>"
    return make_pdf("", "", *nodes, pages="/Kids[6 0 R]/Count 1")


def zip_with_comment() -> bytes:
    """A ZIP inside a PDF; its comment is the rest of the PDF."""
    inner = make_zip({"a.exe": PROGRAM})
    content = make_pdf("", "", stream(inner))
    rest = len(content) - content.index(inner) - len(inner)
    return content.replace(inner, inner[:-2] + struct.pack("<H", rest))


def bomb(megabytes: int = 1024) -> bytes:
    """A few bytes that unpack to a gigabyte, in two steps."""
    return zlib.compress(repeated(bytes(1 << 20), megabytes))


def bomb_as_table() -> bytes:
    """A table of objects (ISO 32000-2, 7.5.8) that unpacks to 200 megabytes."""
    table = stream(
        bomb(200),
        "/Type/XRef/W[1 2 1]/Size 9/Root 1 0 R/Filter[/FlateDecode/FlateDecode]",
    )
    head = b"%PDF-1.7\n"
    return head + b"9 0 obj" + table + b"endobj\nstartxref\n9\n%%EOF\n"


HOSTILE_PDF: Rows = {
    "script on opening": (lambda: make_pdf(f"/OpenAction{JS}"), Active.SCRIPT),
    "script on opening, by reference": (
        lambda: make_pdf("/OpenAction 6 0 R", "", JS),
        Active.SCRIPT,
    ),
    "script under an escaped name": (
        lambda: make_pdf("/OpenAction<</S/J#61vaScript/#4aS(1)>>"),
        Active.SCRIPT,
    ),
    "script as a stream": (
        lambda: make_pdf("/OpenAction<</S/JavaScript/JS 6 0 R>>", "", stream(b"app.alert(1)")),
        Active.SCRIPT,
    ),
    "script on closing": (lambda: make_pdf(f"/AA<</WC{JS}>>"), Active.SCRIPT),
    "script of a page": (lambda: make_pdf("", f"/AA<</O{JS}>>"), Active.SCRIPT),
    "script by name": (
        lambda: make_pdf(f"/Names<</JavaScript<</Names[(a){JS}]>>>>"),
        Active.SCRIPT,
    ),
    "script by name, deeper": (
        lambda: make_pdf(
            "/Names<</JavaScript 6 0 R>>", "", "<</Kids[7 0 R]>>", f"<</Names[(a){JS}]>>"
        ),
        Active.SCRIPT,
    ),
    "script of a link": (lambda: annotated(f"/Subtype/Link/A{JS}"), Active.SCRIPT),
    "script under the pointer": (
        lambda: annotated(f"/Subtype/Widget/FT/Btn/T(a)/AA<</E{JS}>>"),
        Active.SCRIPT,
    ),
    "script of a field": (
        lambda: make_pdf(f"/AcroForm<</Fields[<</FT/Tx/T(a)/AA<</K{JS}>>>>]>>"),
        Active.SCRIPT,
    ),
    "script of a field below another": (
        lambda: make_pdf(
            "/AcroForm<</Fields[6 0 R]>>", "", "<</T(a)/Kids[7 0 R]>>", f"<</FT/Tx/T(b)/A{JS}>>"
        ),
        Active.SCRIPT,
    ),
    "script of a bookmark": (
        lambda: make_pdf("/Outlines 6 0 R", "", "<</First 7 0 R>>", f"<</Title(a)/A{JS}>>"),
        Active.SCRIPT,
    ),
    "script of the field that a widget belongs to": (
        lambda: annotated(f"/Subtype/Widget/Parent<</FT/Tx/T(a)/AA<</K{JS}>>>>"),
        Active.SCRIPT,
    ),
    "script as the address of a link": (
        lambda: annotated("/Subtype/Link/A<</S/URI/URI(JavaScript:alert(1))>>"),
        Active.SCRIPT,
    ),
    "script after a link": (
        lambda: annotated(f"/Subtype/Link/A<</S/URI/URI(a:b)/Next[{JS}]>>"),
        Active.SCRIPT,
    ),
    "script in a compressed object": (
        lambda: saved_pdf(
            make_pdf("/OpenAction 6 0 R", "", JS),
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
        ),
        Active.SCRIPT,
    ),
    "script behind an empty password": (
        lambda: locked_pdf(make_pdf(f"/OpenAction{JS}"), "", 6),
        Active.SCRIPT,
    ),
    "script added by an update": (
        lambda: updated_pdf(make_pdf(), 1, f"<</Type/Catalog/Pages 2 0 R/OpenAction{JS}>>"),
        Active.SCRIPT,
    ),
    "script in a repaired file": (
        lambda: make_pdf(f"/OpenAction{JS}").partition(b"xref")[0],
        Active.SCRIPT,
    ),
    "script of a film": (
        lambda: annotated("/Subtype/Screen/A<</S/Rendition/JS(1)>>"),
        {Active.SCRIPT, Active.MEDIA},
    ),
    "program started on opening": (lambda: make_pdf(f"/OpenAction{LAUNCH}"), Active.LAUNCH),
    "program started by a link": (
        lambda: annotated("/Subtype/Link/A<</S/Launch/Win<</F(cmd.exe)/P(/c calc)>>>>"),
        Active.LAUNCH,
    ),
    "program started by a bookmark": (
        lambda: make_pdf("/Outlines<</First 6 0 R>>", "", f"<</Title(a)/A{LAUNCH}>>"),
        Active.LAUNCH,
    ),
    "form that sends its data": (
        lambda: annotated("/Subtype/Widget/FT/Btn/T(a)/A<</S/SubmitForm/F(http://example.org)>>"),
        Active.SUBMIT,
    ),
    "form that reads data": (lambda: make_pdf("/OpenAction<</S/ImportData/F(a)>>"), Active.SUBMIT),
    "XFA": (
        lambda: make_pdf("/AcroForm<</Fields[]/XFA 6 0 R>>", "", stream(b"<xdp/>")),
        Active.XFA,
    ),
    "Flash": (lambda: annotated("/Subtype/RichMedia"), Active.MEDIA),
    "3D": (lambda: annotated("/Subtype/3D"), Active.MEDIA),
    "film": (lambda: annotated("/Subtype/Movie/Movie<</F(a.avi)>>"), Active.MEDIA),
    "link to a share of another computer": (
        lambda: make_pdf("/OpenAction<</S/GoToR/F(\\\\\\\\host\\\\a)/D[0/Fit]>>"),
        Active.EXTERNAL,
    ),
    "attached program by name": (lambda: with_file("cv.exe", b"anything"), Active.PROGRAM),
    "attached program by bytes": (lambda: with_file("photo.jpg", PROGRAM), Active.PROGRAM),
    "attached program, compressed": (
        lambda: with_file("a.txt", zlib.compress(PROGRAM), "/Filter/FlateDecode"),
        Active.PROGRAM,
    ),
    "attached program, compressed twice": (
        lambda: with_file(
            "a.txt",
            zlib.compress(zlib.compress(PROGRAM)).hex().encode() + b">",
            "/Filter[/ASCIIHexDecode/FlateDecode/FlateDecode]",
        ),
        Active.PROGRAM,
    ),
    "attached bomb": (
        lambda: with_file("a.txt", bomb(), "/Filter[/FlateDecode/FlateDecode]"),
        Verdict.TOO_COMPLEX,
    ),
    "table of objects as a bomb": (
        bomb_as_table,
        (Verdict.DAMAGED_PDF, Verdict.TOO_COMPLEX),
    ),
    "attached shell script": (lambda: with_file("a", b"#!/bin/sh\n"), Active.PROGRAM),
    "attached text with macros": (lambda: with_file("letter.docm", b"PK"), Active.PROGRAM),
    "attached shortcut": (lambda: with_file("letter.pdf.lnk", b"x"), Active.PROGRAM),
    "program as a note": (
        lambda: annotated("/Subtype/FileAttachment/FS<</F(a.scr)/EF<</F 6 0 R>>>>", stream(b"x")),
        Active.PROGRAM,
    ),
    "program of a page": (
        lambda: make_pdf("", "/AF[<</F(a.bat)/EF<</F 6 0 R>>>>]", stream(b"x")),
        Active.PROGRAM,
    ),
    "password, RC4": (lambda: locked_pdf(make_pdf(), "secret", 3), Verdict.LOCKED_PDF),
    "password, AES-128": (lambda: locked_pdf(make_pdf(), "secret", 4), Verdict.LOCKED_PDF),
    "password, AES-256": (lambda: make_cv(password="secret"), Verdict.LOCKED_PDF),
    "lock of an unknown program": (
        lambda: make_pdf(trailer="/Encrypt<</Filter/Acme/V 9>>/ID[<00><00>]"),
        (Verdict.LOCKED_PDF, Verdict.DAMAGED_PDF),
    ),
    "page tree that names its children again": (
        lambda: (CASES / "page-tree-bomb.pdf").read_bytes(),
        (Verdict.DAMAGED_PDF, Verdict.TOO_COMPLEX),
    ),
    "page tree that names itself": (
        lambda: make_pdf(pages="/Kids[2 0 R]/Count 1"),
        (Verdict.DAMAGED_PDF, Verdict.TOO_COMPLEX),
    ),
    "page tree of hundreds of levels": (
        lambda: deep_tree(300),
        (Verdict.DAMAGED_PDF, Verdict.TOO_COMPLEX),
    ),
    "ten thousand pages": (
        lambda: make_pdf(pages=f"/Kids[{'3 0 R ' * 10_000}]/Count 10000"),
        (Verdict.TOO_MANY_PAGES, Verdict.TOO_COMPLEX),
    ),
    "no pages": (
        lambda: make_pdf(pages="/Kids[]/Count 0"),
        (Verdict.NO_PAGES, Verdict.DAMAGED_PDF),
    ),
    "pages that are no pages": (
        lambda: make_pdf(pages="/Kids[7 0 R null 5]/Count 3"),
        (Verdict.NO_PAGES, Verdict.DAMAGED_PDF),
    ),
    "only a header": (lambda: b"%PDF-1.7\n", Verdict.DAMAGED_PDF),
    "noise": (lambda: b"%PDF-1.4" + b"\xff" * 4000, Verdict.DAMAGED_PDF),
    "cut off before the pages": (lambda: make_pdf()[:60], Verdict.DAMAGED_PDF),
    "nested a million deep": (
        lambda: make_pdf("/X" + "[" * 1_000_000),
        (Verdict.DAMAGED_PDF, Verdict.TOO_COMPLEX),
    ),
    "three hundred thousand values": (
        lambda: make_pdf(f"/X[{'[]' * 400_000}]"),
        Verdict.TOO_COMPLEX,
    ),
    "web page before the header": (
        lambda: b"<html><script>1</script>" + make_pdf(),
        Verdict.TWO_TYPES,
    ),
    "web page in a comment": (
        lambda: make_pdf(header=b"%PDF-1.7\n%<html><body onload=alert(1)>\n"),
        Verdict.TWO_TYPES,
    ),
    "web page behind the end": (lambda: make_pdf() + b"<script>1</script>", Verdict.TWO_TYPES),
    "PHP before the header": (lambda: b"<?php system(1);?>" + make_pdf(), Verdict.TWO_TYPES),
    "ZIP behind the end": (lambda: make_pdf() + make_zip({"a.exe": PROGRAM}), Verdict.TWO_TYPES),
    "ZIP whose comment is the end of the PDF": (zip_with_comment, Verdict.TWO_TYPES),
    "program before the header": (lambda: b"MZ" + bytes(200) + make_pdf(), Verdict.TWO_TYPES),
    "shell script before the header": (lambda: b"#!/bin/sh\n" + make_pdf(), Verdict.TWO_TYPES),
    "GIF before the header": (lambda: b"GIF89a" + make_pdf(), Verdict.TWO_TYPES),
    "header behind the first kilobyte": (lambda: b" " * 1100 + make_pdf(), Verdict.UNKNOWN_TYPE),
}

# ── Office files ────────────────────────────────────────────────────────────────────────

MACROS = "application/vnd.ms-office.vbaProject"
WITH_MACROS = "application/vnd.ms-word.document.macroEnabled.main+xml"
SETTINGS = "word/_rels/settings.xml.rels"


def docx(parts: dict[str, bytes] | None = None, **options: Any) -> bytes:
    return make_zip(docx_parts(**options) | (parts or {}))


def external(kind: str, target: str) -> bytes:
    return docx({SETTINGS: relationships((kind, target), external=True)})


def field(text: str) -> bytes:
    return docx(body=document(f'<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r>{text}</w:p>'))


def as_type(kind: str) -> bytes:
    return make_zip(docx_parts(kind=kind))


def hand_made_zip(content: bytes, old: bytes, new: bytes, which: int) -> bytes:
    """A ZIP with one of several copies of some bytes changed."""
    at = -1
    for _copy in range(which + 1):
        at = content.index(old, at + 1)
    return content[:at] + new + content[at + len(old) :]


def encrypted_zip() -> bytes:
    content = bytearray(make_docx())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(signature)
        while at >= 0:
            content[at + offset] |= 1
            at = content.find(signature, at + 1)
    return bytes(content)


def twice() -> bytes:
    with pytest.warns(UserWarning, match="Duplicate"):
        return make_zip([*docx_parts().items(), ("word/document.xml", document("<w:p/>"))])


def overlapping() -> bytes:
    """Two names for the same bytes, as in "a better zip bomb" (D. Fifield, 2019)."""
    parts = docx_parts() | {"word/aa.xml": b"x" * 1000, "word/bb.xml": b"x" * 1000}
    content = make_zip(parts)
    first = content.index(b"PK\x03\x04", content.index(b"word/aa.xml") - 40)
    entry = content.rindex(b"word/bb.xml") - 46
    return content[: entry + 42] + struct.pack("<I", first) + content[entry + 46 :]


def nested(levels: int, inner: bytes) -> bytes:
    for _level in range(levels):
        inner = docx({"word/embeddings/a.docx": inner})
    return inner


def with_method(method: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in docx_parts().items():
            archive.writestr(name, content)
    return out.getvalue()


ENTITIES = (
    b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(
        f'<!ENTITY {chr(97 + n)} "{("&" + chr(96 + n) + ";") * 10}">'.encode() for n in range(1, 9)
    )
    + b"]>"
)

HOSTILE_DOCX: Rows = {
    "macros under another name": (
        lambda: (CASES / "macro-under-another-name.docx").read_bytes(),
        Active.MACROS,
    ),
    "macros by content type alone": (
        lambda: docx({"word/v.bin": b"x"}, content_types={"word__v_bin": MACROS}),
        Active.MACROS,
    ),
    "macros by relationship alone": (
        lambda: docx(
            {
                "word/_rels/document.xml.rels": relationships(
                    ("http://schemas.microsoft.com/office/2006/relationships/vbaProject", "v.bin")
                ),
                "word/v.bin": b"x",
            }
        ),
        Active.MACROS,
    ),
    "macros by the type of the main part": (lambda: as_type(WITH_MACROS), Active.MACROS),
    "macros in an embedded table": (
        lambda: docx(
            {
                "word/embeddings/a.xlsx": make_zip(
                    docx_parts("xl/a.xml", "x")
                    | {"xl/v.bin": b"x", "[Content_Types].xml": types(xl__v_bin=MACROS)}
                )
            }
        ),
        Active.MACROS,
    ),
    "template from the web": (
        lambda: external("attachedTemplate", "https://example.org/a.dotm"),
        Active.EXTERNAL,
    ),
    "template from a share": (
        lambda: external("attachedTemplate", "file:///\\\\host\\a.dotm"),
        Active.EXTERNAL,
    ),
    "template from a share, other slashes": (
        lambda: external("attachedTemplate", "file:////host/a.dotm"),
        Active.EXTERNAL,
    ),
    "template from a share, escaped": (
        lambda: external("attachedTemplate", "%5c%5chost%5ca.dotm"),
        Active.EXTERNAL,
    ),
    "template over ftp": (lambda: external("attachedTemplate", "ftp://host/a"), Active.EXTERNAL),
    "template by mhtml": (
        lambda: external("attachedTemplate", "mhtml:http://host/a!x"),
        Active.EXTERNAL,
    ),
    "object from the web": (lambda: external("oleObject", "http://host/a!b"), Active.EXTERNAL),
    "frame from the web": (lambda: external("frame", "http://host/a"), Active.EXTERNAL),
    "part of the text from the web": (
        lambda: external("subDocument", "http://host/a"),
        Active.EXTERNAL,
    ),
    "picture from a share": (lambda: external("image", "\\\\host\\a.png"), Active.EXTERNAL),
    "OLE object": (
        lambda: docx({"word/_rels/document.xml.rels": relationships(("oleObject", "o.bin"))}),
        Active.OBJECT,
    ),
    "OLE object by its bytes": (lambda: docx({"word/media/a.png": OLD_WORD}), Active.OBJECT),
    "ActiveX control": (
        lambda: docx(
            {"word/a.xml": b"<a/>"},
            content_types={"word__a_xml": "application/vnd.ms-office.activeX+xml"},
        ),
        Active.OBJECT,
    ),
    "program as a picture": (lambda: docx({"word/media/a.png": PROGRAM}), Active.PROGRAM),
    "program by name": (lambda: docx({"word/embeddings/a.exe": b"x"}), Active.PROGRAM),
    "program two files deep": (
        lambda: nested(2, docx({"word/media/a.png": PROGRAM})),
        Active.PROGRAM,
    ),
    "field that runs a command": (
        lambda: field('<w:r><w:instrText>DDEAUTO c:\\cmd.exe "/c calc"</w:instrText></w:r>'),
        Active.LAUNCH,
    ),
    "field in pieces": (
        lambda: field(
            '<w:r><w:instrText xml:space="preserve"> D</w:instrText></w:r>'
            "<w:r><w:instrText>&#68;E </w:instrText></w:r><w:r><w:instrText>cmd</w:instrText></w:r>"
        ),
        Active.LAUNCH,
    ),
    "field in one element": (
        lambda: docx(body=document("<w:fldSimple w:instr='DDE cmd a b'/>")),
        Active.LAUNCH,
    ),
    "field that loads from a share": (
        lambda: field('<w:instrText>INCLUDEPICTURE "\\\\\\\\host\\\\a.png"</w:instrText>'),
        Active.EXTERNAL,
    ),
    "field in CDATA": (
        lambda: field("<w:r><w:instrText><![CDATA[DDEAUTO cmd]]></w:instrText></w:r>"),
        Active.LAUNCH,
    ),
    "field behind a comment": (
        lambda: field("<w:r><w:instrText><!-- -->DDEAUTO cmd</w:instrText></w:r>"),
        Active.LAUNCH,
    ),
    "field with another prefix": (
        lambda: field(
            '<w-x:r xmlns:w-x="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
            "<w-x:instrText>DDEAUTO cmd</w-x:instrText></w-x:r>"
        ),
        Active.LAUNCH,
    ),
    "field behind an attribute with a bracket": (
        lambda: docx(body=document("<w:fldSimple w:x='a>b' w:instr='DDE cmd a b'/>")),
        Active.LAUNCH,
    ),
    "field around a field": (
        lambda: field(
            "<w:instrText>D</w:instrText>"
            '<w:fldChar w:fldCharType="begin"/><w:instrText> QUOTE "" </w:instrText>'
            '<w:fldChar w:fldCharType="end"/><w:instrText>DEAUTO cmd</w:instrText>'
        ),
        Active.LAUNCH,
    ),
    "field of codes of characters": (
        lambda: field(
            '<w:fldChar w:fldCharType="begin"/><w:instrText>QUOTE 68 68 69</w:instrText>'
            '<w:fldChar w:fldCharType="end"/><w:instrText> cmd</w:instrText>'
        ),
        Active.LAUNCH,
    ),
    "field that loads an object from the web": (
        lambda: field('<w:instrText>LINK Word.Document.8 "http://host/a.rtf"</w:instrText>'),
        Active.EXTERNAL,
    ),
    "field that loads a text from a share": (
        lambda: field('<w:instrText>INCLUDETEXT "file://host/a.rtf"</w:instrText>'),
        Active.EXTERNAL,
    ),
    "text of another format": (
        lambda: docx(
            {
                "word/a.rtf": b"{\\rtf1 {\\object\\objautlink}}",
                "word/_rels/document.xml.rels": relationships(("aFChunk", "a.rtf")),
            },
            content_types={"word__a_rtf": "application/rtf"},
        ),
        Active.OBJECT,
    ),
    "template from a share, mixed slashes": (
        lambda: external("attachedTemplate", "/\\host\\a.dotm"),
        Active.EXTERNAL,
    ),
    "DOCX that is an ODT with macros": (
        lambda: docx(odt_parts() | {"Basic/Standard/Module1.xml": b"<a/>"}),
        Verdict.TWO_TYPES,
    ),
    "wrong checksum": (
        lambda: hand_made_zip(make_zip(docx_parts(), compressed=False), b"Jane", b"Jame", 0),
        Verdict.DAMAGED,
    ),
    "password of a ZIP": (encrypted_zip, Verdict.LOCKED),
    "part twice": (twice, Verdict.DAMAGED),
    "part twice, other capitals": (
        lambda: make_zip(docx_parts() | {"word/DOCUMENT.xml": b"<a/>"}),
        Verdict.DAMAGED,
    ),
    "parts that overlap": (overlapping, Verdict.DAMAGED),
    "name differs from the table of contents": (
        lambda: hand_made_zip(make_docx(), b"word/document.xml", b"word/document.exe", 0),
        Verdict.DAMAGED,
    ),
    "path out of the folder": (lambda: docx({"../../a": b"x"}), Verdict.DAMAGED),
    "absolute path": (lambda: docx({"/etc/a": b"x"}), Verdict.DAMAGED),
    "path of Windows": (lambda: docx({"C:\\a": b"x"}), Verdict.DAMAGED),
    "name with a zero": (
        lambda: make_docx(word__aaaa_xml=b"x").replace(b"word/aaaa.xml", b"word/aa\0a.xml"),
        Verdict.DAMAGED,
    ),
    "method that Word does not know": (lambda: with_method(zipfile.ZIP_LZMA), Verdict.DAMAGED),
    "two hundred megabytes of zeros": (make_zip_bomb, Verdict.TOO_COMPLEX),
    "part that unpacks a thousandfold": (
        lambda: docx({"word/media/a.bin": bytes(20_000_000)}),
        Verdict.TOO_COMPLEX,
    ),
    "thousands of parts": (
        lambda: docx({f"word/{n}.xml": b"" for n in range(2000)}),
        Verdict.TOO_COMPLEX,
    ),
    "files five deep": (lambda: nested(5, make_docx()), Verdict.TOO_COMPLEX),
    "bomb inside": (lambda: docx({"word/embeddings/a.docx": make_zip_bomb()}), Verdict.TOO_COMPLEX),
    "size that is a lie": (
        lambda: make_docx(word__a_bin=b"y" * 999).replace(
            struct.pack("<I", 999), struct.pack("<I", 5)
        ),
        Verdict.DAMAGED,
    ),
    "entities in the text": (lambda: docx(body=ENTITIES + b"<a>&h;</a>"), Verdict.DAMAGED),
    "entities in the types": (
        lambda: docx({"[Content_Types].xml": ENTITIES + b"<Types>&h;</Types>"}),
        Verdict.DAMAGED,
    ),
    "entity that names a file": (
        lambda: docx(body=b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'),
        Verdict.DAMAGED,
    ),
    "entities in a part beside the text": (lambda: docx({"word/a.xml": ENTITIES}), Verdict.DAMAGED),
    "main part is no XML": (lambda: docx(body=b"hello"), Verdict.DAMAGED),
    "main part is missing": (
        lambda: make_zip(docx_parts() | {"_rels/.rels": relationships(("officeDocument", "a"))}),
        Verdict.DAMAGED,
    ),
    "main part has no type": (
        lambda: make_zip(docx_parts("word/a.bin") | {"[Content_Types].xml": types()}),
        Verdict.DAMAGED,
    ),
    "elements without end": (
        lambda: docx(body=b"<a>" * 300_000),
        (Verdict.DAMAGED, Verdict.TOO_COMPLEX),
    ),
    "a million elements": (
        lambda: docx(body=b"<a>" + b"<b/>" * 1_000_000 + b"</a>"),
        Verdict.TOO_COMPLEX,
    ),
    "cut off": (lambda: make_docx()[:-30], Verdict.DAMAGED),
    "first bytes only": (lambda: b"PK\x03\x04", Verdict.DAMAGED),
    "PDF inside the beginning": (
        lambda: make_zip([("%PDF-1.7", b"x"), *docx_parts().items()]),
        Verdict.TWO_TYPES,
    ),
    "spreadsheet": (
        lambda: as_type(WORD_MAIN.replace("wordprocessingml.document", "spreadsheetml.sheet")),
        Verdict.OTHER_OFFICE,
    ),
    "template": (
        lambda: as_type(WORD_MAIN.replace("document.main", "template.main")),
        Verdict.OTHER_OFFICE,
    ),
    "old Word or a password of Word": (lambda: OLD_WORD, Verdict.OLD_OFFICE),
    "plain ZIP": (lambda: make_zip({"a.txt": b"x"}), Verdict.UNKNOWN_TYPE),
    "Java program": (
        lambda: make_zip(
            {"META-INF/MANIFEST.MF": b"Main-Class: a", "a.class": b"\xca\xfe\xba\xbe"}
        ),
        Verdict.UNKNOWN_TYPE,
    ),
}

EVENT = (
    "<office:event-listeners><{0}:event-listener {0}:language='ooo:script' "
    "xlink:href='vnd.sun.star.script:a.b?language=Basic'/></office:event-listeners>"
)


def odt(parts: dict[str, bytes] | None = None, *args: str, **options: str) -> bytes:
    return make_zip(odt_parts(*args, **options) | (parts or {}))


HOSTILE_ODT: Rows = {
    "picture from a share": (
        lambda: odt(None, '<draw:frame><draw:image xlink:href="file://host/a.png"/></draw:frame>'),
        Active.EXTERNAL,
    ),
    "link that runs a macro, after a space": (
        lambda: odt(None, '<text:a xlink:href=" vnd.sun.star.script:a">x</text:a>'),
        Active.MACROS,
    ),
    "password": (
        lambda: odt(
            entries="<manifest:file-entry manifest:full-path='content.xml' manifest:media-type=''>"
            "<manifest:encryption-data/></manifest:file-entry>"
        ),
        Verdict.LOCKED,
    ),
    "password of LibreOffice 24": (lambda: odt({"encrypted-package": b"x"}), Verdict.LOCKED),
    "Basic": (lambda: odt({"Basic/Standard/Module1.xml": b"<a/>"}), Active.MACROS),
    "Python": (lambda: odt({"Scripts/python/a.py": b"x"}), {Active.MACROS, Active.PROGRAM}),
    "event that calls a macro": (lambda: odt(None, "", EVENT.format("script")), Active.MACROS),
    "event under another prefix": (
        lambda: make_zip(
            {
                name: part.replace(b"xmlns:script=", b"xmlns:s=")
                for name, part in odt_parts("", EVENT.format("s")).items()
            }
        ),
        Active.MACROS,
    ),
    "link that calls a macro": (
        lambda: odt(None, "<text:a xlink:href='vnd.sun.star.script:a'>x</text:a>"),
        Active.MACROS,
    ),
    "OLE object": (lambda: odt({"Object 1": OLD_WORD}), Active.OBJECT),
    "program": (lambda: odt({"Pictures/a.png": PROGRAM}), Active.PROGRAM),
    "text from another computer": (
        lambda: odt(None, "<text:section-source xlink:href='http://host/a'/>"),
        Active.EXTERNAL,
    ),
    "object from another computer": (
        lambda: odt(None, "<draw:object xlink:href='//host/a'/>"),
        Active.EXTERNAL,
    ),
    "DDE": (
        lambda: odt(None, "<office:dde-source office:dde-application='soffice'/>"),
        Active.EXTERNAL,
    ),
    "entities": (lambda: odt({"content.xml": ENTITIES + b"<a>&h;</a>"}), Verdict.DAMAGED),
    "no text": (
        lambda: make_zip({k: v for k, v in odt_parts().items() if k != "content.xml"}),
        Verdict.DAMAGED,
    ),
    "spreadsheet": (
        lambda: odt({"mimetype": ODT.replace("text", "spreadsheet").encode()}),
        Verdict.OTHER_OFFICE,
    ),
    "cut off": (lambda: make_odt()[:-40], Verdict.DAMAGED),
}

# ── Pictures and others ─────────────────────────────────────────────────────────────────


def chunk(name: bytes, data: bytes) -> bytes:
    check = struct.pack("!I", zlib.crc32(name + data))
    return struct.pack("!I", len(data)) + name + data + check


def png(width: int, height: int, *chunks: bytes, depth: int = 1) -> bytes:
    head = chunk(b"IHDR", struct.pack("!IIBBBBB", width, height, depth, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IEND", b"")


def huge_jpeg() -> bytes:
    at = JPEG.index(b"\xff\xc0")
    return JPEG[: at + 5] + struct.pack("!HH", 65500, 65500) + JPEG[at + 9 :]


HOSTILE_PICTURE: Rows = {
    "three bytes of a JPEG": (lambda: b"\xff\xd8\xff", Verdict.DAMAGED_PICTURE),
    "two hundred bytes of a JPEG": (
        lambda: (CASES / "cut-off-photo.jpg").read_bytes(),
        Verdict.DAMAGED_PICTURE,
    ),
    "half a JPEG": (lambda: JPEG[: len(JPEG) * 2 // 3], Verdict.DAMAGED_PICTURE),
    "half a large JPEG": (
        lambda: (whole := make_picture(size=(2000, 1500), quality=95))[: len(whole) // 2],
        Verdict.DAMAGED_PICTURE,
    ),
    "four billion pixels in a JPEG": (huge_jpeg, Verdict.TOO_MANY_PIXELS),
    "half a PNG": (lambda: PNG[: len(PNG) // 2], Verdict.DAMAGED_PICTURE),
    "PNG without pixels": (lambda: png(8, 8), Verdict.DAMAGED_PICTURE),
    "PNG of no size": (lambda: png(0, 0), Verdict.DAMAGED_PICTURE),
    "PNG with a wrong checksum": (
        lambda: PNG.replace(b"IDAT", b"IDAT\0", 1),
        Verdict.DAMAGED_PICTURE,
    ),
    "PNG bomb": (
        lambda: png(50_000, 50_000, chunk(b"IDAT", zlib.compress(bytes(1_000_000)))),
        Verdict.TOO_MANY_PIXELS,
    ),
    "PNG with a text that unpacks to 100 MB": (
        lambda: png(8, 8, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(100_000_000)))),
        (Verdict.DAMAGED_PICTURE, Verdict.TOO_COMPLEX),
    ),
    "JPEG with a ZIP behind it": (
        lambda: JPEG + make_zip({"a.exe": PROGRAM}),
        Verdict.TWO_TYPES,
    ),
    "JPEG with PHP": (lambda: JPEG + b"<?php system(1);", Verdict.TWO_TYPES),
    "PNG with a script": (lambda: PNG + b"<SCRIPT>alert(1)</SCRIPT>", Verdict.TWO_TYPES),
    "JPEG with a PDF": (lambda: JPEG[:20] + make_pdf(), Verdict.TWO_TYPES),
    "GIF": (lambda: make_picture("GIF", "P"), Verdict.UNKNOWN_TYPE),
    "WebP": (lambda: make_picture("WEBP"), Verdict.UNKNOWN_TYPE),
    "SVG": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", Verdict.UNKNOWN_TYPE),
}
OTHERS: Rows = {
    "program": (lambda: PROGRAM, Verdict.UNKNOWN_TYPE),
    "RTF": (lambda: b"{\\rtf1}", Verdict.UNKNOWN_TYPE),
    "text": (lambda: b"Dear team,", Verdict.UNKNOWN_TYPE),
    "web page": (lambda: b"<html>", Verdict.UNKNOWN_TYPE),
    "PostScript": (lambda: b"%!PS-Adobe-3.0", Verdict.UNKNOWN_TYPE),
    "one byte": (lambda: b"\0", Verdict.UNKNOWN_TYPE),
    "ODF as one XML file": (
        lambda: f"<?xml?><a xmlns='{PACKAGE}'/>".encode(),
        Verdict.UNKNOWN_TYPE,
    ),
    "ten megabytes of zeros": (lambda: bytes(10_000_000), Verdict.UNKNOWN_TYPE),
}

ROWS = [
    pytest.param(make, expected, id=f"{short} {name}")
    for short, rows in (
        ("PDF", HOSTILE_PDF),
        ("DOCX", HOSTILE_DOCX),
        ("ODT", HOSTILE_ODT),
        ("picture", HOSTILE_PICTURE),
        ("other", OTHERS),
    )
    for name, (make, expected) in rows.items()
]


@pytest.mark.parametrize(("make", "expected"), ROWS)
def test_hostile_file_gets_its_verdict(make: Callable[[], bytes], expected: Any) -> None:
    content = make()
    if not isinstance(expected, (Active, set)):
        with pytest.raises(Refused) as caught:
            judge(content)
        assert caught.value.verdict in (expected if isinstance(expected, tuple) else {expected})
        return
    judged = judge(content)
    assert judged.content_type in ACCEPTED
    assert judged.active == (expected if isinstance(expected, set) else {expected})


def test_collection_has_eighty_hostile_files() -> None:
    assert len(ROWS) >= 80
