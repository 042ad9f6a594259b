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
        ("FCFA", "XOF", True),
        ("F.CFA", "XAF", True),
        ("Fr.", "CHF", True),
        ("SFr.", "CHF", True),
        ("Rs.", "INR", True),
        ("Rs", "PKR", True),
        ("R$", "BRL", True),
        ("kr.", "SEK", True),
        ("zl", "PLN", True),
        ("TL", "TRY", True),
        ("try", "TRY", True),
        ("KD", "KWD", True),
        ("BD.", "BHD", True),
        ("KD", "BHD", False),
        ("Fr.", "EUR", False),
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


@pytest.mark.parametrize(
    "mark",
    [
        "€",
        "$",
        "₹",
        "R$",
        "US$",
        "A$",
        "EUR",
        "eur",
        "Euros",
        "dollars",
        "francs",
        "CHF",
        "chf",
        "Fr.",
        "SFr.",
        "FCFA",
        "Rs",
        "Rs.",
        "kr",
        "kr.",
        "KR",
        "zł",
        "Kč",
        "TL",
        "RM",
        "Rp",
        "TRY",
        "円",
        "元",
        "원",
        "руб.",
        "грн",
        "￥",
    ],
)
def test_mark_that_can_only_be_money_is_a_currency(mark: str) -> None:
    assert money.is_currency(mark)


@pytest.mark.parametrize(
    "mark",
    [
        "all",
        "top",
        "try",
        "Try",
        "pen",
        "mad",
        "sek",
        "ft",
        "m",
        "k",
        "l",
        "km",
        "h",
        "%",
        "€/h",
        "EUR/year",
        "kg",
        "years",
        "gold",
        "new",
        "south",
        "Unis",
    ],
)
def test_mark_that_can_be_another_word_is_no_currency(mark: str) -> None:
    assert not money.is_currency(mark)


@pytest.mark.parametrize(
    ("mark", "power", "rest"),
    [
        ("k", 3, ""),
        ("K", 3, ""),
        ("k.", 3, ""),
        ("k€", 3, "€"),
        ("k €", 3, "€"),
        ("€k", 3, "€"),
        ("kEUR", 3, "EUR"),
        ("kCHF", 3, "CHF"),
        ("M€", 6, "€"),
        ("Mio. Euro", 6, "Euro"),
        ("mkr", 6, "kr"),
        ("kr", 0, "kr"),
        ("Kč", 0, "Kč"),
        ("km", 0, "km"),
        ("mall", 0, "mall"),
        ("€", 0, "€"),
        ("", 0, ""),
    ],
)
def test_scaled_returns_the_power_of_ten_and_the_currency(mark: str, power: int, rest: str) -> None:
    assert money.scaled(mark) == (power, rest)
