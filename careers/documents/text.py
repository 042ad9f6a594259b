"""Makes typed text safe for the PDF without changing its meaning."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from home.values.text import without_unseen

#: The weight of an emoji in letters. Each is a picture in the PDF and takes two milliseconds,
#: fifty times as long as a letter. A long answer of emoji would take minutes.
LETTERS_IN_A_PICTURE = 50
#: Zero width space: a line may break here.
BREAK = "\u200b"

_BETWEEN_LETTERS = (
    "\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
)
_LONG_RUN = re.compile(f"[^ \n\u200b{_BETWEEN_LETTERS}]{{200,}}")
#: About ten letters together with the marks and joiners that follow them.
_PIECE = re.compile(
    ".{10}[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0dff"
    "\u0e31-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff\u200c\u200d\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]*"
)


#: Characters that fonts draw as pictures: emoji, flags and symbols.
_PICTURES = re.compile("[\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\ufe0f\U0001f000-\U0001faff]")


def clean(text: str) -> str:
    """The text as ``home.values.text`` cleans it, for what was stored before it did.

    Tabs become spaces, because the PDF has no tab stops. Each line break becomes ``\\n``.
    """
    return _without_tabs(without_unseen(text))


def direction(text: str) -> str:
    """``"rtl"``, ``"ltr"`` or "", by the first letter with a direction (UAX #9, P2 and P3)."""
    for character in text:
        match unicodedata.bidirectional(character):
            case "L":
                return "ltr"
            case "R" | "AL":
                return "rtl"
    return ""


def breakable(text: str) -> str:
    """The text with break opportunities in runs that are longer than any word or address.

    In a run without them, the layout measures the whole rest again for each line, so the time
    grows with the square of the length. Scripts that break between any two letters need none.
    """
    return _LONG_RUN.sub(lambda run: _PIECE.sub(rf"\g<0>{BREAK}", run[0]), text)


@dataclass(frozen=True)
class Excerpt:
    """The part of a long text that is shown.

    Attributes:
        paragraphs: cleaned, none empty.
        shown: the number of characters in ``paragraphs``.
        total: the number of characters in the whole text.
        weight: as ``shown``, with ``LETTERS_IN_A_PICTURE`` for each picture.
    """

    paragraphs: tuple[str, ...]
    shown: int
    total: int
    weight: int

    @property
    def is_cut(self) -> bool:
        return self.shown < self.total


def excerpt(paragraphs: Iterable[str], *, limit: int, most: int) -> Excerpt:
    """The beginning of a text.

    Args:
        limit: the maximum weight.
        most: the maximum number of paragraphs.
    """
    lines = [
        line for text in paragraphs for raw in clean(text).split("\n") if (line := raw.strip())
    ]
    kept: list[str] = []
    room = limit
    for line in lines[:most]:
        if part := _beginning(line, room):
            kept.append(part)
            room -= _weight(part)
        if part != line:
            break
    return Excerpt(tuple(kept), sum(map(len, kept)), sum(map(len, lines)), limit - room)


def _weight(text: str) -> int:
    return len(text) + (LETTERS_IN_A_PICTURE - 1) * len(_PICTURES.findall(text))


def _beginning(line: str, room: int) -> str:
    """The longest beginning of a line with a weight of at most ``room``."""
    start = line[:room]
    if _weight(start) <= room:
        return start
    weights = itertools.accumulate(map(_weight, start))
    return start[: sum(1 for weight in weights if weight <= room)]


def _without_tabs(text: str) -> str:
    """One space in place of each tab and the spaces around it."""
    first, *others = text.split("\t")
    if not others:
        return text
    spaces = " \u00a0"
    inner = [part.strip(spaces) for part in others[:-1]]
    return " ".join([first.rstrip(spaces), *inner, others[-1].lstrip(spaces)])
