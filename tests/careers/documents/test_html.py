import datetime as dt
import itertools
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careers.documents import AnswerText, Branding, FileLine
from careers.documents.html import (
    ANSWER_CHARACTERS,
    DOCUMENT_CHARACTERS,
    PAPER,
    _colours,
    to_html,
)
from careers.documents.text import BREAK, clean
from home.colour import contrast
from tests.support.paperwork import answering, document

HOSTILE = (
    '<img src="file:///etc/hostname">',
    "<script>alert(1)</script>",
    "</p></div><style>*{display:none}</style>",
    '"><link rel="attachment" href="file:///etc/passwd">',
    "{{ document }}{% debug %}{% load static %}",
    "&lt;b&gt; &amp; &#60;i&#62;",
    "<svg><use href='http://127.0.0.1/x'/></svg>",
    "<!--", "]]>", "%(page)s {page} {0}",
)  # fmt: skip


class Skeleton(HTMLParser):
    """The tags of a document with their attributes' names, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a text became a comment")


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_in_any_field_is_escaped(text: str) -> None:
    def skeleton(words: str) -> Skeleton:
        return Skeleton(
            to_html(
                document(
                    branding=Branding(words, "#123456"),
                    reference=words,
                    job_title=words,
                    name=words,
                    applicant=((words, words),),
                    job=((words, words),),
                    answers=(AnswerText(words, (words,), words),),
                    files=(FileLine(words, words, 1, words),),
                    contact=words,
                )
            )
        )

    hostile = skeleton(text)
    assert hostile.tags == skeleton("harmless").tags
    assert hostile.text.count(text) == skeleton("harmless").text.count("harmless")


@given(st.text(st.characters(exclude_categories=())))
def test_any_answer_adds_paragraphs_and_nothing_else(text: str) -> None:
    html = Skeleton(to_html(answering(text)))
    lines = [line.strip() for line in clean(text).split("\n") if line.strip()]
    plain = Skeleton(to_html(answering(*(["plain"] * len(lines)))))
    assert html.tags == plain.tags
    assert all(line in html.text.replace(BREAK, "") for line in lines)


def test_document_follows_the_language_of_the_application() -> None:
    html = to_html(document(language="de"))
    assert '<html lang="de" dir="ltr">' in html
    assert "22. November 2026, 16:03 (Europe/Oslo, UTC+01:00)" in html
    assert "48\xa0KB" in html


def test_right_to_left_language_changes_the_page_but_not_the_answers() -> None:
    html = to_html(answering("I write English.", "وأكتب العربية.", language="ar"))
    assert '<html lang="ar" dir="rtl">' in html
    assert '<p dir="ltr">I write English.</p>' in html
    assert '<p dir="rtl">وأكتب العربية.</p>' in html


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("UTC", "22 November 2026, 15:03 (UTC)"),
        ("America/St_Johns", "11:33 (America/St_Johns, UTC−03:30)"),
        ("Asia/Tokyo", "23 November 2026, 00:03 (Asia/Tokyo, UTC+09:00)"),
        ("Nowhere/At_All", "22 November 2026, 15:03 (UTC)"),
        ("../../etc/passwd", "22 November 2026, 15:03 (UTC)"),
    ],
)
def test_time_is_shown_in_the_time_zone_of_the_company(zone: str, words: str) -> None:
    assert words in to_html(document(time_zone=zone))


def test_metadata_time_is_utc() -> None:
    oslo = dt.timezone(dt.timedelta(hours=1))
    there = document(received_at=dt.datetime(2026, 11, 22, 16, 3, tzinfo=oslo))
    assert to_html(there) == to_html(document())
    assert '<meta name="dcterms.created" content="2026-11-22T15:03:00Z">' in to_html(there)


@pytest.mark.parametrize("accent", [f"#{r}{g}{b}" for r, g, b in itertools.product(
    ("00", "44", "88", "cc", "ff"), repeat=3)])  # fmt: skip
def test_text_contrasts_with_the_accent_colour_and_paper(accent: str) -> None:
    colours = _colours(accent)
    assert colours["band"] == accent
    assert contrast(colours["band"], colours["band_words"]) >= 4.5
    assert contrast(PAPER, colours["words"]) >= 4.5


@pytest.mark.parametrize("accent", ["", "red", "#12345", "#gggggg", "#123456;} body{display:none"])
def test_invalid_colour_falls_back_to_ink(accent: str) -> None:
    assert _colours(accent) == _colours("no colour")
    assert "display:none" not in to_html(document(branding=Branding("T", accent)))


def test_cut_answer_names_the_manifest() -> None:
    words = "wave " * 5_000
    html = to_html(answering(words))
    assert f"The first 20,000 of {len(words.strip()):,} characters." in html
    assert html.count("wave") == ANSWER_CHARACTERS // 5


def test_answers_beyond_the_document_limit_are_cut_with_a_note() -> None:
    answers = tuple(AnswerText(f"Q{n}", ("x " * 10_000,)) for n in range(7))
    html = to_html(document(answers=answers))
    assert html.count("x ") + html.count("x<") <= DOCUMENT_CHARACTERS // 2 + 10
    assert "The first 0 of 19,999 characters." in html
    assert "Not answered" not in html


def test_empty_answer_is_marked() -> None:
    assert to_html(answering()).count("Not answered") == 1
    assert to_html(answering("\u202e\x00 \n")).count("Not answered") == 1


def test_document_without_files_has_a_note() -> None:
    assert "No files came with this application." in to_html(document(files=()))


def test_test_application_is_marked() -> None:
    assert "This is a test, not a real application." in to_html(document(is_test=True))
    assert "This is a test, not a real application." not in to_html(document())
