"""Currencies and amounts."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import translation

from home.values import money


@pytest.mark.parametrize(
    ("language", "amount", "currency", "words"),
    [
        ("en", "72000", "EUR", "€72,000"),
        ("en", "72000.00", "EUR", "€72,000"),
        ("en", "17.5", "EUR", "€17.50"),
        ("en", "17.505", "EUR", "€17.505"),
        ("en", "-5", "EUR", "-€5"),
        ("en", "1234.5", "KWD", "KWD\u00a01,234.500"),
        ("en", "1234", "KWD", "KWD\u00a01,234"),
        ("en", "72000", "JPY", "¥72,000"),
        ("en", "72000.5", "JPY", "¥72,000.5"),
        ("en", "500000", "NOK", "NOK\u00a0500,000"),
        ("en", "1200000", "INR", "₹1,200,000"),
        ("fr", "72000", "EUR", "72\u202f000\u00a0€"),
        ("fr", "17.5", "EUR", "17,50\u00a0€"),
        ("fr", "1234.5", "KWD", "1\u202f234,500\u00a0KWD"),
        ("fr", "72000", "JPY", "72\u202f000\u00a0JPY"),
        ("de", "1234.5", "TND", "1.234,500\u00a0TND"),
        ("de-ch", "1234567.5", "CHF", "CHF\u00a01’234’567.50"),
        ("ja", "500000", "JPY", "￥500,000"),
        ("hi", "1200000", "INR", "₹12,00,000"),
    ],
)
def test_amount_has_the_decimals_of_its_currency(
    language: str, amount: str, currency: str, words: str
) -> None:
    with translation.override(language):
        assert money.shown(Decimal(amount), currency) == words


@pytest.mark.parametrize(
    ("code", "decimals"),
    [("EUR", 2), ("USD", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("BHD", 3), ("TND", 3)],
)
def test_decimals_of_a_currency(code: str, decimals: int) -> None:
    assert money.decimals(code) == decimals


def test_currencies_in_use_are_those_of_today() -> None:
    assert money.in_use() > {"EUR", "USD", "GBP", "JPY", "KWD", "CHF", "NOK", "XOF", "SLE", "XCG"}
    gone = {"DEM", "FRF", "ITL", "HRK", "BYR", "ZWL", "XAU", "XXX", "XTS", "CHE", "USN"}
    assert not money.in_use() & gone
    assert 140 < len(money.in_use()) < 180


@pytest.mark.parametrize(
    ("mark", "code", "means"),
    [
        ("€", "EUR", True),
        ("eur", "EUR", True),
        ("Euros", "EUR", True),
        ("$", "USD", True),
        ("US$", "USD", True),
        ("$", "CAD", True),
        ("CA$", "CAD", True),
        ("A$", "AUD", True),
        ("£", "GBP", True),
        ("kr.", "DKK", True),
        ("kr", "NOK", True),
        ("zł", "PLN", True),
        ("Kč", "CZK", True),
        ("円", "JPY", True),
        ("￥", "JPY", True),
        ("F CFA", "XOF", True),
        ("Swiss francs", "CHF", True),
        ("$", "EUR", False),
        ("€", "USD", False),
        ("GBP", "EUR", False),
        ("k", "EUR", False),
        ("%", "EUR", False),
        ("", "EUR", False),
    ],
)
def test_sign_means_the_currencies_that_are_written_so(mark: str, code: str, means: bool) -> None:
    assert money.means(mark, code) is means


def test_currency_is_named_in_the_language_of_the_page() -> None:
    with translation.override("fr"):
        assert money.names()["EUR"] == "Euro"
        assert money.names()["CHF"] == "Franc suisse"
