"""Unicode normal form C in linear time. All code that composes text calls ``compose``."""

from __future__ import annotations

import unicodedata

#: The most combining marks in a row (Stream-Safe Text Format, UAX #15, section 13). Composing
#: sorts the marks of each row, which takes time with the square of their number.
MARKS_IN_A_ROW = 30
#: COMBINING GRAPHEME JOINER: invisible, and marks are not sorted across it.
JOINER = "\u034f"
#: Single characters that decompose into two marks; three of them have the combining class 0.
_PAIRS_OF_MARKS = "\u0344\u0f73\u0f75\u0f81"
_FIRST_MARK = "\u0300"


def compose(text: str) -> str:
    """Text in normal form C (UAX #15).

    A row of more than ``MARKS_IN_A_ROW`` combining marks is divided by ``JOINER``. No living
    script has such a row.

    Args:
        text: any text; the caller checks its length first.
    """
    return unicodedata.normalize("NFC", _with_short_rows(text))


def _with_short_rows(text: str) -> str:
    if text.isascii() or max(text) < _FIRST_MARK:
        return text
    parts: list[str] = []
    taken = row = 0
    for at, character in enumerate(text):
        marks = 2 if character in _PAIRS_OF_MARKS else bool(unicodedata.combining(character))
        if row + marks > MARKS_IN_A_ROW:
            parts += (text[taken:at], JOINER)
            taken, row = at, 0
        row = row + marks if marks else 0
    parts.append(text[taken:])
    return "".join(parts)
