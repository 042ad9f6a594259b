"""Office Open XML (ECMA-376): parts are found by content type and relationship, never by name."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from urllib.parse import unquote

from careers.inspection import fields, xml
from careers.inspection.addresses import is_remote, is_web
from careers.inspection.package import Package, is_package
from careers.inspection.verdicts import DOCX, Active, Refused, Verdict

TYPES, ROOT_RELATIONSHIPS = "[Content_Types].xml", "_rels/.rels"
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_WITH_MACROS = "application/vnd.ms-word.document.macroenabled.main+xml"
#: Excel, PowerPoint and templates: known, but not accepted.
_OTHER_MAIN = re.compile(
    r"spreadsheetml|presentationml|drawingml|ms-excel|ms-power|ms-word|template"
)

#: How a content type or relationship type says what a part is, in lower case.
_MACRO_WORDS = ("vbaproject", "vbadata", "macroenabled", "wordvba", "macrosheet", "dialogsheet")
_OBJECT_WORDS = ("oleobject", "activex", "/control")
#: Relationships that load from an address only when the reader follows them, or only a picture.
_LINKS, _MEDIA = ("/hyperlink",), ("/image", "/video", "/audio", "/media")
#: A text of another format, such as RTF or a web page with all its files (ECMA-376 1, 17.17.2.1).
_IMPORT = "/afchunk"


@dataclass(frozen=True)
class Relationship:
    """One part's use of another part, or of something outside the file."""

    type: str
    target: str
    is_external: bool


class ContentTypes:
    """What each part is, by ``[Content_Types].xml`` (ECMA-376 part 2, 6.2.3)."""

    def __init__(self, package: Package) -> None:
        self._by_extension: dict[str, str] = {}
        self._by_name: dict[str, str] = {}
        for element in xml.parse(package.read(TYPES)):
            given = xml.attributes(element)
            kind = given.get("ContentType", "").strip().lower()
            if xml.local(element.tag) == "Default":
                self._by_extension[given.get("Extension", "").lower()] = kind
            elif xml.local(element.tag) == "Override":
                self._by_name[given.get("PartName", "").lstrip("/").lower()] = kind

    def of(self, name: str) -> str:
        """The content type of a part, in lower case; "" when none is given."""
        name = name.lower()
        extension = name.rpartition(".")[2]
        return self._by_name.get(name) or self._by_extension.get(extension, "")


def is_office_open_xml(package: Package) -> bool:
    """Whether a ZIP file follows the packaging conventions of Office Open XML."""
    return package.has(TYPES) and package.has(ROOT_RELATIONSHIPS)


def content_type_of(package: Package) -> str:
    """DOCX, for a text document.

    Raises:
        Refused: it is another document, or its main part is missing or no XML.
    """
    main = main_part(package)
    kind = ContentTypes(package).of(main)
    if kind in (_MAIN, _WITH_MACROS):
        xml.parse(package.read(main))
        return DOCX
    if _OTHER_MAIN.search(kind):
        raise Refused(Verdict.OTHER_OFFICE)
    raise Refused(Verdict.UNKNOWN_TYPE if kind else Verdict.DAMAGED)


def main_part(package: Package) -> str:
    """The name of the main part, which any program may choose.

    Raises:
        Refused: no relationship leads to one.
    """
    for relationship in relationships(package, ROOT_RELATIONSHIPS):
        if relationship.type.endswith("/officedocument") and not relationship.is_external:
            name = part_name("", relationship.target)
            if package.has(name):
                return name
    raise Refused(Verdict.DAMAGED)


def relationships(package: Package, name: str) -> list[Relationship]:
    """The relationships in a part such as ``_rels/.rels``; types are in lower case."""
    content = package.read(name)
    if not content:
        return []
    found = []
    for element in xml.parse(content):
        given = xml.attributes(element)
        found.append(
            Relationship(
                type=given.get("Type", "").strip().lower(),
                target=given.get("Target", "").strip(),
                is_external=given.get("TargetMode", "").strip().lower() == "external",
            )
        )
    return found


def part_name(folder: str, target: str) -> str:
    """The name of the part that a relationship of a part in ``folder`` leads to."""
    path = unquote(target).replace("\\", "/")
    return posixpath.normpath(posixpath.join("/", folder, path)).lstrip("/")


def active(package: Package) -> set[Active]:
    """What the document can do on the reader's machine."""
    found: set[Active] = set()
    types = ContentTypes(package)
    for name in package.names():
        kind = types.of(name)
        if any(word in kind for word in _MACRO_WORDS):
            found.add(Active.MACROS)
        elif any(word in kind for word in _OBJECT_WORDS):
            found.add(Active.OBJECT)
        if name.lower().endswith(".rels"):
            for relationship in relationships(package, name):
                found |= _active_relationship(relationship)
                if relationship.type.endswith(_IMPORT) and not relationship.is_external:
                    folder = posixpath.dirname(posixpath.dirname(name))
                    part = part_name(folder, relationship.target)
                    # Word converts it when it opens the text. Another Word file is judged itself.
                    if not is_package(package.read(part)):
                        found.add(Active.OBJECT)
        elif kind.endswith("+xml") and "wordprocessingml" in kind:
            found |= fields.active(package.read(name))
    return found


def _active_relationship(relationship: Relationship) -> set[Active]:
    if any(word in relationship.type for word in _MACRO_WORDS):
        return {Active.MACROS}
    if relationship.type.endswith(_LINKS):
        return set()
    is_web_media = is_web(relationship.target) and relationship.type.endswith(_MEDIA)
    if relationship.is_external and is_remote(relationship.target) and not is_web_media:
        return {Active.EXTERNAL}
    if any(word in relationship.type for word in _OBJECT_WORDS):
        return {Active.OBJECT}
    return set()
