"""How each type of question is exported, compared and sent by mail."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from careers.applications.frozen import Option, Question
from careers.applications.question_types import type_of

OPTIONS = (Option("a", "Early"), Option("b", "Late"))


def ask(kind: str) -> Question:
    return Question("it", kind, "What?", options=OPTIONS)


@pytest.mark.parametrize(
    ("kind", "value", "cell"),
    [
        ("long_text", "One\n\nTwo", "One\nTwo"),
        ("short_text", None, ""),
        ("single_choice", "a", "Early"),
        ("multiple_choice", ["b", "a"], "Late\nEarly"),
        ("yes_no", False, "No"),
        ("consent", True, "Agreed"),
        ("number", "12.5", Decimal("12.5")),
        ("number", "40000 €", "40000 €"),
        ("number", "12.5 (hours)", Decimal("12.5")),
        ("number", None, ""),
        ("date", "2027-03-31", dt.date(2027, 3, 31)),
        ("date", None, ""),
        ("file", None, ""),
    ],
)
def test_cell_holds_the_answer_as_a_plain_value(kind: str, value: Any, cell: Any) -> None:
    assert type_of(ask(kind)).cell(ask(kind), value) == cell


@pytest.mark.parametrize(
    ("kind", "one", "other", "same"),
    [
        ("long_text", "One\n Two", "One Two", True),
        ("long_text", "One", "one", False),
        ("email", "Jane@Example.org ", "jane@example.org", True),
        ("email", "jane@faß.de", "jane@XN--fa-hia.de", True),
        ("email", "jane@faß.de", "jane@fass.de", False),
        ("multiple_choice", ["a", "b"], ["b", "a"], True),
        ("multiple_choice", ["a", "b"], ["a"], False),
        ("yes_no", True, False, False),
        ("number", "40 (years)", "40 (ans)", True),
        ("number", "40 (EUR)", "40", True),
        ("number", "40 €", "40 $", False),
    ],
)
def test_normalise_ignores_differences_without_meaning(
    kind: str, one: Any, other: Any, same: bool
) -> None:
    normalise = type_of(ask(kind)).normalise
    assert (normalise(one) == normalise(other)) is same


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("short_text", "Typed by a stranger", ()),
        ("single_choice", "a", ("Early",)),
        ("single_choice", "Typed by a stranger", ()),
        ("multiple_choice", ["b", "Typed by a stranger"], ("Late",)),
        ("multiple_choice", None, ()),
        ("yes_no", True, ("Yes",)),
        ("yes_no", "Typed by a stranger", ()),
        ("number", "12", ()),
    ],
)
def test_fixed_words_never_contain_typed_text(
    kind: str, value: Any, words: tuple[str, ...]
) -> None:
    assert type_of(ask(kind)).fixed_words(ask(kind), value) == words


@pytest.mark.parametrize(
    ("settings", "heading"),
    [
        ((), "Salary"),
        ((("unit", "years"),), "Salary (years)"),
        ((("currency", "EUR"),), "Salary (EUR)"),
    ],
)
def test_heading_of_a_number_names_its_unit(
    settings: tuple[tuple[str, str], ...], heading: str
) -> None:
    question = Question("it", "number", "Salary", settings=settings)
    assert type_of(question).heading(question) == heading
