"""Uploaded files: what they are, whether they are safe to open, how their pages look, their words.

Nothing here reads a file of a stranger in the process that calls it. ``pool`` hands the bytes to a
child process with limits on memory, time and access, and only plain data comes back.

Only this package imports pikepdf and pypdfium2, and Pillow for uploads. All of them run in the
child processes only.
"""

from careers.inspection.pool import judge, pages, rest, text_of, warm_up
from careers.inspection.slots import Slots
from careers.inspection.verdicts import (
    ACCEPTED,
    DOCX,
    JPEG,
    ODT,
    PDF,
    PNG,
    Active,
    Busy,
    Judged,
    Pages,
    Refused,
    Verdict,
)

__all__ = [
    "ACCEPTED",
    "DOCX",
    "JPEG",
    "ODT",
    "PDF",
    "PNG",
    "Active",
    "Busy",
    "Judged",
    "Pages",
    "Refused",
    "Slots",
    "Verdict",
    "judge",
    "pages",
    "rest",
    "text_of",
    "warm_up",
]
