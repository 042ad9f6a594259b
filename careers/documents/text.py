"""Makes typed text safe for the PDF without changing its meaning."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from careers.applications.normal_form import compose

#: The most combining marks on one letter; living scripts use up to about five. Hundreds of them
#: overlap the lines around and take minutes to lay out.
MARKS_ON_A_LETTER = 8
#: The weight of an emoji in letters. Each is a picture in the PDF and takes two milliseconds,
#: fifty times as long as a letter. A long answer of emoji would take minutes.
LETTERS_IN_A_PICTURE = 50
#: Zero width space: a line may break here.
BREAK = "\u200b"

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
#: Invisible characters that can make a text read differently: controls, lone surrogates,
#: non-characters, explicit directions (UAX #9, 2.1 to 2.4), soft hyphens (a text full of them
#: takes minutes) and tags. Spelling needs ZWJ, ZWNJ, LRM, RLM and ALM, so these stay.
_HIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u202a-\u202e\u2060-\u206f\ufff0-\ufffb\ufffe\uffff"
    "\ufdd0-\ufdef\ufeff\U000e0000-\U000e0fff\ud800-\udfff"
    + "".join(
        f"{chr((plane << 16) + 0xFFFE)}{chr((plane << 16) + 0xFFFF)}" for plane in range(1, 17)
    )
    + "]"
)
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
    """Composed text without invisible characters that hide or reorder it, or slow it down.

    Letters of every script stay, right-to-left text included. Each line break becomes ``\\n``.

    Args:
        text: any text.

    Returns:
        The text in normalization form C (UAX #15).
    """
    text = _without_tabs(_LINE_ENDS.sub("\n", text))
    return _few_marks(compose(_HIDDEN.sub("", text)))


def one_line(text: str, limit: int) -> str:
    """Clean text on one line of at most ``limit`` characters; an ellipsis shows a cut."""
    line = " ".join(clean(text).split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


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


def _few_marks(text: str) -> str:
    if text.isascii():
        return text
    pieces = (
        itertools.islice(group, MARKS_ON_A_LETTER) if is_mark else group
        for is_mark, group in itertools.groupby(text, _is_mark)
    )
    return "".join(itertools.chain.from_iterable(pieces))


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Me")
