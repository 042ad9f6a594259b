"""Currencies that exist today (ISO 4217), and amounts of money as people write them.

Names, symbols, decimals, and the currencies that countries use, are those of CLDR.
"""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from decimal import Decimal
from functools import cache

from babel import Locale, UnknownLocaleError
from babel.numbers import (
    format_currency,
    get_currency_name,
    get_currency_precision,
    get_currency_symbol,
    get_territory_currencies,
)

from home.values import country, number


@cache
def in_use() -> frozenset[str]:
    """The codes of the currencies that are legal tender in some country today."""
    return frozenset(
        code for territory in country.codes() for code in get_territory_currencies(territory)
    )


def names() -> dict[str, str]:
    """The name of each currency in use, by code, in the active language."""
    return {code: name(code) for code in in_use()}


def name(code: str) -> str:
    """A currency in words, such as "Euro"; its code if it has no name."""
    found: str = get_currency_name(code, locale=number.locale())
    return found[:1].upper() + found[1:]


def decimals(code: str) -> int:
    """How many decimals an amount has: 2 for EUR, 3 for KWD, 0 for JPY."""
    found: int = get_currency_precision(code)
    return found


def shown(amount: Decimal, code: str) -> str:
    """An amount as the active language writes it, with the decimals of its currency.

    A whole amount has none. No digit is rounded away, even if the currency has no such decimals.
    """
    locale = number.locale()
    pattern = locale.currency_formats["standard"].pattern
    places = number.places(amount)
    digits = max(places, decimals(code)) if places else 0
    pattern = pattern.replace(".00", f".{'0' * digits}" if digits else "")
    if get_currency_symbol(code, locale)[-1].isalpha():
        # A code such as NOK would otherwise run into the number.
        pattern = pattern.replace("¤#", "¤\u00a0#")
    text: str = format_currency(amount, code, format=pattern, locale=locale, currency_digits=False)
    return text


def symbol(code: str) -> str:
    """The symbol of a currency in the active language, such as "€"; its code if it has none."""
    text: str = get_currency_symbol(code, number.locale())
    return text


def is_currency(mark: str) -> bool:
    """Whether a text is the sign of a currency, or the code of one in use."""
    is_sign = len(mark) == 1 and unicodedata.category(mark) == "Sc"
    return is_sign or mark.upper() in in_use()


def means(mark: str, code: str) -> bool:
    """Whether a person who writes ``mark`` beside an amount may mean this currency.

    "$" may mean USD and CAD, "kr" may mean SEK and NOK.
    """
    return _folded(mark) in _marks(code, number.locale()) | _marks(code, Locale("en"))


def _folded(mark: str) -> str:
    return number.plain(mark).casefold().strip(" .")


@cache
def _marks(code: str, locale: Locale) -> frozenset[str]:
    """What people write for a currency, in the language and where it is the currency."""
    locales = [locale]
    # The code of a currency begins with that of its country, with few exceptions.
    with suppress(UnknownLocaleError, ValueError):
        locales.append(Locale.parse(f"und_{code[:2]}"))
    symbols = {get_currency_symbol(code, locale) for locale in locales}
    signs = {sign for text in symbols for sign in text if unicodedata.category(sign) == "Sc"}
    signs |= {form for sign in signs for form in (f"{code[:2]}{sign}", f"{code[:1]}{sign}")}
    words = {get_currency_name(code, n, locale) for locale in locales for n in (None, 1, 2, 5)}
    # Short words, such as "de", say nothing of the currency.
    parts = {part for text in words for part in text.split() if len(part) > 2 or not part.isascii()}
    return frozenset(map(_folded, {code} | symbols | signs | words | parts))
