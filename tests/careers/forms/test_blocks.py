"""What HR fills in for a question, and what the editor refuses."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from wagtail.blocks import StreamBlockValidationError
from wagtail.blocks.list_block import ListBlockValidationError

from careers.forms.blocks import OptionsBlock
from careers.forms.questions_field import QuestionsBlock
from careers.forms.types import choosable
from tests.support.applying import ask


def errors_of(*options: str) -> dict[int, str]:
    """The error at each option, by its place."""
    try:
        OptionsBlock().clean(list(options))
    except ListBlockValidationError as error:
        return {place: one.messages[0] for place, one in error.block_errors.items()}
    return {}


SAME_AS_1 = "This is the same as option 1. Change or remove one of them."


@pytest.mark.parametrize(
    "options",
    [
        ("Yes", "Yes"),
        ("Yes", "yes"),
        ("Yes", " Yes "),
        ("Yes", "Yes\u200b"),
        ("Yes", "\u202aYes\u202c"),
        ("Full time", "Full \u00a0 time"),
        ("Café", "Cafe\u0301"),
        ("Straße", "STRASSE"),
    ],
)
def test_option_that_reads_like_an_earlier_one_is_refused(options: tuple[str, str]) -> None:
    assert errors_of(*options) == {1: SAME_AS_1}


def test_each_repeated_option_names_the_first_one() -> None:
    assert errors_of("A", "B", "b", "a", "A") == {
        2: "This is the same as option 2. Change or remove one of them.",
        3: SAME_AS_1,
        4: SAME_AS_1,
    }


@pytest.mark.parametrize("options", [("A", "B"), ("C", "C++", "C#"), ("٢", "2"), ("क", "क्")])
def test_different_options_are_accepted(options: tuple[str, ...]) -> None:
    assert errors_of(*options) == {}


def test_empty_option_is_asked_for_and_not_compared() -> None:
    assert errors_of("", "") == {0: "This field is required.", 1: "This field is required."}
    assert errors_of("A", "A", "") == {1: SAME_AS_1, 2: "This field is required."}


def test_draft_may_have_empty_options_but_no_repeated_ones() -> None:
    block = OptionsBlock()
    assert list(block.clean_deferred(block.normalize(["", ""]))) == ["", ""]
    with pytest.raises(ValidationError):
        block.clean_deferred(block.normalize(["A", "A"]))


def test_new_question_has_as_many_options_as_it_needs() -> None:
    # Wagtail's editor counts them when it adds the question, and shows an error at once.
    block: Any = OptionsBlock()
    assert len(block.get_default()) == block.meta.min_num


# ── How many questions a form can have ──────────────────────────────────────────────────


def refusals(*questions: Any) -> list[str]:
    """The errors about the list of questions as a whole."""
    block = QuestionsBlock(choosable())
    try:
        block.clean(block.to_python(list(questions)))
    except StreamBlockValidationError as error:
        return [str(message) for one in error.non_block_errors.as_data() for message in one]
    return []


def choice(kind: str, number: int, options: int) -> dict[str, Any]:
    labels = {f"{number}-{place}": f"Option {place}" for place in range(options)}
    return ask(kind, f"Question {number}", key=f"key-{number}", options=labels)


def test_form_may_have_300_questions() -> None:
    assert refusals(*(choice("single_choice", number, 2) for number in range(300))) == []
    assert refusals(*(choice("single_choice", number, 2) for number in range(301))) == [
        "The maximum number of items is 300"
    ]


def test_each_option_of_a_multiple_choice_question_counts() -> None:
    assert refusals(*(choice("multiple_choice", number, 49) for number in range(20))) == []
    assert refusals(*(choice("multiple_choice", number, 50) for number in range(20))) == [
        (
            "Applicants could not send this form: it has up to 1000 answers, and 980 are possible. "
            "Each option of a multiple choice question is one answer. Remove questions or options."
        )
    ]


def test_form_may_not_ask_for_more_files_than_one_request_has() -> None:
    files = [ask("file", f"Paper {number}", key=f"key-{number}") for number in range(49)]
    assert refusals(*files[:48]) == []
    assert refusals(*files) == [
        (
            "Applicants could not send this form: it asks for 49 files, and 48 are possible. "
            "Remove questions for files."
        )
    ]
