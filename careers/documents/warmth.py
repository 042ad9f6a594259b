"""Do once what the first PDF of a process would wait for.

A worker forks the processes that make PDFs. What it loads before, they share. They can't share
fonts that Pango has loaded: Pango loads them in a thread, and threads do not survive a fork. So
each process makes a small PDF before it takes its first document.
"""

from __future__ import annotations

import datetime as dt

from careers.documents import fonts
from careers.documents.document import AnswerText, ApplicationDocument, Branding, FileLine
from careers.documents.pdf import render_pdf

#: Has each part of a real document.
SAMPLE = ApplicationDocument(
    branding=Branding("", "#0e5c46"),
    language="en",
    reference="0000-0000",
    job_title="Job",
    name="Name",
    received_at=dt.datetime(2000, 1, 1, tzinfo=dt.UTC),
    time_zone="UTC",
    applicant=(("Name", "Name"),),
    job=(("Location", "Location"),),
    answers=(AnswerText("Question", ("Answer",), "Help"), AnswerText("List", ("1",), is_list=True)),
    files=(FileLine("cv.pdf", "CV", 1, "0" * 64),),
    contact="Contact",
)


def load() -> None:
    """Load the library and decompress the fonts; processes that are forked afterwards share them.

    Raises:
        OSError: the libraries that make PDFs are missing.
    """
    import weasyprint  # noqa: F401 -- importing it is what takes time

    for file in fonts.files():
        if fonts.letters(file):
            fonts.uncompressed(file)


def warm_up() -> None:
    """Load fonts and stylesheet in this process, by making a PDF of one page.

    Raises:
        EffectError: as ``render_pdf``.
    """
    render_pdf(SAMPLE)
