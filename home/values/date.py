"""Dates that people type as text, in the order of the page's language.

``31/3/2027`` is a date where the site writes the day first, and none where it writes the month
first: the site never guesses. A date that begins with the year (ISO 8601) and one with the name
of the month are the same everywhere.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cache

from django.conf import settings
from django.utils import dates, formats, translation

from home.values import number
from home.values.text import clean

#: The most characters that are read.
LONGEST = 100
#: What is written between the parts of a date, in any language.
_BETWEEN = re.compile(r"[\s,./\-'年月日년월일]*")
_PARTS = re.compile(r"[0-9]+|[^\W\d_年月日년월일]+")
#: Small words and endings of ordinal numbers: "the 31st of March", "1er mars", "den 31. März".
_SMALL_WORD = re.compile("st|nd|rd|th|er|re|the|of|le|den|del?|d|di|do|dia")
#: The characters of ``DATE_FORMAT`` by what they stand for.
_FORMAT = {**dict.fromkeys("djS", "day"), **dict.fromkeys("mnFMNEb", "month"), "Y": "year"}


def read(text: str) -> dt.date | None:
    """The day that a text means on a page in the active language; None if it is no date.

    The year has four digits.
    """
    if len(text) > LONGEST:
        return None
    line = number.plain(clean(text)).casefold()
    if _BETWEEN.fullmatch(_PARTS.sub("", line)) is None:
        return None
    parts = _PARTS.findall(line)
    numbers = [part for part in parts if part.isdigit()]
    words = [part for part in parts if not (part.isdigit() or _says_nothing(part))]
    years = [at for at, part in enumerate(numbers) if len(part) == 4]
    if len(years) != 1 or any(len(part) > 2 for part in numbers if len(part) != 4):
        return None
    year = int(numbers.pop(years[0]))
    if len(words) == 1 and len(numbers) == 1:
        return _date(year, _month(words[0]), int(numbers[0]))
    if words or len(numbers) != 2:
        return None
    first, second = map(int, numbers)
    if years[0] == 0:
        return _date(year, first, second)
    match order():
        case "day", "month", "year" if years[0] == 2:
            return _date(year, second, first)
        case "month", "day", "year" if years[0] == 2:
            return _date(year, first, second)
    return None


def order() -> tuple[str, ...]:
    """The order in which the site writes "day", "month" and "year" in the active language."""
    found = (_FORMAT.get(character, "") for character in formats.get_format("DATE_FORMAT"))
    return tuple(dict.fromkeys(part for part in found if part))


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _says_nothing(word: str) -> bool:
    """Whether a word is small or the name of a weekday."""
    return bool(_SMALL_WORD.fullmatch(word)) or any(word in _weekdays(one) for one in _languages())


def _languages() -> tuple[str, ...]:
    """The active language and then all of the site."""
    return translation.get_language() or "en", *dict(settings.LANGUAGES)


def _month(name: str) -> int:
    """The month of a name in the active language, else in another one of the site; 0 for none."""
    found = (_months(language).get(name, 0) for language in _languages())
    return next(filter(None, found), 0)


@cache
def _weekdays(language: str) -> frozenset[str]:
    """The full names of the weekdays; the short ones may be those of months, such as "mar"."""
    names = number.locale_of(language).days["format"]["wide"].values()
    return frozenset(name.casefold() for name in names)


@cache
def _months(language: str) -> dict[str, int]:
    """The number of each month by its names and abbreviations, as CLDR and Django have them."""
    known = number.locale_of(language).months
    names = [
        (name, month)
        for use in ("format", "stand-alone")
        for width in ("wide", "abbreviated")
        for month, name in known[use][width].items()
    ]
    with translation.override(language):
        for these in (dates.MONTHS, dates.MONTHS_3, dates.MONTHS_AP, dates.MONTHS_ALT):
            names += [(str(name), month) for month, name in these.items()]
    # A name may have points and spaces, which part it.
    return {part: month for name, month in names for part in _PARTS.findall(name.casefold())[-1:]}
