"""Countries of ISO 3166-1, by the names of CLDR."""

from __future__ import annotations

from functools import cache

from babel import Locale
from babel.core import get_global

from home.values import number

#: Territories of CLDR that ISO 3166-1 has not assigned: islands with a code of their own, unions,
#: and codes for tests. Kosovo (XK) stays: the code is reserved for users, and everybody uses it.
_NO_COUNTRIES = "AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ"


@cache
def codes() -> frozenset[str]:
    """The codes of all countries: two capital letters."""
    known = map(str, Locale("en").territories)
    return frozenset(
        code for code in known if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES
    )


def names() -> dict[str, str]:
    """The name of each country, by code, in the active language."""
    return {code: name(code, number.locale()) for code in codes()}


def name(code: str, locale: Locale | None = None) -> str:
    """The name of a country, in English by default; the code itself if it is none."""
    return str((locale or Locale("en")).territories.get(code, code))


def meant(code: str) -> str:
    """The country that a code of another list means: GB for "UK" and "GBR"; "" for none."""
    found = get_global("territory_aliases").get(code.strip().upper(), [])
    return found[0] if len(found) == 1 and found[0] in codes() else ""
