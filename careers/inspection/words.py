"""What applicants read about a refused file, and what HR reads about a marked one."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from careers.inspection.verdicts import Active, Verdict
from home.bidi import joined

TYPES = "PDF, DOCX, ODT, JPG, PNG"

_REFUSED = {
    Verdict.UNKNOWN_TYPE: gettext_lazy(
        "The file must be one of these: %(types)s. Save it as a PDF and choose it again."
    ),
    Verdict.OLD_OFFICE: gettext_lazy(
        "The file is password-protected or in the old Word format. "
        "Save it as a PDF without a password and choose it again."
    ),
    Verdict.OTHER_OFFICE: gettext_lazy(
        "The file is a spreadsheet, a presentation, a drawing or a template. "
        "Save it as a PDF and choose it again."
    ),
    Verdict.DAMAGED: gettext_lazy(
        "The file is damaged and can’t be opened. Save it again, best as a PDF."
    ),
    Verdict.DAMAGED_PDF: gettext_lazy(
        "The PDF is damaged and can’t be opened. Save it again and choose the new file."
    ),
    Verdict.DAMAGED_PICTURE: gettext_lazy(
        "The picture is damaged or incomplete. Open it, save it again as JPG or PNG and choose "
        "the new file."
    ),
    Verdict.LOCKED: gettext_lazy(
        "The file is password-protected. Save it without a password and choose it again."
    ),
    Verdict.LOCKED_PDF: gettext_lazy(
        "The PDF is password-protected. Save it without a password and choose it again."
    ),
    Verdict.NO_PAGES: gettext_lazy("The PDF has no pages. Save it again and choose the new file."),
    Verdict.TOO_MANY_PIXELS: gettext_lazy(
        "The picture has too many pixels. Save a smaller copy and choose it."
    ),
    Verdict.TOO_MANY_PAGES: gettext_lazy(
        "The PDF has too many pages. Choose one with fewer pages."
    ),
    Verdict.TOO_COMPLEX: gettext_lazy(
        "The file is too complex to be checked. Print it to a new PDF and choose that one."
    ),
    Verdict.TWO_TYPES: gettext_lazy(
        "The file holds a second file of another type, as harmful files do. "
        "Print it to a new PDF and choose that one."
    ),
}
_ACTIVE = {
    Active.MACROS: gettext_lazy(
        "The file holds macros. Save it as a PDF or without macros and choose it again."
    ),
    Active.SCRIPT: gettext_lazy(
        "The PDF holds a script (JavaScript). Print it to a new PDF and choose that one."
    ),
    Active.LAUNCH: gettext_lazy(
        "The file can start a program. Print it to a new PDF and choose that one."
    ),
    Active.PROGRAM: gettext_lazy(
        "The file holds a program. Remove the program, or print the file to a new PDF and choose "
        "that one."
    ),
    Active.EXTERNAL: gettext_lazy(
        "The file loads something from another computer, such as a template. "
        "Save it as a PDF and choose it again."
    ),
    Active.OBJECT: gettext_lazy(
        "The file holds an object of another program, such as a formula or a control. "
        "Save it as a PDF and choose it again."
    ),
    Active.SUBMIT: gettext_lazy(
        "The PDF holds a form that sends data to an address. Print it to a new PDF and choose "
        "that one."
    ),
    Active.MEDIA: gettext_lazy(
        "The PDF holds video, sound or 3D content. Print it to a new PDF and choose that one."
    ),
    Active.XFA: gettext_lazy(
        "The PDF holds an XFA form, which most programs can’t show. "
        "Print it to a new PDF and choose that one."
    ),
}
_MARKS = {
    Active.MACROS: gettext_lazy("macros"),
    Active.SCRIPT: gettext_lazy("a script"),
    Active.LAUNCH: gettext_lazy("a command that starts a program"),
    Active.PROGRAM: gettext_lazy("a program"),
    Active.EXTERNAL: gettext_lazy("content from another computer"),
    Active.OBJECT: gettext_lazy("objects of another program"),
    Active.SUBMIT: gettext_lazy("a form that sends data"),
    Active.MEDIA: gettext_lazy("video, sound or 3D content"),
    Active.XFA: gettext_lazy("an XFA form"),
}


def refusal(verdict: Verdict) -> str:
    """What is wrong with a file and how to correct it."""
    return str(_REFUSED[verdict]) % {"types": TYPES}


def active_refusal(active: Collection[Active]) -> str:
    """The same for a file with active content, where the company refuses it."""
    return str(next(words for kind, words in _ACTIVE.items() if kind in active))


def not_checked() -> str:
    """Nothing is known about a file yet."""
    return _(
        "The file could not be checked just now, but it is kept here. "
        "Wait a minute, then send the form again."
    )


def mark(codes: str) -> str:
    """What a marked file holds, for HR; "" for a file without marks.

    Args:
        codes: as stored: codes of ``Active``, separated by spaces. Unknown ones are shown as
            they are, because another release may have written them.
    """
    known = {str(kind): str(words) for kind, words in _MARKS.items()}
    return joined(known.get(code, code) for code in codes.split())
