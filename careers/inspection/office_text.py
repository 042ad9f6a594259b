"""The words of a DOCX or ODT, bounded. Where no converter is at hand, this is what HR reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from careers.inspection import opendocument, word, xml
from careers.inspection.package import Budget, Package

#: Characters of one text.
CHARACTERS = 200_000
#: Word writes a text box twice, the second time for old programs; ODF lists what was changed.
_SKIPPED = {"Fallback", "tracked-changes", "annotation", "del", "instrText", "delText"}
_PARAGRAPHS, _BREAKS, _TABS = {"p", "h"}, {"br", "cr", "line-break"}, {"tab"}
_MANY_BREAKS = re.compile(r"\n{3,}")


def read(content: bytes) -> str:
    """The words in the order of the document; headers and footers of a DOCX come first.

    Raises:
        Refused: the file is damaged or exceeds a limit.
    """
    package = Package(content, Budget())
    if word.is_office_open_xml(package):
        main = word.main_part(package)
        types = word.ContentTypes(package)
        margins = [
            name
            for name in package.names()
            if types.of(name).endswith((".header+xml", ".footer+xml"))
        ]
        names = [*margins, main]
    else:
        names = [opendocument.CONTENT]
    pieces: list[str] = []
    left = CHARACTERS
    for name in names:
        for piece in _pieces(xml.parse(package.read(name))):
            pieces.append(piece[:left])
            left -= len(piece)
            if left <= 0:
                return _tidy(pieces)
    return _tidy(pieces)


def _tidy(pieces: list[str]) -> str:
    return _MANY_BREAKS.sub("\n\n", "".join(pieces)).strip()


def _pieces(root: Element) -> Iterator[str]:
    """The texts in order. In a DOCX only ``t`` holds text; in an ODT every element may."""
    is_word = xml.local(root.tag) in ("document", "hdr", "ftr")
    #: Elements to visit, and texts to yield after their children.
    waiting: list[Element | str] = [root]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
            continue
        tag = xml.local(item.tag) if isinstance(item.tag, str) else ""
        if tag in _SKIPPED:
            continue
        if tag in _TABS:
            yield "\t"
        elif tag in _BREAKS:
            yield "\n"
        elif tag == "s" and not is_word:
            yield " "
        if item.text and (tag == "t" if is_word else item.text.strip() or tag in _INLINE):
            yield item.text
        if tag in _PARAGRAPHS:
            waiting.append("\n")
        for child in reversed(item):
            if child.tail and not is_word and (child.tail.strip() or tag in _INLINE):
                waiting.append(child.tail)
            waiting.append(child)


#: In these elements of an ODT a space is text, not layout of the XML.
_INLINE = {"p", "h", "span", "a"}
