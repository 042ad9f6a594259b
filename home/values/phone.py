"""A phone number that a person typed, or pasted from an address book.

The number is stored as it was written, because its country is unknown and people read it.

Sources: ITU-T E.123 (how numbers are written), E.164 (their length); RFC 3966 (``tel:``); the
library ``phonenumbers``, which is a port of libphonenumber.
"""

from __future__ import annotations

import re

import phonenumbers
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from home.bidi import quoted
from home.values.text import clean as clean_text
from home.values.text import plain

#: What ``home.values.text`` keeps where a script needs it, and no number has.
_INVISIBLE = re.compile("[\u061c\u180b-\u180f\u200b-\u200f\ufe00-\ufe0f\u20e3]")
_PLUS_SIGNS = str.maketrans("\ufe62\u207a\u2795", "+++")
_DOTS = str.maketrans("\u00b7\u2022\u2024\u2027\u30fb\u3002\uff61", ".......")
#: The most digits of a number in international form (E.164).
_MOST_DIGITS = 15
#: The fewest digits of a number, apart from short ones such as 112.
_FEWEST_DIGITS = 7
#: A number has digits, and what people write between them.
_NUMBER = re.compile(r"(?:\+ ?)?[0-9(][0-9 ()/.\-]*")
#: Any region: ``phonenumbers`` needs one to read a number without a country.
_ANY = "US"


def clean(text: str) -> str:
    """A number as it is stored: digits, dashes and signs in ASCII, without what nobody can see.

    Args:
        text: any text; the caller checks its length first.

    Returns:
        The number as it was written, also with words, such as ``ext. 12``. It may still be wrong;
        see ``check``.
    """
    text = _INVISIBLE.sub("", clean_text(text))
    text = clean_text(plain(text).translate(_PLUS_SIGNS).translate(_DOTS))
    while text[:4].lower() == "tel:":
        text = text[4:].strip().replace(";ext=", " ext. ")
    return text


def check(number: str) -> None:
    """Accept everything in which somebody may see a phone number.

    This is never stricter than ``phonenumbers``. The country is unknown, so what is a number in
    none of them can't be told.

    Raises:
        ValidationError: it is something else; the error says why.
    """
    count = len(digits(number))
    letters = sum(map(str.isalpha, number))
    # Two numbers may have many words around them.
    longest = max((len(digits(run)) for run in _NUMBER.findall(number)), default=0)
    is_number = "@" not in number and (count >= max(letters, 3) or longest >= _FEWEST_DIGITS)
    if not count:
        problem = _(
            "There is no digit in “%(typed)s”. Enter a phone number, such as +44 20 7946 0018."
        )
    elif is_number or _parsed(number) is not None:
        return
    else:
        problem = _("“%(typed)s” is not a phone number. Enter one, such as +44 20 7946 0018.")
    raise ValidationError(problem, code="invalid", params={"typed": quoted(number)})


def digits(number: str) -> str:
    """The digits of a number, to compare and to search."""
    return re.sub(r"[^0-9]", "", plain(number))


def uri(number: str) -> str:
    """The address of a link that calls the number (RFC 3966); "" if it is not clear which."""
    parsed = _parsed(number)
    extension = (parsed and parsed.extension) or ""
    main = number[: number.rindex(extension)] if extension else number
    run = max(_NUMBER.findall(main), key=lambda found: len(digits(found)), default="")
    first, stroke, _second = run.partition("/")
    # Two numbers; what stands before the stroke in one number is an area code.
    if stroke and (len(digits(run)) > _MOST_DIGITS or len(digits(first)) >= _FEWEST_DIGITS):
        run = first
    if not 3 <= len(digits(run)) <= _MOST_DIGITS:
        return ""
    call = digits(run)
    if run.startswith("+") and (found := _parsed(run)):
        # Without the "(0)" that nobody dials from abroad.
        call = f"+{found.country_code}{phonenumbers.national_significant_number(found)}"
    elif any(map(str.isalpha, main)) and len(call) < _FEWEST_DIGITS:
        # Letters may stand for digits.
        return ""
    return f"tel:{call}" + (f";ext={extension}" if extension else "")


def _parsed(number: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(number, _ANY)
    except phonenumbers.NumberParseException:
        return None
