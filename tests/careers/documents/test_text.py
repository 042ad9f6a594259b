import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careers.documents.text import (
    BREAK,
    LETTERS_IN_A_PICTURE,
    breakable,
    clean,
    direction,
    excerpt,
)

#: Every code point there is, lone surrogates too.
WILD = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("two\r\nlines\rthree\u2028four", "two\nlines\nthree\nfour"),
        ("a\tb \t c", "a b c"),
        ("evil\u202egpj.exe", "evilgpj.exe"),
        ("45\u202f000", "45\u202f000"),
    ],
)
def test_clean_of_stored_text_has_no_tabs_and_nothing_invisible(typed: str, kept: str) -> None:
    assert clean(typed) == kept


@given(WILD)
def test_clean_of_any_text_can_be_encoded_and_is_visible(typed: str) -> None:
    text = clean(typed)
    text.encode()
    hidden = {character for character in text if unicodedata.category(character) in ("Cc", "Cs")}
    assert hidden <= {"\n"}
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", text)


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"], max_codepoint=0x24F)))
def test_clean_does_not_change_ordinary_text(typed: str) -> None:
    assert clean(typed) == unicodedata.normalize("NFC", typed)


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("Hello", "ltr"),
        ("12 مرحبا", "rtl"),
        ("«שלום» and more", "rtl"),
        ("2026 — 12", ""),
        ("", ""),
    ],
)
def test_direction_follows_the_first_letter(text: str, runs: str) -> None:
    assert direction(text) == runs


@pytest.mark.parametrize("text", ["x" * 199, f"{'word ' * 500}", "漢" * 5_000, ""])
def test_breakable_does_not_change_ordinary_text(text: str) -> None:
    assert breakable(text) == text


@given(st.text(st.sampled_from("aش\u0301\u200d漢 -"), max_size=2_000))
def test_breakable_adds_only_break_opportunities(text: str) -> None:
    assert breakable(text).replace(BREAK, "") == text


def test_breakable_never_breaks_before_a_mark() -> None:
    assert BREAK in breakable("x" * 10_000)
    assert max(map(len, breakable("x" * 10_000).split(BREAK))) == 10
    assert f"{BREAK}\u0301" not in breakable("e\u0301" * 500 + "\u0301" * 3)


def test_excerpt_counts_all_characters() -> None:
    cut = excerpt(["abcd", "", "ef\ngh"], limit=5, most=9)
    assert (cut.paragraphs, cut.shown, cut.total, cut.is_cut) == (("abcd", "e"), 5, 8, True)


def test_excerpt_of_many_paragraphs_keeps_the_first() -> None:
    cut = excerpt(["a", "b", "c"], limit=100, most=2)
    assert (cut.paragraphs, cut.is_cut) == (("a", "b"), True)


def test_excerpt_weighs_pictures_more_than_letters() -> None:
    cut = excerpt(["ab 🎉🎉🎉", "c"], limit=3 + 2 * LETTERS_IN_A_PICTURE, most=9)
    assert (cut.paragraphs, cut.shown, cut.total) == (("ab 🎉🎉",), 5, 7)
    assert cut.weight == 3 + 2 * LETTERS_IN_A_PICTURE


@given(st.lists(WILD), st.integers(0, 500), st.integers(0, 20))
def test_excerpt_stays_within_its_limits(paragraphs: list[str], limit: int, most: int) -> None:
    part = excerpt(paragraphs, limit=limit, most=most)
    assert part.shown == sum(map(len, part.paragraphs)) <= min(part.weight, part.total)
    assert part.weight <= limit
    assert len(part.paragraphs) <= most
    assert all(text.strip() for text in part.paragraphs)
