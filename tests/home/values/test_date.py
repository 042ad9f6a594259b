"""Dates that people type as text."""

from __future__ import annotations

import datetime as dt

import pytest
from django import forms
from django.utils import formats, translation
from hypothesis import given, settings
from hypothesis import strategies as st

from careers.applications.frozen import Question
from home.values import date
from tests.support.whole_way import whole_way

MARCH_31, APRIL_3, DECEMBER_1 = "2027-03-31", "2027-04-03", "2027-12-01"


#: How pages show a day.
SHOWN = {
    MARCH_31: {"en": "31 March 2027", "fr": "31 mars 2027", "ja": "2027年3月31日"},
    APRIL_3: {"en": "3 April 2027", "fr": "3 avril 2027"},
    DECEMBER_1: {"en": "1 December 2027", "fr": "1 décembre 2027"},
}
#: The language of the page, what is typed, and the day as it is stored.
DATES = [
    # The year first, in every language.
    *(
        (language, typed, MARCH_31)
        for language in ("en", "fr", "ja")
        for typed in (
            "2027-03-31",
            "2027/3/31",
            "2027.03.31",
            "2027年3月31日",
            "２０２７-０３-３１",
        )
    ),
    # The day first, as the site writes dates in English and French.
    *(
        (language, typed, MARCH_31)
        for language in ("en", "fr", "de")
        for typed in ("31/3/2027", "31.03.2027", "31-3-2027", "31 3 2027", "٣١/٣/٢٠٢٧")
    ),
    ("en", "03/04/2027", APRIL_3),
    ("en", "\u200e3\u202f/ 4 / 2027\ufeff", APRIL_3),
    ("fr", "03/04/2027", APRIL_3),
    ("en", "31 March 2027", MARCH_31),
    ("en", "31st of March, 2027", MARCH_31),
    ("en", "March 31, 2027", MARCH_31),
    ("en", "1 Dec. 2027", DECEMBER_1),
    ("fr", "31 mars 2027", MARCH_31),
    ("fr", "1er déc. 2027", DECEMBER_1),
    ("en", "31 mars 2027", MARCH_31),
    ("fr", "31 March 2027", MARCH_31),
    ("de", "31. März 2027", MARCH_31),
    ("en", "Wednesday, 31 March 2027", MARCH_31),
    ("fr", "mercredi 1er de\u0301cembre 2027", DECEMBER_1),
]


@pytest.mark.parametrize(("language", "typed", "day"), DATES)
def test_date_is_read_in_the_order_of_the_page(language: str, typed: str, day: str) -> None:
    with translation.override(language):
        assert date.read(typed) == dt.date.fromisoformat(day)


@pytest.mark.parametrize(
    ("language", "typed"),
    [
        *(
            (language, typed)
            for language in ("en", "fr")
            for typed in (
                *("", "soon", "31/3", "31/3/27", "27-03-31", "20270331", "31_3_2027", "March 2027"),
                *("3/31/2027", "2027/31/03", "2027-02-30", "31/04/2027", "0000-01-01", "1/2/3"),
                *("2027-03-31T10:00", "31 3 2027 4", "31 Marzo 2027", "2027-03-031", "9" * 500),
            )
        ),
        # Where the year is written first, a date that ends with it could have either order.
        ("ja", "31/3/2027"),
        ("ja", "03/04/2027"),
    ],
)
def test_text_that_is_no_date_of_the_page_is_not_read(language: str, typed: str) -> None:
    with translation.override(language):
        assert date.read(typed) is None


def test_month_comes_first_where_the_site_writes_it_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "get_format", lambda _name: "F j, Y")
    assert date.read("3/31/2027") == dt.date(2027, 3, 31)
    assert date.read("31/3/2027") is None


@settings(max_examples=40)
@given(
    st.dates(min_value=dt.date(1000, 1, 1)),
    st.sampled_from(["en", "fr", "de", "sv", "pt-br", "ja", "ko", "ar", "pl"]),
)
def test_date_is_read_as_each_language_shows_it(day: dt.date, language: str) -> None:
    with translation.override(language):
        assert date.read(formats.date_format(day, "DATE_FORMAT")) == day


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("typed", ["03/04/2027", "3/4/2027", "2027-04-03"])
def test_dates_of_the_admin_are_read_in_the_same_order(language: str, typed: str) -> None:
    with translation.override(language):
        assert forms.DateField().clean(typed) == dt.date(2027, 4, 3)
        moment = forms.DateTimeField().clean(f"{typed} 17:00")
        assert (moment.day, moment.month, moment.hour) == (3, 4, 17)
        with pytest.raises(forms.ValidationError):
            forms.DateField().clean("3/31/2027")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_each_date_is_the_same_on_pages_and_in_archive_and_document(language: str) -> None:
    days = {typed: day for read_in, typed, day in DATES if read_in == language}
    questions = [Question(typed, "date", typed) for typed in days]
    way = whole_way({f"q-{typed}": typed for typed in days}, questions, language)
    assert {typed: way.application.answers[typed] for typed in days} == days
    assert {typed: way.archived["answers"][typed] for typed in days} == days
    for shown_in in ("en", "fr"):
        shown = way.shown(shown_in)
        expected = {typed: SHOWN[day][shown_in] for typed, day in days.items()}
        assert {typed: shown[typed] for typed in days} == expected
    assert [day for day in set(days.values()) if SHOWN[day][language] not in way.printed] == []
