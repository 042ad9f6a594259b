"""XML of strangers: no document type, no entities, bounded."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from careers.inspection.verdicts import Refused, Verdict

#: Elements of a part that has to be understood.
ELEMENTS = 400_000
_DECLARATION = re.compile(rb"<!(DOCTYPE|ENTITY)")


def parse(content: bytes) -> Element:
    """The root element.

    Raises:
        Refused: it is no XML, has a document type or entities, or is too large.
    """
    # No element is shorter than "<a/>"; counting comes before parsing.
    if content.count(b"<") > 2 * ELEMENTS:
        raise Refused(Verdict.TOO_COMPLEX)
    try:
        root: Element = ElementTree.fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError):
        raise Refused(Verdict.DAMAGED) from None
    return root


def declares_entities(start: bytes) -> bool:
    """Whether XML begins with a document type; office programs write none."""
    return bool(_DECLARATION.search(start.replace(b"\0", b"")))


def local(name: str) -> str:
    """The name of an element or attribute without its namespace."""
    return name.rpartition("}")[2]


def attributes(element: Element) -> dict[str, str]:
    """The attributes of an element, without namespaces."""
    return {local(name): value for name, value in element.attrib.items()}
