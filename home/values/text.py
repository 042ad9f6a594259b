"""Text that a person typed or pasted, with everything in it that can be seen and nothing else.

Sources: Unicode Standard 15, sections 5.21 (default ignorable code points) and 23.2 (joiners,
directions); UAX #15 (normal form C); UAX #9 (directions); UTS #51 (emoji sequences).
"""

from __future__ import annotations

import re
import unicodedata

#: The most combining marks on one character; living scripts use up to five, Tibetan stacks up to
#: eight. Hundreds of them draw over the lines around, and composing sorts them, which takes time
#: with the square of their number.
MARKS_ON_A_CHARACTER = 8

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
#: Full-width forms of ASCII, from East Asian keyboards.
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
#: Hyphens, dashes and minus signs, and what stands for them on East Asian keyboards.
_DASHES = dict.fromkeys(
    map(
        ord,
        "\u02d7\u058a\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u2500\u30fc\ufe58\ufe63\uff70",
    ),
    "-",
)
#: Characters that look like a space: Hangul fillers and the empty Braille pattern.
_BLANKS = str.maketrans(dict.fromkeys("\u3164\uffa0\u2800", " "))
#: White space at which a line may break.
_BREAKABLE = re.compile(r"[ \t\n]+")
#: Characters that nobody sees, whatever is around them: controls, soft hyphens, explicit
#: directions, Hangul and Khmer fillers, the grapheme joiner, byte order marks, placeholders of
#: objects, half surrogate pairs and what is no character at all.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u115f\u1160\u17b4\u17b5\u202a-\u202e"
    "\u2060-\u206f\ufdd0-\ufdef\ufeff\ufff0-\ufffc\ufffe\uffff\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e001f\U000e0080-\U000e00ff"
    "\U000e01f0-\U000e0fff"
    + "".join(
        f"{chr((plane << 16) + 0xFFFE)}{chr((plane << 16) + 0xFFFF)}" for plane in range(1, 17)
    )
    + "]"
)
#: The selector for emoji stays after a digit only in a keycap.
_NO_KEYCAP = re.compile("(?<=[0-9#*])\ufe0f(?!\u20e3)")
_FIRST_MARK = "\u0300"
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u061b\u061d-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"
    "\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_IDEOGRAPHS = "\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
_EMOJI = (
    "\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_MONGOLIAN = "\u1800-\u180a\u1810-\u18af"
#: Invisible characters that scripts need, and the characters after which they stay.
_NEEDED = {
    # Joiners: scripts whose letters join or stack, and sequences of emoji.
    "\u200c\u200d": "\u0620-\u109f\u1780-\u1cff\ua800-\uabff\ufb50-\ufdff\ufe70-\ufefc"
    f"\U00010a00-\U00011fff\U0001e900-\U0001e95f{_EMOJI}",
    # The space without width, between words of scripts that are written without spaces.
    "\u200b": "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\uaa60-\uaadf",
    # Selectors of another shape.
    "\ufe00-\ufe0f": f"0-9#*\u1000-\u109f\ua840-\ua87f{_EMOJI}{_IDEOGRAPHS}",
    "\U000e0100-\U000e01ef": _IDEOGRAPHS,
    "\u180b-\u180f": _MONGOLIAN,
    "\U00013430-\U00013440": "\U00013000-\U0001342f",
    # The flags of England, Scotland and Wales.
    "\U000e0020-\U000e007f": "\U0001f3f4",
    # Marks of direction: between letters of both directions. See _bounded.
    "\u200e\u200f\u061c": "",
}
_INVISIBLE = re.compile("|".join(f"([{kept}])" for kept in _NEEDED))
_STAYS_AFTER = [re.compile(f"[{bases}]" if bases else "") for bases in _NEEDED.values()]
_DIRECTIONS = "\u200e\u200f\u061c"


def clean(text: str, *, lines: bool = False) -> str:
    """Text as it is stored: in normal form C, without what nobody can see.

    Letters of every script stay, with the joiners and selectors that their spelling needs. A
    character keeps its first ``MARKS_ON_A_CHARACTER`` combining marks.

    Args:
        text: any text; the caller checks its length first.
        lines: keep line breaks, as ``\\n``, and spaces as they are. Otherwise each run of white
            space becomes one space.

    Returns:
        The text without space at its ends; "" if nothing of it can be seen.
    """
    text = without_unseen(text)
    text = text.strip() if lines else " ".join(text.split())
    return text.rstrip("\u200b")


def title(text: str) -> str:
    """Clean text on one line, with its no-break spaces: French has them before a question mark."""
    return _BREAKABLE.sub(" ", clean(text, lines=True))


def visible(text: str) -> bool:
    """Whether a person who looks at the text sees anything."""
    return bool(clean(text))


def one_line(text: str, limit: int) -> str:
    """Clean text on one line of at most ``limit`` characters; an ellipsis shows a cut."""
    line = clean(text)
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def narrow(text: str) -> str:
    """Full-width forms as ASCII; other characters stay."""
    return text.translate(_WIDE)


def plain(text: str) -> str:
    """Digits of every script, full-width forms and dashes as ASCII; other characters stay.

    For values that are written in ASCII, such as phone numbers. In other text a dash has a meaning.
    """
    if text.isascii():
        return text
    text = narrow(text).translate(_DASHES)
    return "".join(str(unicodedata.decimal(character, character)) for character in text)


def right_to_left(text: str) -> bool:
    """Whether some of the text runs from right to left (UAX #9: R, AL and AN)."""
    return not text.isascii() and bool(_RIGHT_TO_LEFT.search(text))


def without_unseen(text: str) -> str:
    """The same as ``clean`` with white space as it was; each line break becomes ``\\n``."""
    text = _UNSEEN.sub("", _LINE_ENDS.sub("\n", text)).translate(_BLANKS)
    if text.isascii() or max(text) < _FIRST_MARK:
        return text
    # Each step looks at what the steps before it have left, so cleaning twice changes nothing.
    text = _bounded(text)
    if not right_to_left(text):
        text = text.translate(dict.fromkeys(map(ord, _DIRECTIONS)))
    text = _NO_KEYCAP.sub("", _bounded(text))
    # Normal form C takes some characters apart, into a letter and marks.
    composed = unicodedata.normalize("NFC", text)
    if (bounded := _bounded(composed)) != composed:
        bounded = _bounded(unicodedata.normalize("NFC", bounded))
    return bounded


def _bounded(text: str) -> str:
    """The text without marks above the limit, and without invisible characters that do nothing.

    Whether a character stays depends on what stays before it, so a second pass changes nothing.
    """
    kept: list[str] = []
    base = last = ""
    attached = 0
    for character in text:
        if character < _FIRST_MARK:
            is_attached = False
        elif found := _INVISIBLE.match(character):
            is_attached = True
            if character == last or not _STAYS_AFTER[(found.lastindex or 0) - 1].match(base):
                continue
        else:
            is_attached = _is_mark(character)
        if not is_attached:
            # At the start of a line a mark has nothing to stand on, and space does not change that.
            if base or not character.isspace():
                base = "" if character == "\n" else character
            attached = 0
        elif attached == MARKS_ON_A_CHARACTER or not (base or character in _DIRECTIONS):
            continue
        else:
            attached += 1
        kept.append(character)
        last = character
    return "".join(kept)


def _is_mark(character: str) -> bool:
    return bool(unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"))
