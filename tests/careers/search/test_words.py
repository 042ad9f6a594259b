"""What a person types finds what they mean, by the pure functions and by the database."""

from __future__ import annotations

import unicodedata
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careers.search.folding import fold
from careers.search.terms import terms_of
from careers.search.words import LONGEST, MOST, words
from tests.support.growth import ALPHABETS, grows_too_fast, text_of
from tests.support.searching import CASES, EMPTY


def is_found(text: str, typed: str) -> bool:
    """Whether a query finds a text, by the functions alone."""
    terms = terms_of(text)
    found = words(typed)
    return bool(found) and all(word.within(terms) for word in found)


@pytest.mark.parametrize(("text", "finding", "missing"), CASES)
def test_query_finds_what_a_person_means(text: str, finding: list[str], missing: list[str]) -> None:
    for form in ("NFC", "NFD"):
        stored = unicodedata.normalize(form, text)
        assert [typed for typed in finding if not is_found(stored, typed)] == []
        assert [typed for typed in missing if is_found(stored, typed)] == []


@pytest.mark.parametrize("typed", EMPTY)
def test_query_without_words_has_none(typed: str) -> None:
    assert words(typed) == []


def test_query_is_bounded() -> None:
    assert len(words("ab " * 1000)) == MOST
    assert words("a" * 10_000) == words("a" * LONGEST)


@given(st.text(max_size=60))
def test_folded_text_is_folded_already(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=60))
def test_text_of_any_characters_has_terms_and_finds_itself(text: str) -> None:
    terms = terms_of(text)
    assert "\0" not in terms
    assert "  " not in terms
    assert all(word.within(terms) for word in words(text)[:3])


def test_cost_of_terms_grows_with_the_text() -> None:
    def indexed(alphabet: str, length: int) -> str:
        return terms_of(text_of(alphabet, length))

    slow = [one for one in ALPHABETS if grows_too_fast(partial(indexed, one), 1000)]
    assert slow == []


@pytest.mark.parametrize("unit", ["22 ", "222 ", "22-", "22.", "+47 22 ", "22 (0) ", "a&b ", "日 "])
def test_cost_of_terms_grows_with_a_list_of_numbers_or_words(unit: str) -> None:
    def indexed(length: int) -> str:
        return terms_of((unit * length)[: length - 1] + "!")

    assert not grows_too_fast(indexed, 2000)


@pytest.mark.parametrize(
    "typed", ["40,000", "12,34,567", "1 234 567 890 123", "98'765'432'109'876"]
)
def test_number_with_signs_between_its_groups_is_found(typed: str) -> None:
    number = "".join(sign for sign in typed if sign.isdigit())
    assert f" {number} " in terms_of(f"It was {typed} in all")
