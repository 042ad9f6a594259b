"""Text without the differences that mean nothing to a person who searches."""

from __future__ import annotations

import unicodedata

from home.values.text import without_unseen

#: What stays between letters: ``HYPHEN`` for every hyphen and apostrophe, and these signs.
HYPHEN, SIGNS = "-", ".@&+#"
_APOSTROPHES = "'`´‘’‚‛′ʹʻʼʽʾʿˈˊˋ׳‵ꞌ"
_OTHER_HYPHENS = "_\u00b7\u30fb"
#: Letters that Unicode does not decompose, as people type them who have no key for them.
_PLAIN = {
    "ø": "o",
    "đ": "d",
    "ð": "d",
    "ł": "l",
    "ħ": "h",
    "ı": "i",
    "æ": "ae",
    "œ": "oe",
    "þ": "th",
    "ŋ": "n",
    "ŧ": "t",
    "ə": "e",
    "♯": "#",
    "ـ": "",
}
#: Unicode decomposes these into a space and a mark, so they are replaced before.
_ALONE = str.maketrans({"´": "'", "\u2017": "-"})
#: What German and the Nordic languages write where there is no key for these letters.
_SPELLED_OUT = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"}
    | {"Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "Å": "Aa", "Ø": "Oe"}
)
#: Letters that look alike, for which Persian and Arabic keyboards have different characters.
_PERSIAN = str.maketrans("\u064a\u0649\u0643", "\u06cc\u06cc\u06a9")
_ARABIC = str.maketrans("\u06cc\u06a9", "\u064a\u0643")


def fold(text: str) -> str:
    """Text in small letters without accents, with spaces, ``HYPHEN`` and ``SIGNS`` between them.

    It takes linear time. Marks without which a word is another word stay, such as the vowels of
    Hindi and Thai and the voicing marks of Japanese.

    Args:
        text: any text; the caller bounds its length.
    """
    if text.isascii():
        # The common case, and the same result.
        return text.lower().translate(_FOLDED)
    text = unicodedata.normalize("NFKD", without_unseen(text).translate(_ALONE))
    # It composes again, and bounds the marks that now follow one another.
    return without_unseen(text.casefold().translate(_FOLDED))


def spelled_out(text: str) -> str:
    """The text with ``ue`` for ``ü`` and the like, as people type it who have no such key."""
    return without_unseen(text).translate(_SPELLED_OUT)


def spellings(typed: str) -> list[str]:
    """A query, and the same with letters that people type for others; each has as many words."""
    if typed.isascii():
        return [typed]
    return [typed, spelled_out(typed), typed.translate(_PERSIAN), typed.translate(_ARABIC)]


class _Folded(dict[int, str]):
    """What each character becomes. It is worked out when a character first occurs."""

    def __missing__(self, code: int) -> str:
        self[code] = _folded(chr(code))
        return self[code]


def _folded(character: str) -> str:
    category = unicodedata.category(character)
    mark = unicodedata.combining(character)
    if character in _APOSTROPHES or character in _OTHER_HYPHENS or category == "Pd":
        return HYPHEN
    if character in SIGNS:
        return character
    if character in _PLAIN:
        return _PLAIN[character]
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category[0] == "M":
        # Above, below and across a letter; the vowel points of Hebrew, Arabic and Syriac.
        is_accent = category == "Me" or mark == 1 or 10 <= mark <= 36 or mark >= 200
        return "" if is_accent else character
    if category == "Cf":
        return ""
    return character if category[0] in "LN" else " "


_FOLDED = _Folded()
