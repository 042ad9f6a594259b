"""Phone numbers as people write and paste them."""

from __future__ import annotations

import phonenumbers
import pytest
from django.core.exceptions import ValidationError
from hypothesis import example, given
from hypothesis import strategies as st

from home.values.phone import check, clean, digits, uri
from tests.support.whole_way import text_of, whole_way

#: Typed, stored, and called.
NUMBERS = [
    ("+44 20 7946 0018", "+44 20 7946 0018", "+442079460018"),
    ("\u202a+44 20 7946 0018\u202c", "+44 20 7946 0018", "+442079460018"),
    ("\u200e+44\u00a020\u202f7946\u20090018\u200f", "+44 20 7946 0018", "+442079460018"),
    ("+44\u201120\u20137946\u20140018", "+44-20-7946-0018", "+442079460018"),
    ("+44\u221220\u20107946\ufe630018", "+44-20-7946-0018", "+442079460018"),
    ("\u200b020\u200b7946\ufeff0018", "02079460018", "02079460018"),
    ("020\u00ad7946\u00ad0018", "02079460018", "02079460018"),
    ("+44 (0)20 7946 0018", "+44 (0)20 7946 0018", "+442079460018"),
    ("+44 20 7946 0018 ext. 12", "+44 20 7946 0018 ext. 12", "+442079460018;ext=12"),
    ("+44 20 7946 0018 x12", "+44 20 7946 0018 x12", "+442079460018;ext=12"),
    ("+1 (555) 010-9999 extension 12", "+1 (555) 010-9999 extension 12", "+15550109999;ext=12"),
    ("020 7946 0018 #12", "020 7946 0018 #12", "02079460018;ext=12"),
    ("01 23 45 67 89 poste 12", "01 23 45 67 89 poste 12", "0123456789"),
    ("+7 495 123-45-67 доб. 12", "+7 495 123-45-67 доб. 12", "+74951234567;ext=12"),
    ("tel:+44-20-7946-0018;ext=12", "+44-20-7946-0018 ext. 12", "+442079460018;ext=12"),
    ("TEL: 020 7946 0018", "020 7946 0018", "02079460018"),
    ("Tel. 020 7946 0018 (work)", "Tel. 020 7946 0018 (work)", "02079460018"),
    ("☎\ufe0f 020 7946 0018", "☎ 020 7946 0018", "02079460018"),
    ("٠٢٠٧٩٤٦٠٠١٨", "02079460018", "02079460018"),
    ("\u202b+٤٤ ٢٠ ٧٩٤٦ ٠٠١٨\u202c", "+44 20 7946 0018", "+442079460018"),
    ("۰۲۱ ۱۲۳۴۵۶۷۸", "021 12345678", "02112345678"),
    ("०११ २३४५ ६७८९", "011 2345 6789", "01123456789"),
    ("＋８１（３）１２３４ー５６７８", "+81(3)1234-5678", "+81312345678"),
    ("０３－１２３４－５６７８", "03-1234-5678", "0312345678"),
    ("𝟎𝟐𝟎 𝟕𝟗𝟒𝟔 𝟎𝟎𝟏𝟖", "020 7946 0018", "02079460018"),
    ("0\ufe0f\u20e32\ufe0f\u20e30\ufe0f\u20e3 7946 0018", "020 7946 0018", "02079460018"),
    ("➕44 20 7946 0018", "+44 20 7946 0018", "+442079460018"),
    ("0049.30.1234", "0049.30.1234", "0049301234"),
    ("01·23·45·67·89", "01.23.45.67.89", "0123456789"),
    ("030/1234567", "030/1234567", "0301234567"),
    ("(0)55 / 12-34", "(0)55 / 12-34", "0551234"),
    ("0123 456 789 / 0123 456 780", "0123 456 789 / 0123 456 780", "0123456789"),
    ("555 1234 / 555 5678", "555 1234 / 555 5678", "5551234"),
    ("0551 / 1234567", "0551 / 1234567", "05511234567"),
    ("1-800-FLOWERS", "1-800-FLOWERS", ""),
    ("112", "112", "112"),
    ("12", "12", ""),
    ("*31# 020 7946 0018", "*31# 020 7946 0018", "02079460018"),
    ("020 7946 0018, 12", "020 7946 0018, 12", "02079460018;ext=12"),
    ("12\n34 56", "12 34 56", "123456"),
    (
        "+44 20 7946 0018, or after 5 pm +44 7700 900123",
        "+44 20 7946 0018, or after 5 pm +44 7700 900123",
        "+442079460018",
    ),
    (
        "Mobile: 0123 456 7890; office: 555 123, ext. 12",
        "Mobile: 0123 456 7890; office: 555 123, ext. 12",
        "01234567890",
    ),
]
REFUSED = [
    "none",
    "+",
    "ada1@example.org",
    "12 Analytical Street, London",
    "ask 1 friend",
    "1",
    "0",
]


@pytest.mark.parametrize(("typed", "stored", "called"), NUMBERS)
def test_number_is_stored_as_written_and_can_be_called(
    typed: str, stored: str, called: str
) -> None:
    assert clean(typed) == stored
    check(stored)
    assert uri(stored) == (f"tel:{called}" if called else "")
    assert digits(typed) == digits(stored)


@pytest.mark.parametrize("typed", REFUSED)
def test_what_is_no_number_is_refused_by_its_own_words(typed: str) -> None:
    with pytest.raises(ValidationError, match=typed[:3].replace("+", r"\+")):
        check(clean(typed))


#: What numbers are written with, and what address books add.
WRITTEN = st.text(
    st.sampled_from("0123456789٣３०+-–\u2011 ()./,;#*~xXet\u202a\u200e\ufe0f\u00a0ABс"), max_size=30
)


@given(WRITTEN, st.sampled_from(["US", "GB", "FR", "JP", "EG", "IN"]))
@example("+44 20 7946 0018 ext. 12", "GB")
@example("0800 REPRODUCE", "GB")
def test_check_is_never_stricter_than_the_library(typed: str, region: str) -> None:
    try:
        phonenumbers.parse(typed, region)
    except phonenumbers.NumberParseException:
        return
    check(clean(typed))


@given(st.one_of(WRITTEN, st.text()))
def test_clean_number_is_clean_already(typed: str) -> None:
    number = clean(typed)
    assert clean(number) == number
    assert uri(number).isascii()


def test_each_number_is_the_same_in_archive_and_document() -> None:
    wrong = {}
    for typed, stored, called in NUMBERS:
        way = whole_way({"phone": typed})
        found = [
            (way.application.phone, stored),
            (way.application.phone_uri, f"tel:{called}" if called else ""),
            (way.shown("fr")["phone"], stored),
            (way.archived["applicant"]["phone"], stored),
            (way.archived["answers"]["phone"], stored),
            (stored in way.printed, True),
        ]
        if differing := [pair for pair in found if pair[0] != pair[1]]:
            wrong[typed] = differing
    assert wrong == {}
    # The mails name no number.
    assert stored not in text_of(way.to_hr) + text_of(way.to_applicant)
