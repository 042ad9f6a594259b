"""Fields of a Word text (ECMA-376 part 1, 17.16): DDE runs a command, others load something.

The parts are parsed as XML: comments, CDATA and prefixes hide an instruction from a text search.
"""

from __future__ import annotations

import re

from careers.inspection import xml
from careers.inspection.addresses import is_remote, is_web
from careers.inspection.verdicts import Active

_RUNS_COMMAND = re.compile(r"\s*\W?DDE(AUTO)?\b", re.IGNORECASE)
#: The last two load pictures.
_LOADS = re.compile(r"\s*(INCLUDETEXT|LINK|INCLUDEPICTURE|IMPORT)\b(.*)", re.IGNORECASE | re.DOTALL)
_PICTURES = ("INCLUDEPICTURE", "IMPORT")
_WORD = re.compile('["\u201c\u201d]([^"\u201c\u201d]*)["\u201c\u201d]?|(\\S+)')
#: A field whose result is its text, or characters by their codes. Both can stand inside others.
_QUOTE = re.compile(r"\s*QUOTE\b(.*)", re.IGNORECASE | re.DOTALL)


def active(content: bytes) -> set[Active]:
    """What the fields of a part can do.

    Raises:
        Refused: the part has fields and can't be read.
    """
    if b"instr" not in content and b"\0i\0n\0s\0t\0r" not in content:
        return set()
    found: set[Active] = set()
    for instruction in _instructions(content):
        if _RUNS_COMMAND.match(instruction):
            found.add(Active.LAUNCH)
        elif (loads := _LOADS.match(instruction)) and _loads_from_afar(loads[1], loads[2]):
            found.add(Active.EXTERNAL)
    return found


def _instructions(content: bytes) -> list[str]:
    """The instruction of each field, with the results of QUOTE fields inside it."""
    done: list[str] = []
    #: The fields around the current place. The first one is for text outside any.
    around = [[""]]

    def end() -> None:
        instruction = "".join(around.pop())
        done.append(instruction)
        if quote := _QUOTE.match(instruction):
            around[-1].append(_quoted(quote[1]))

    for element in xml.parse(content).iter():
        tag, given = xml.local(element.tag), xml.attributes(element)
        if tag == "fldChar" and given.get("fldCharType") == "begin":
            around.append([])
        elif tag == "fldChar" and given.get("fldCharType") == "end" and len(around) > 1:
            end()
        elif tag == "fldSimple":
            done.append(given.get("instr", ""))
        elif tag == "instrText":
            around[-1].append("".join(element.itertext()))
    while len(around) > 1:
        end()
    return ["".join(around[0]), *done]


def _words(text: str) -> list[str]:
    return [quoted or bare for quoted, bare in _WORD.findall(text)]


def _quoted(text: str) -> str:
    words = _words(text)
    if all(word.isascii() and word.isdigit() and len(word) < 6 for word in words):
        return "".join(chr(int(word)) for word in words)
    return " ".join(words)


def _loads_from_afar(kind: str, text: str) -> bool:
    pictures = kind.upper() in _PICTURES
    return any(is_remote(word) and not (pictures and is_web(word)) for word in _words(text))
