"""Files by their first bytes, and files that are two things at once."""

from __future__ import annotations

import re

ZIP, OLD_OFFICE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
JPEG, PNG, PDF = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"%PDF-"
#: PDF readers look for the header in this many bytes (ISO 32000-1, Annex H, note 13).
PDF_HEADER_WITHIN = 1024

#: How programs begin: Windows, Linux, macOS, Java, scripts, shortcuts, installers, WebAssembly.
_PROGRAMS = (
    b"MZ",
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"#!",
    b"L\x00\x00\x00\x01\x14\x02\x00",
    b"\x00asm",
)
#: Names that Windows, macOS or a browser runs when they are opened.
_RUN_BY_NAME = re.compile(
    r"\.(exe|com|scr|pif|bat|cmd|ps1|psm1|vbs|vbe|js|jse|wsf|wsh|hta|msi|msp|dll|cpl|jar|lnk|url"
    r"|reg|inf|sh|command|app|dmg|pkg|iso|img|vhd|chm|application|settingcontent-ms|library-ms"
    r"|docm|dotm|xlsm|xltm|xlam|xll|pptm|potm|ppam|ppsm|sldm|slk|one|appx|msix|apk|py|scf)\s*$",
    re.IGNORECASE,
)
_HTML = re.compile(rb"<(!doctype\s+html|html|head|body|script|iframe|svg|hta:|\?php)", re.I)
#: Long enough that ten megabytes of a photo do not hold one by chance.
_RUNNING_HTML = re.compile(rb"<(script|iframe|object|embed|hta:application|\?php\s)", re.I)
#: The end of a ZIP: 22 bytes and a comment of up to 64 kB.
_ZIP_END, _ZIP_END_WITHIN = b"PK\x05\x06", 22 + 65535


def is_program(content: bytes, name: str = "") -> bool:
    """Whether a file inside another one is a program, by its first bytes or its name."""
    return content.startswith(_PROGRAMS) or bool(_RUN_BY_NAME.search(name[-300:]))


def holds_html(content: bytes) -> bool:
    """Whether bytes that belong to no part of a format would make a web page."""
    return bool(_HTML.search(content))


def holds_running_html(content: bytes) -> bool:
    """Whether bytes would run something in a browser."""
    return bool(_RUNNING_HTML.search(content))


def ends_as_zip(content: bytes, *, whole: bool = False) -> bool:
    """Whether a program that unpacks ZIP files would read this file as one.

    Args:
        whole: whether the comment of the ZIP must reach to the end. Otherwise a document that
            holds a ZIP file, such as another document, would look like one.
    """
    at = content.rfind(_ZIP_END, max(0, len(content) - _ZIP_END_WITHIN))
    if at < 0 or at + 22 > len(content):
        return False
    entries = int.from_bytes(content[at + 10 : at + 12], "little")
    size = int.from_bytes(content[at + 12 : at + 16], "little")
    if whole and at + 22 + int.from_bytes(content[at + 20 : at + 22], "little") != len(content):
        return False
    # The table of contents lies before it, so chance bytes do not count.
    return bool(entries) and content[max(0, at - size) : at].startswith(b"PK\x01\x02")


def has_other_beginning(content: bytes) -> bool:
    """Whether the bytes before a PDF's header make the file something else as well."""
    return content.startswith((*_PROGRAMS, ZIP, JPEG, PNG, OLD_OFFICE, b"GIF8", b"Rar!", b"RIFF"))
