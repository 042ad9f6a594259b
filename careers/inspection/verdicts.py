"""What can be said about an uploaded file, as plain data. ``words`` has the sentences."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODT = "application/vnd.oasis.opendocument.text"
JPEG, PNG = "image/jpeg", "image/png"
#: The accepted types, with the file name extensions by which browsers filter.
ACCEPTED = {PDF: ".pdf", DOCX: ".docx", ODT: ".odt", JPEG: ".jpg", PNG: ".png"}


class Verdict(StrEnum):
    """Why a file is refused, whatever the company's settings are."""

    UNKNOWN_TYPE = "unknown-type"
    OLD_OFFICE = "old-office"
    OTHER_OFFICE = "other-office"
    DAMAGED = "damaged"
    DAMAGED_PDF = "damaged-pdf"
    DAMAGED_PICTURE = "damaged-picture"
    LOCKED = "locked"
    LOCKED_PDF = "locked-pdf"
    NO_PAGES = "no-pages"
    TOO_MANY_PIXELS = "too-many-pixels"
    TOO_MANY_PAGES = "too-many-pages"
    TOO_COMPLEX = "too-complex"
    TWO_TYPES = "two-types"


class Active(StrEnum):
    """What a file can do on the reader's machine. A company refuses such files or marks them."""

    MACROS = "macros"
    SCRIPT = "script"
    LAUNCH = "launch"
    PROGRAM = "program"
    EXTERNAL = "external"
    OBJECT = "object"
    SUBMIT = "submit"
    MEDIA = "media"
    XFA = "xfa"


@dataclass(frozen=True)
class Judged:
    """A file that can be opened.

    Attributes:
        content_type: one of ``ACCEPTED``, decided by the bytes alone.
        active: what it can do on the reader's machine; empty for most files.
    """

    content_type: str
    active: frozenset[Active] = frozenset()


@dataclass(frozen=True)
class Pages:
    """Some pages of a file, to be read without opening the file.

    Attributes:
        total: how many pages the file has; 0 for an office file, which has only text.
        images: the pages as PNG, in order.
        text: the words of an office file; "" for other files.
    """

    total: int
    images: tuple[bytes, ...] = ()
    text: str = ""


class Refused(Exception):
    """The file can't be accepted or shown; ``verdict`` says why."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.value)
        self.verdict = verdict


class Busy(Exception):
    """Nothing is known about the file: too many files are checked at this moment.

    The same call may succeed a minute later.
    """
