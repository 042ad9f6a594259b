"""Currencies that exist today (ISO 4217), and amounts of money as people write them.

Names, symbols, decimals, and the currencies that countries use, are those of CLDR.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from decimal import Decimal
from functools import cache, lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import (
    format_currency,
    get_currency_name,
    get_currency_precision,
    get_currency_symbol,
    get_territory_currencies,
)

from home.values import country, number

#: What people write for currencies and CLDR does not list.
_ALSO = {
    "AED": "dhs dh",
    "BDT": "tk",
    "CHF": "fr frs sfr",
    "CNY": "rmb 元",
    "CZK": "kc",
    "ILS": "nis",
    "INR": "rs",
    "JPY": "円",
    "KES": "ksh",
    "KRW": "원",
    "LKR": "rs",
    "MAD": "dhs dh",
    "MUR": "rs",
    "NPR": "rs",
    "PKR": "rs",
    "PLN": "zl",
    "RSD": "дин",
    "RUB": "руб",
    "SCR": "rs",
    "TRY": "tl",
    "TWD": "元",
    "TZS": "tsh",
    "UAH": "грн",
    "UGX": "ush",
    "VND": "vnđ",
    "XAF": "fcfa cfa",
    "XOF": "fcfa cfa",
}
#: The same where they are also words, so that they count for this currency only.
_SHORT = {
    "BHD": "bd",
    "DZD": "da",
    "EGP": "le",
    "JOD": "jd",
    "KWD": "kd",
    "LYD": "ld",
    "OMR": "ro",
    "QAR": "qr",
    "SAR": "sr",
    "TND": "dt",
}
#: Signs of CLDR in ASCII that mean nothing else beside a number. Others do, such as "ft" and "m".
_CLEAR_SIGNS = ("kr", "lei", "rp", "rm")
#: Codes that are also words or units of a language in small letters.
_WORDS = frozenset(
    [
        "ALL",
        "AMD",
        "ARS",
        "BAM",
        "BIF",
        "BOB",
        "COP",
        "CUP",
        "CVE",
        "DOP",
        "ERN",
        "GEL",
        "ILS",
        "ISK",
        "KES",
        "LAK",
        "MAD",
        "MOP",
        "MUR",
        "NAD",
        "PAB",
        "PEN",
        "PHP",
        "RON",
        "SAR",
        "SEK",
        "SOS",
        "STN",
        "SYP",
        "TOP",
        "TRY",
        "VES",
        "VND",
    ]
)
#: What stands for thousands and millions, as powers of ten.
_POWERS = {"k": 3, "m": 6, "mn": 6, "mio": 6, "mln": 6}
_POWER = "|".join(sorted(_POWERS, reverse=True))
_SCALED = re.compile(
    rf"(?P<head>.*?) ?\b(?P<end>{_POWER})\.?|(?P<start>{_POWER})\.? ?(?P<tail>.*)", re.I
)


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
    return _shown(amount, code, number.locale())


@lru_cache(maxsize=1024)
def _shown(amount: Decimal, code: str, locale: Locale) -> str:
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
    """Whether a text can only mean money: the sign, the code or the name of a currency in use.

    "$", "kr.", "FCFA", "CHF", "chf" and "Euros" do. "ft", "all" and "try" may be other words.
    """
    if len(mark) == 1 and unicodedata.category(mark) == "Sc":
        return True
    if mark.upper() in in_use():
        return mark.isupper() or mark.upper() not in _WORDS
    return _folded(mark) in _clear_marks(number.locale()) | _clear_marks(Locale("en"))


def means(mark: str, code: str) -> bool:
    """Whether a person who writes ``mark`` beside an amount may mean this currency.

    "$" may mean USD and CAD, "kr" may mean SEK and NOK.
    """
    return _folded(mark) in _marks(code, number.locale()) | _marks(code, Locale("en"))


def scaled(mark: str) -> tuple[int, str]:
    """The power of ten that a mark multiplies a number by, and the rest of the mark.

    >>> scaled("k€"), scaled("Mio. EUR"), scaled("k"), scaled("kr"), scaled("km")
    ((3, '€'), (6, 'EUR'), (3, ''), (0, 'kr'), (0, 'km'))
    """
    if not is_currency(mark) and (found := _SCALED.fullmatch(mark)):
        rest = found["head"] if found["end"] else found["tail"]
        if not rest or is_currency(rest):
            return _POWERS[(found["end"] or found["start"]).lower()], rest
    return 0, mark


def _folded(mark: str) -> str:
    return re.sub("[ .]", "", number.plain(mark).casefold())


@cache
def _marks(code: str, locale: Locale) -> frozenset[str]:
    """What people write for a currency, in the language and where it is the currency."""
    locales = [locale, *_own_locale(code)]
    symbols = {get_currency_symbol(code, locale) for locale in locales}
    signs = {sign for text in symbols for sign in text if unicodedata.category(sign) == "Sc"}
    signs |= {form for sign in signs for form in (f"{code[:2]}{sign}", f"{code[:1]}{sign}")}
    words = {get_currency_name(code, n, locale) for locale in locales for n in (None, 1, 2, 5)}
    # Short words, such as "de", say nothing of the currency.
    parts = {part for text in words for part in text.split() if len(part) > 2 or not part.isascii()}
    return frozenset(
        map(_folded, {code, _SHORT.get(code, ""), *_also(code)} | symbols | signs | words | parts)
    ) - {""}


def _also(code: str) -> list[str]:
    return _ALSO.get(code, "").split()


def _own_locale(code: str) -> list[Locale]:
    # The code of a currency begins with that of its country, with few exceptions.
    with suppress(UnknownLocaleError, ValueError):
        return [Locale.parse(f"und_{code[:2]}")]
    return []


@cache
def _clear_marks(locale: Locale) -> frozenset[str]:
    """The marks of all currencies that mean nothing else."""
    marks = {mark for code in in_use() for mark in _marks(code, locale)}
    signs = {mark for mark in marks if any(unicodedata.category(sign) == "Sc" for sign in mark)}
    names = {
        get_currency_name(code, count, locale) for code in in_use() for count in (None, 1, 2, 5)
    }
    # "Dollars" of some country; other languages do not put the noun at the end.
    nouns = {name.split()[-1].casefold() for name in names if locale.language == "en"}
    names |= nouns - {"gold", "mark", "marks"}
    # Signs in other letters, such as "zł" and "Kč".
    symbols = {
        symbol
        for code in in_use()
        for own in _own_locale(code)
        if not (symbol := get_currency_symbol(code, own)).isascii()
    }
    also = {mark for code in _ALSO for mark in _also(code)}
    return frozenset(signs | set(map(_folded, {*names, *symbols, *also, *_CLEAR_SIGNS})))
