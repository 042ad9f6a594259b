"""The terms of a text: what search compares.

A term is found by its beginning. A compound such as ``Jean-Pierre`` or ``jane.doe@example.com``
gives a term for each of its parts, with all that follows, so that any run of its parts is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from careers.search.folding import HYPHEN, SIGNS, fold, spelled_out

#: The characters that are read of one text.
LONGEST = 200_000
#: The parts of one compound, and the characters of one term.
PARTS, TERM = 12, 100
#: Scripts that are written without spaces, and Korean, whose spaces vary: in these a word is found
#: anywhere in a text.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3100-\u312f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_LETTER = rf"[^\s{re.escape(SIGNS + HYPHEN)}{_UNSPACED}]"
#: Letters, with the ending of “C++”, “A+” or “C#”.
_PART = rf"{_LETTER}+(?:\+\++|\+(?!{_LETTER})|#+)?"
_TOKEN = re.compile(
    rf"(?P<run>[{_UNSPACED}]+)"
    # A dot begins a word, as in “.NET”, unless it ends another or is one of several.
    rf"|(?P<compound>(?:(?<![^\s@&+#{HYPHEN}])\.)?{_PART}(?:[.@&{HYPHEN}]{_PART}){{0,{PARTS - 1}}})"
)
_JOINT = re.compile(rf"(?<=[{_UNSPACED}])[\s{HYPHEN}]+(?=[{_UNSPACED}])")
_SPLIT = re.compile(rf"([.@&{HYPHEN}])")
#: A phone number: seven digits or more with little between them.
_NUMBER = re.compile(r"\d(?:[ .-]{0,3}\d){6,39}")
#: A number with signs between its groups, as in 40,000, 12,34,567 or 40 000. It has few groups:
#: otherwise each number of a long list would be compared with all that follow.
GROUPED = re.compile(r"(?<![\w.,])\d{1,3}(?:[\s.,'’\-]\d{2,3}){0,6}[\s.,'’\-]\d{3}(?![\d]|[.,]\d)")
#: “R & D” is “R&D”.
_AND = re.compile(r"(?<=\w) {0,3}& {0,3}(?=\w)")
_TRUNK = re.compile(r"\(\s*0\s*\)")


def terms_of(text: str) -> str:
    """The terms of a text, each once, with a space before and after each.

    Args:
        text: any text; what is longer than ``LONGEST`` is cut off.
    """
    text = text[:LONGEST]
    found = dict.fromkeys(_terms(text))
    if (variant := spelled_out(text)) != text:
        found |= dict.fromkeys(_terms(variant))
    return f" {' '.join(found)} " if found else ""


def _terms(text: str) -> Iterator[str]:
    folded = fold(without_trunk(text))
    for pattern in (_NUMBER, GROUPED):
        for number in pattern.finditer(folded):
            yield digits(number[0])
    for token in _TOKEN.finditer(_JOINT.sub("", _AND.sub("&", folded))):
        if token["run"]:
            yield token["run"]
        else:
            yield from _terms_of_compound(token["compound"])


def tokens(typed: str) -> Iterator[tuple[str, bool]]:
    """The words that a person typed, folded; and whether each is in a script without spaces."""
    for token in _TOKEN.finditer(_AND.sub("&", fold(typed))):
        yield token[0], token["run"] is not None


def parts(compound: str) -> tuple[list[str], list[str]]:
    """The parts of a compound, and the signs between them."""
    pieces = _SPLIT.split(compound)
    if not pieces[0]:  # the dot of “.NET” belongs to its part
        pieces = [pieces[1] + pieces[2], *pieces[3:]]
    return pieces[::2], pieces[1::2]


def written(pieces: list[str], signs: list[str]) -> str:
    """A compound as it is compared: apostrophes and hyphens make no difference."""
    kept = [sign if sign != HYPHEN else "" for sign in signs]
    return "".join(part for pair in zip(pieces, [*kept, ""], strict=True) for part in pair)


def without_trunk(text: str) -> str:
    """The text without the ``(0)`` of phone numbers, which nobody dials."""
    return _TRUNK.sub(" ", text)


def digits(number: str) -> str:
    return "".join(character for character in number if character.isdigit())


def _terms_of_compound(compound: str) -> Iterator[str]:
    pieces, signs = parts(compound)
    for at in range(len(pieces)):
        yield written(pieces[at:], signs[at:])[:TERM]
        if "." in signs[at:] and not {"@", "&"} & set(signs[at:]):
            yield "".join(pieces[at:])[:TERM]
        if len(pieces[at]) == 1 and signs[at : at + 1] in ([HYPHEN], ["&"]):
            yield pieces[at]  # one letter is found as a whole term only, as in “d Artagnan”
    if pieces[0].startswith("."):
        yield written(pieces, signs)[1:][:TERM]
    if signs == ["."]:  # “ASP.NET” is found as “.NET”
        yield f".{pieces[1]}"[:TERM]
