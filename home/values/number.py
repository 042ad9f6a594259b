"""Numbers, as people of any language write them.

``1.234,5``, ``1,234.5``, ``1 234,5``, ``1'234.5`` and ``١٬٢٣٤٫٥`` are the same number. Where one
point or comma stands before exactly three digits, as in ``45.000``, a number can be read in two
ways, whatever the language of the page: people often write as they do at home. The same holds for a
comma before exactly four digits, as in ``1,0000``: East Asian languages count in ten thousands.
``read`` returns both numbers then.

Sources: CLDR, "Number Elements" and "Number Symbols"; Unicode Standard, 4.6 (decimal digits).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import format_decimal
from django.utils import translation

#: The most characters that are read.
LONGEST = 200
#: What people write in place of the same sign; the Arabic decimal separator has a meaning of its
#: own, and the Arabic thousands separator only separates groups, as an apostrophe does.
_SAME = {
    **dict.fromkeys("’‘ʼʹ′´`＇٬", "'"),
    **dict.fromkeys("．·", "."),
    **dict.fromkeys("，،", ","),
    **dict.fromkeys("−‐‑‒–—―﹣－", "-"),
    "＋": "+",
    "／": "/",
}
#: Groups of three digits, all with the same separator. The first group is not zero.
_GROUPED = re.compile(r"0*[1-9][0-9]{0,2}(?:([ '.,])[0-9]{3})(?:\1[0-9]{3})*")
#: Lakh and crore, as in 12,34,567.
_INDIAN = re.compile(r"0*[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}")
#: Ten thousands, as in 1,0000.
_MYRIADS = re.compile(r"0*[1-9][0-9]{0,3}(?:,[0-9]{4})+")
_DIGITS = re.compile("[0-9]+")
_BODY = re.compile(r"[0-9][0-9 '.,٫]*(?<=[0-9])")
#: After a round amount: "40.", "40,-", "40.–".
_ROUND = re.compile(r"[.,](?:--?)?")


@dataclass(frozen=True)
class Written:
    """What a text with a number says.

    Attributes:
        numbers: every number that it can mean, one or two. If there are two, the larger one, with
            groups of digits, is the first.
        marks: what is written before and after the number, such as a currency or a unit.
        after: the one of them that is written after it, if any.
    """

    numbers: tuple[Decimal, ...]
    marks: tuple[str, ...] = ()
    after: str = ""


def read(text: str) -> Written | None:
    """The numbers that a text can mean; None if it is no number.

    Powers (1e3), underscores (1_000), fractions, ranges and the names of special values (nan) are
    no numbers.
    """
    if len(text) > LONGEST:
        return None
    line = plain(text)
    digits = [at for at, character in enumerate(line) if character in "0123456789"]
    if not digits:
        return None
    before, body, after = (
        line[: digits[0]],
        line[digits[0] : digits[-1] + 1],
        line[digits[-1] + 1 :],
    )
    is_negative, before = _sign(before.strip())
    if before in (".", ",", "٫"):
        before, body = "", f"0{before}{body}"
    if end := _ROUND.match(after):
        after = after[end.end() :]
    if "-" in after:
        return None
    # Multiplying would round a long number.
    numbers = tuple(found.copy_negate() if is_negative else found for found in _numbers(body))
    after = after.strip()
    marks = tuple(mark for mark in (before, after) if mark)
    return Written(numbers, marks, after) if numbers else None


def plain(text: str) -> str:
    """The first ``LONGEST`` characters on one line, with ASCII digits and signs.

    Invisible characters and double spaces are left out.
    """
    return " ".join("".join(map(_plain_character, text[:LONGEST])).split())


@lru_cache(4096)
def _plain_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category == "Zs" or character.isspace():
        return " "
    if category == "Cf" or "\ufe00" <= character <= "\ufe0f":
        return ""
    return _SAME.get(character, character)


def _sign(before: str) -> tuple[bool, str]:
    """Whether a number is negative, and what else is written before it; as in "-€" and "€ -"."""
    for sign in "-+":
        if before.startswith(sign):
            return sign == "-", before[1:].lstrip()
        if before.endswith(sign):
            return sign == "-", before[:-1].rstrip()
    return False, before


def _numbers(body: str) -> list[Decimal]:
    if not _BODY.fullmatch(body):
        return []
    found = []
    if _DIGITS.fullmatch(body) or _is_grouped(body):
        found.append(Decimal("".join(_DIGITS.findall(body))))
    for separator in ".,٫":
        whole, _separator, part = body.partition(separator)
        if _DIGITS.fullmatch(part) and (_DIGITS.fullmatch(whole) or _is_grouped(whole)):
            found.append(Decimal(f"{''.join(_DIGITS.findall(whole))}.{part}"))
    return found


def _is_grouped(text: str) -> bool:
    return any(pattern.fullmatch(text) for pattern in (_GROUPED, _INDIAN, _MYRIADS))


def scaled(number: Decimal, power: int) -> Decimal:
    """A number times a power of ten, without rounding."""
    sign, digits, exponent = number.as_tuple()
    return Decimal((sign, digits, int(exponent) + power))


def exact(number: Decimal) -> str:
    """A number as it is stored: ASCII digits, a point, no groups, no zeros at the end.

    >>> exact(Decimal("-0012.50"))
    '-12.5'
    """
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def places(number: Decimal) -> int:
    """How many decimal places a number needs."""
    return len(exact(number).partition(".")[2])


def shown(number: Decimal) -> str:
    """A number as the active language writes it, with all its digits."""
    text: str = format_decimal(Decimal(exact(number)), locale=locale(), decimal_quantization=False)
    return text


def locale() -> Locale:
    """How the active language writes numbers and names (CLDR)."""
    return locale_of(translation.get_language() or "en")


@cache
def locale_of(language: str) -> Locale:
    """How a language of Django writes numbers and names; English where CLDR does not know it."""
    try:
        found = Locale.parse(translation.to_locale(language))
    except (UnknownLocaleError, ValueError):
        return Locale("en")
    symbols = found.number_symbols.get("latn", {})
    if symbols.get("group") == "'":
        # Babel takes two of them, as the Swiss write a million, for quotation marks.
        symbols["group"] = "’"
    return found
