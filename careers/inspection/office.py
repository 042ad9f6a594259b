"""DOCX and ODT: which of the two a ZIP file is, and what its parts can do."""

from __future__ import annotations

from careers.inspection import opendocument, signatures, word, xml
from careers.inspection.package import Budget, Package, is_package
from careers.inspection.verdicts import Active, Judged, Refused, Verdict

#: Files inside files: a chart's table inside a text is one level.
DEPTH = 2


def judge(content: bytes) -> Judged:
    """Judge a ZIP file.

    Raises:
        Refused: it is damaged, locked, too large, or no DOCX or ODT.
    """
    if signatures.PDF in content[: signatures.PDF_HEADER_WITHIN]:
        raise Refused(Verdict.TWO_TYPES)
    budget = Budget()
    package = Package(content, budget)
    if word.is_office_open_xml(package):
        if package.has(opendocument.MANIFEST) or opendocument.is_open_document(package):
            # One office program would open it as a DOCX, another one as an ODT.
            raise Refused(Verdict.TWO_TYPES)
        content_type = word.content_type_of(package)
    elif opendocument.is_open_document(package):
        content_type = opendocument.content_type_of(package)
    else:
        raise Refused(Verdict.UNKNOWN_TYPE)
    return Judged(content_type, frozenset(_active(package, budget, DEPTH)))


def _active(package: Package, budget: Budget, depth: int) -> set[Active]:
    """What the parts can do, with those of files inside it. Every checksum is verified."""
    found: set[Active] = set()
    inner = []
    for part in package.verified():
        if signatures.is_program(part.start, part.name):
            found.add(Active.PROGRAM)
        elif part.start.startswith(signatures.OLD_OFFICE):
            # Office 97 objects. Macros are such an object, too, and have their own sentence.
            found.add(Active.OBJECT)
        elif is_package(part.start):
            inner.append(part)
        elif part.name.lower().endswith((".xml", ".rels")) and xml.declares_entities(part.start):
            raise Refused(Verdict.DAMAGED)
    if word.is_office_open_xml(package):
        found |= word.active(package)
    if opendocument.is_open_document(package):
        found |= opendocument.active(package)
    if Active.MACROS in found:
        found.discard(Active.OBJECT)
    for part in inner:
        if not depth:
            raise Refused(Verdict.TOO_COMPLEX)
        found |= _active(Package(package.read(part.name), budget), budget, depth - 1)
    return found
