"""Numbers as people of any language write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from careers.applications.frozen import Question
from home.values import number
from tests.support.whole_way import whole_way

#: What is typed, and every number that it can mean.
NUMBERS = [
    ("40", ["40"]),
    ("0040", ["40"]),
    ("-3", ["-3"]),
    ("−3", ["-3"]),
    ("–3", ["-3"]),
    ("+3", ["3"]),
    ("-0", ["0"]),
    ("3.5", ["3.5"]),
    ("3,5", ["3.5"]),
    ("12,50", ["12.5"]),
    (".5", ["0.5"]),
    (",5", ["0.5"]),
    ("0.500", ["0.5"]),
    ("1.0000", ["1"]),
    ("00.500", ["0.5"]),
    ("0,0045", ["0.0045"]),
    ("1234.567", ["1234.567"]),
    ("40.", ["40"]),
    ("40,-", ["40"]),
    ("40.–", ["40"]),
    # One point or comma before exactly three digits.
    ("45.000", ["45000", "45"]),
    ("45,000", ["45000", "45"]),
    ("1,234", ["1234", "1.234"]),
    ("-45.000", ["-45000", "-45"]),
    ("５０，０００", ["50000", "50"]),
    ("045.000", ["45000", "45"]),
    ("045,000.50", ["45000.5"]),
    # A comma before exactly four digits: ten thousands in East Asia.
    ("1,0000", ["10000", "1"]),
    ("350，0000", ["3500000", "350"]),
    ("1,0000,0000", ["100000000"]),
    # Separators that only part groups.
    ("45 000", ["45000"]),
    ("45\u00a0000", ["45000"]),
    ("45\u202f000", ["45000"]),
    ("45\u2009000", ["45000"]),
    ("45'000", ["45000"]),
    ("45’000", ["45000"]),
    ("1.234.567", ["1234567"]),
    ("1,234,567", ["1234567"]),
    ("12,34,567", ["1234567"]),
    # Groups and decimals.
    ("1.234,5", ["1234.5"]),
    ("1,234.5", ["1234.5"]),
    ("1 234,5", ["1234.5"]),
    ("1 234,567", ["1234.567"]),
    ("1'234'567.50", ["1234567.5"]),
    ("12,34,567.89", ["1234567.89"]),
    # Other scripts, and what nobody sees.
    ("٤٥", ["45"]),
    ("٤٥٬٠٠٠", ["45000"]),
    ("٤٥٫٥", ["45.5"]),
    ("१२,३४,५६७", ["1234567"]),
    ("𝟜𝟝", ["45"]),
    ("\u200e45\u200b 000\ufeff", ["45000"]),
    ("  45\t000 ", ["45000"]),
]
#: How pages in English and French show a number, if not as it is stored.
SHOWN = {
    "3.5": ("3.5", "3,5"),
    "12.5": ("12.5", "12,5"),
    "0.5": ("0.5", "0,5"),
    "0.0045": ("0.0045", "0,0045"),
    "1234.567": ("1,234.567", "1\u202f234,567"),
    "45000": ("45,000", "45\u202f000"),
    "1234": ("1,234", "1\u202f234"),
    "1.234": ("1.234", "1,234"),
    "-45000": ("-45,000", "-45\u202f000"),
    "50000": ("50,000", "50\u202f000"),
    "45000.5": ("45,000.5", "45\u202f000,5"),
    "10000": ("10,000", "10\u202f000"),
    "3500000": ("3,500,000", "3\u202f500\u202f000"),
    "100000000": ("100,000,000", "100\u202f000\u202f000"),
    "1234567": ("1,234,567", "1\u202f234\u202f567"),
    "1234.5": ("1,234.5", "1\u202f234,5"),
    "1234567.5": ("1,234,567.5", "1\u202f234\u202f567,5"),
    "1234567.89": ("1,234,567.89", "1\u202f234\u202f567,89"),
    "45.5": ("45.5", "45,5"),
}
NO_NUMBERS = [
    *("", " ", "\u200b", "-", ",", "many", "nan", "NaN", "inf", "-Infinity", "½", "四十"),
    *(
        "1e3",
        "1E3",
        "1_000",
        "0x10",
        "1/2",
        "1..5",
        "1.2.3",
        "12 34",
        "4 5000",
        "45 00",
        "1234 567",
    ),
    *("1,234 567", "1.234,567.8", "40-50", "40–50", "40-", "(40)x4", "1 2", "0,500,000", "4\x000"),
    "1" * (number.LONGEST + 1),
]


@pytest.mark.parametrize(("typed", "meant"), NUMBERS)
def test_read_returns_every_number_that_a_text_can_mean(typed: str, meant: list[str]) -> None:
    written = number.read(typed)
    assert written is not None
    assert ([number.exact(found) for found in written.numbers], written.marks) == (meant, ())


@pytest.mark.parametrize("typed", NO_NUMBERS)
def test_read_of_no_number_returns_none(typed: str) -> None:
    assert number.read(typed) is None


@pytest.mark.parametrize(
    ("typed", "meant", "marks"),
    [
        ("€40,000.50", "40000.5", ("€",)),
        ("40 000 €", "40000", ("€",)),
        ("-€40", "-40", ("€",)),
        ("€ -40", "-40", ("€",)),
        ("US$40", "40", ("US$",)),
        ("EUR 40 €", "40", ("EUR", "€")),
        ("Fr. 40.–", "40", ("Fr.",)),
        ("CHF 45'000.-", "45000", ("CHF",)),
        ("45 000,- kr.", "45000", ("kr.",)),
        ("€45k", "45", ("€", "k")),
        ("40,- kr", "40", ("kr",)),
        ("6 years", "6", ("years",)),
        ("40%", "40", ("%",)),
        ("40k", "40", ("k",)),
        ("10²", "10", ("²",)),
    ],
)
def test_read_returns_what_is_written_beside_a_number(
    typed: str, meant: str, marks: tuple[str, ...]
) -> None:
    written = number.read(typed)
    assert written is not None
    assert ([number.exact(found) for found in written.numbers], written.marks) == ([meant], marks)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "-1,234,567.125"),
        ("fr", "-1\u202f234\u202f567,125"),
        ("de", "-1.234.567,125"),
        ("hi", "-12,34,567.125"),
        ("pt-br", "-1.234.567,125"),
        ("zh-hans", "-1,234,567.125"),
        ("io", "-1,234,567.125"),
    ],
)
def test_shown_follows_the_active_language(language: str, words: str) -> None:
    with translation.override(language):
        assert number.shown(Decimal("-1234567.1250")) == words


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=4, min_value=-(10**10), max_value=10**10
    ),
    st.sampled_from(["en", "fr", "de", "de-ch", "sv", "hi", "ar", "pt-br", "ja", "lt"]),
)
def test_number_is_read_as_each_language_shows_it(value: Decimal, language: str) -> None:
    with translation.override(language):
        written = number.read(number.shown(value))
    assert written is not None
    assert value in written.numbers


@pytest.mark.parametrize(
    ("value", "text", "places"),
    [("12.50", "12.5", 1), ("1E+3", "1000", 0), ("-0.00", "0", 0), ("0.0010", "0.001", 3)],
)
def test_exact_has_no_needless_digits(value: str, text: str, places: int) -> None:
    assert (number.exact(Decimal(value)), number.places(Decimal(value))) == (text, places)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_each_number_is_the_same_on_pages_and_in_archive_and_document(language: str) -> None:
    rows = {f"{typed} as {meant}": (typed, meant) for typed, found in NUMBERS for meant in found}
    questions = [Question(key, "number", key) for key in rows]
    fields = {f"q-{key}": typed for key, (typed, _meant) in rows.items()}
    fields |= {f"meant-q-{key}": meant for key, (_typed, meant) in rows.items()}
    way = whole_way(fields, questions, language)
    stored = {key: meant for key, (_typed, meant) in rows.items()}
    assert {key: way.application.answers[key] for key in rows} == stored
    assert {key: way.archived["answers"][key] for key in rows} == stored
    for place, shown_in in enumerate(("en", "fr")):
        shown = way.shown(shown_in)
        expected = {key: SHOWN.get(meant, (meant, meant))[place] for key, meant in stored.items()}
        assert {key: shown[key] for key in rows} == expected
        if shown_in == language:
            assert [key for key, words in expected.items() if words not in way.printed] == []
