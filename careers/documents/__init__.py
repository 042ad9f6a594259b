"""The one document that tells a whole application: plain data in, PDF bytes out.

The only importer of WeasyPrint, and only inside the functions that need it: importing it costs
a web worker memory and most of a second, and web workers never set type.
"""

from careers.documents.document import (
    AnswerText,
    ApplicationDocument,
    Branding,
    FileLine,
    document_for,
)
from careers.documents.fonts import SCRIPTS, missing_scripts
from careers.documents.pdf import render_pdf, short_of_room

__all__ = [
    "SCRIPTS",
    "AnswerText",
    "ApplicationDocument",
    "Branding",
    "FileLine",
    "document_for",
    "missing_scripts",
    "render_pdf",
    "short_of_room",
]
