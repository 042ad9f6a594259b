"""A document as the pipeline gathers it, to be changed field by field."""

from __future__ import annotations

import datetime as dt
from typing import Any

from careers.documents import AnswerText, ApplicationDocument, Branding, FileLine

PROSE = "The quick brown fox keeps the tide gauges of nine harbours and sleeps well at night. "


def document(**changes: Any) -> ApplicationDocument:
    """The document of one ordinary application."""
    given: dict[str, Any] = {
        "branding": Branding("Tidewater Instruments", "#0e5c46"),
        "language": "en",
        "reference": "7KD4-93MX",
        "job_title": "Gauge keeper",
        "name": "Jane Miller",
        "received_at": dt.datetime(2026, 11, 22, 15, 3, tzinfo=dt.UTC),
        "time_zone": "Europe/Oslo",
        "applicant": (("Full name", "Jane Miller"), ("E-mail", "jane@example.org")),
        "job": (("Place", "Bergen"), ("Pay", "€72,000–€88,000 a year")),
        "answers": (
            AnswerText("Why this job?", ("I like tides.", "And the sea."), "In a few words."),
            AnswerText("What do you know?", ("Gauges", "Boats"), is_list=True),
            AnswerText("Anything else?"),
        ),
        "files": (FileLine("cv.pdf", "CV", 48_211, "ab" * 32),),
        "contact": "Mira Beck · people@example.org",
    }
    return ApplicationDocument(**{**given, **changes})


def answering(*paragraphs: str, **changes: Any) -> ApplicationDocument:
    """The same with one answer."""
    return document(answers=(AnswerText("Why this job?", paragraphs),), **changes)
