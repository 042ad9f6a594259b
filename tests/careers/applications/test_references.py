"""References for people, and secrets for links."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careers.applications.references import (
    ALPHABET,
    new_reference,
    new_secret,
    normalise_reference,
)


def test_reference_has_two_groups_of_unambiguous_letters() -> None:
    drawn = {new_reference() for _ in range(300)}
    assert len(drawn) == 300
    assert all(re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", one) for one in drawn)
    assert not set("ILOU") & set(ALPHABET)


def test_secrets_are_long_and_unique() -> None:
    drawn = {new_secret() for _ in range(100)}
    assert len(drawn) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", one) for one in drawn)


@pytest.mark.parametrize(
    ("typed", "reference"),
    [
        ("7KD4-93MX", "7KD4-93MX"),
        ("7kd4-93mx", "7KD4-93MX"),
        (" 7kd4 93mx ", "7KD4-93MX"),
        ("7KD493MX", "7KD4-93MX"),
        ("oil0-1iLO", "0110-1110"),
        ("7KD4–93MX", "7KD4-93MX"),
        ("\u200b７ＫＤ４\u201193mx\u200f", "7KD4-93MX"),
        ("٧KD4-٩٣MX", "7KD4-93MX"),
        ("7KD4", "7KD4"),
        ("", ""),
        ("Jane Miller", "JANEM111ER"),
    ],
)
def test_normalise_reference_accepts_common_spellings(typed: str, reference: str) -> None:
    assert normalise_reference(typed) == reference


@given(st.text(alphabet=ALPHABET, min_size=8, max_size=8))
def test_normalise_reference_ignores_case_and_dash(letters: str) -> None:
    reference = f"{letters[:4]}-{letters[4:]}"
    aloud = reference.lower().replace("0", "o").replace("-", " ")
    assert normalise_reference(aloud) == reference
    assert normalise_reference(normalise_reference(aloud)) == reference


@given(st.text(max_size=40))
def test_normalise_reference_is_idempotent(typed: str) -> None:
    once = normalise_reference(typed)
    assert normalise_reference(once) == once
