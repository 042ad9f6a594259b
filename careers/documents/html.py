"""The document as HTML: words, order and limits. ``static/css/print.css`` has the layout."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils import formats, translation
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from careers.documents.document import AnswerText, ApplicationDocument, Fact, FileLine
from careers.documents.text import Excerpt, breakable, direction, excerpt
from home.colour import WORDS, contrast, readable, words_on
from home.values.size import size_in_words
from home.values.text import one_line
from home.values.zone import UTC, zone_named

TEMPLATE = "careers/documents/application.html"
PAPER = "#ffffff"
INK = "#1b1d21"
GREY = "#595f69"
#: The least contrast at which a coloured area is visible on the paper.
VISIBLE = 1.3

#: Limits on the time that the layout takes, for any text. The manifest in the archive holds
#: every answer in full.
ANSWER_CHARACTERS = 20_000
ANSWER_PARAGRAPHS = 400
DOCUMENT_CHARACTERS = 100_000
DOCUMENT_PARAGRAPHS = 3_000
FACT_CHARACTERS = 300
LABEL_CHARACTERS = 1_000
#: A longer title gets a smaller font.
LONG_TITLE = 60


@dataclass(frozen=True)
class Line:
    """A text and its direction; an empty direction is that of the document."""

    text: str
    dir: str


@dataclass(frozen=True)
class ShownAnswer:
    label: Line
    help: Line
    paragraphs: tuple[Line, ...]
    is_list: bool
    note: str


def to_html(document: ApplicationDocument, *, logo_url: str = "") -> str:
    """The document as HTML, with every text escaped.

    Args:
        document: the content.
        logo_url: the address of the logo for the fetcher. Without it the company's name is shown.
    """
    with translation.override(document.language):
        return render_to_string(TEMPLATE, _context(document, logo_url))


def _context(document: ApplicationDocument, logo_url: str) -> dict[str, Any]:
    received = document.received_at.astimezone(zone_named(document.time_zone) or UTC)
    return {
        "language": document.language,
        "direction": "rtl" if translation.get_language_bidi() else "ltr",
        "colours": _colours(document.branding.colour),
        "logo_url": logo_url,
        "company": _line(document.branding.company),
        "reference": one_line(document.reference, FACT_CHARACTERS),
        "job_title": _line(document.job_title),
        "has_long_title": len(document.job_title) > LONG_TITLE,
        "name": _line(document.name),
        "received": _received(received),
        "received_iso": document.received_at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "applicant": [_fact(fact) for fact in document.applicant],
        "job": [_fact(fact) for fact in document.job],
        "answers": _answers(document.answers),
        "files": [_file(file) for file in document.files],
        "contact": _line(document.contact),
        "is_test": document.is_test,
        "digest": " ".join(document.digest[start : start + 4] for start in range(0, 16, 4)),
        "page_of_pages": _page_of_pages(),
    }


def _colours(accent: str) -> dict[str, str]:
    """The accent colour, and readable colours for text on it and beside it."""
    try:
        edge = accent if contrast(accent, PAPER) >= VISIBLE else GREY
        words = readable(accent, PAPER, WORDS)
        return {
            "band": accent,
            "band_words": words_on(accent),
            "band_edge": edge,
            "words": words,
        }
    except ValueError:
        # A wrong colour must not stop the PDF.
        return {"band": INK, "band_words": PAPER, "band_edge": INK, "words": INK}


def _line(text: str, limit: int = FACT_CHARACTERS) -> Line:
    return _paragraph(one_line(text, limit))


def _paragraph(text: str) -> Line:
    return Line(breakable(text), direction(text))


def _fact(fact: Fact) -> tuple[Line, Line]:
    label, value = fact
    return _line(label), _line(value)


def _file(file: FileLine) -> dict[str, Any]:
    return {
        "name": _line(file.name),
        "kind": _line(file.kind),
        "size": size_in_words(file.size),
        "sha256": one_line(file.sha256, 64),
    }


def _answers(answers: tuple[AnswerText, ...]) -> list[ShownAnswer]:
    characters, paragraphs = DOCUMENT_CHARACTERS, DOCUMENT_PARAGRAPHS
    shown = []
    for answer in answers:
        part = excerpt(
            answer.paragraphs,
            limit=min(ANSWER_CHARACTERS, characters),
            most=min(ANSWER_PARAGRAPHS, paragraphs),
        )
        characters -= part.weight
        paragraphs -= len(part.paragraphs)
        shown.append(
            ShownAnswer(
                label=_line(answer.label, LABEL_CHARACTERS),
                help=_line(answer.help, LABEL_CHARACTERS),
                paragraphs=tuple(map(_paragraph, part.paragraphs)),
                is_list=answer.is_list,
                note=_note(part),
            )
        )
    return shown


def _note(part: Excerpt) -> str:
    if not part.is_cut:
        return ""
    return _(
        "The first %(shown)s of %(total)s characters. The whole answer is in the manifest "
        "that is archived with this application."
    ) % {
        "shown": formats.number_format(part.shown, force_grouping=True),
        "total": formats.number_format(part.total, force_grouping=True),
    }


def _received(moment: dt.datetime) -> str:
    zone = str(moment.tzinfo)
    if zone != "UTC":
        # A line may break after a hyphen, but not after a minus sign.
        offset = f"{moment:%z}".replace("-", "\N{MINUS SIGN}")
        zone += f", UTC{offset[:3]}:{offset[3:]}"
    return _("%(date)s, %(time)s (%(zone)s)") % {
        "date": formats.date_format(moment, "DATE_FORMAT"),
        "time": formats.date_format(moment, "TIME_FORMAT"),
        "zone": zone,
    }


def _page_of_pages() -> SafeString:
    """The words around the page numbers, which the layout fills in."""
    template = _("Page %(page)s of %(pages)s")
    return format_html(
        template.replace("%(page)s", "{page}").replace("%(pages)s", "{pages}"),
        page=SafeString('<span class="page-number"></span>'),
        pages=SafeString('<span class="page-count"></span>'),
    )
