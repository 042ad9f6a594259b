"""The PDF of a whole application: plain data in, PDF bytes out.

Only this package imports WeasyPrint, and only inside the functions that need it. The import
costs memory and most of a second, and web workers never make a PDF.
"""

from careers.documents.document import (
    AnswerText,
    ApplicationDocument,
    Branding,
    FileLine,
    document_for,
)
from careers.documents.fonts import SCRIPTS, damaged_fonts, letters, missing_scripts
from careers.documents.pdf import render_pdf, short_of_room
from careers.documents.warmth import load, warm_up

__all__ = [
    "SCRIPTS",
    "AnswerText",
    "ApplicationDocument",
    "Branding",
    "FileLine",
    "damaged_fonts",
    "document_for",
    "letters",
    "load",
    "missing_scripts",
    "render_pdf",
    "short_of_room",
    "warm_up",
]
