"""Answers as people read them."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from careers.applications.answers import in_words, readable
from careers.applications.files import Upload
from careers.applications.frozen import Option, Question
from tests.support.applying import apply_for, ask, the_cv

OPTIONS = (Option("a", "Early"), Option("b", "Late"))


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("short_text", "Tides", ["Tides"]),
        ("short_text", "", []),
        ("long_text", "One\n\n  Two \r\nThree", ["One", "Two", "Three"]),
        ("long_text", None, []),
        ("single_choice", "a", ["Early"]),
        ("single_choice", "gone", ["gone"]),
        ("single_choice", "", []),
        ("multiple_choice", ["b", "a"], ["Late", "Early"]),
        ("multiple_choice", [], []),
        ("yes_no", True, ["Yes"]),
        ("yes_no", False, ["No"]),
        ("yes_no", None, []),
        ("consent", True, ["Agreed"]),
        ("consent", False, ["Not agreed"]),
        ("date", "2027-03-31", ["31 March 2027"]),
        ("date", "0001-01-01", ["1 January 0001"]),
        ("number", "12.5", ["12.5"]),
        ("number", "1234567", ["1,234,567"]),
        ("link", "https://example.org", ["https://example.org"]),
        ("file", None, []),
    ],
)
def test_in_words_of_each_type_returns_its_paragraphs(
    kind: str, value: Any, words: list[str]
) -> None:
    assert in_words(Question("q", kind, "?", options=OPTIONS), value) == words


def test_numbers_and_dates_follow_the_active_language() -> None:
    with translation.override("de"):
        assert in_words(Question("q", "number", "?"), "1234.5") == ["1.234,5"]
        assert in_words(Question("q", "date", "?"), "2027-03-31") == ["31. März 2027"]


@pytest.mark.django_db
def test_readable_returns_questions_in_order_with_files(job: Any) -> None:
    job.questions = [
        ask("note", "Nearly done", key="note"),
        ask("long_text", "Why?", key="why"),
        ask("file", "Certificates", key="papers"),
    ]
    job.save()
    papers = Upload("papers", "degree.pdf", "application/pdf", the_cv(), "0" * 64)
    application = apply_for(job, answers={"why": "Tides"}, uploads=(papers,))
    found = [
        (answer.label, answer.paragraphs, [file.filename for file in answer.files])
        for answer in readable(application)
    ]
    assert found == [
        ("Full name", ("Jane Miller",), []),
        ("E-mail address", ("jane@example.org",), []),
        ("Phone number", (), []),
        ("CV", (), []),
        ("Why?", ("Tides",), []),
        ("Certificates", (), ["degree.pdf"]),
    ]


@pytest.mark.django_db
def test_readable_takes_one_query(job: Any, django_assert_num_queries: Any) -> None:
    application = apply_for(job)
    with django_assert_num_queries(1):
        readable(application)
