"""Office Open XML (ECMA-376): parts are found by content type and relationship, never by name."""

from __future__ import annotations

import html
import posixpath
import re
from dataclasses import dataclass
from urllib.parse import unquote

from careers.inspection import xml
from careers.inspection.package import Package
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

_FIELD = re.compile(
    rb"<(?:\w+:)?fldChar\b[^<>]*?\bfldCharType\s*=\s*[\"'](begin|separate|end)"
    rb"|<(?:\w+:)?instrText\b[^<>]*>([^<]*)<"
    rb"|<(?:\w+:)?fldSimple\b[^<>]*?\binstr\s*=\s*(\"[^\"]*\"|'[^']*')"
)
_RUNS_COMMAND = re.compile(r"\s*\"?\s*DDE(AUTO)?\b", re.IGNORECASE)
_LOADS = re.compile(r"\s*(INCLUDETEXT|INCLUDEPICTURE|IMPORT|LINK)\b(.*)", re.IGNORECASE | re.DOTALL)
_NETWORK_PATH = re.compile(r"[\"\s](\\\\|//|\\\\\\\\)[^\\/\s]|\bfile:////")


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
        elif kind.endswith("+xml") and "wordprocessingml" in kind:
            found |= active_fields(package.read(name))
    return found


def _active_relationship(relationship: Relationship) -> set[Active]:
    if any(word in relationship.type for word in _MACRO_WORDS):
        return {Active.MACROS}
    if relationship.type.endswith(_LINKS):
        return set()
    if relationship.is_external and is_remote(relationship.target):
        is_web = relationship.target.lower().startswith(("http://", "https://"))
        if not (is_web and relationship.type.endswith(_MEDIA)):
            return {Active.EXTERNAL}
    if any(word in relationship.type for word in _OBJECT_WORDS):
        return {Active.OBJECT}
    return set()


def is_remote(target: str) -> bool:
    """Whether an address leads to another machine.

    Word itself writes the template that a text was made from, as a path on the author's machine.
    """
    target = unquote(html.unescape(target)).strip()
    if target.startswith(("\\\\", "//")):
        return True
    scheme, colon, rest = target.partition(":")
    if not colon or len(scheme) == 1 or not scheme.isascii():
        return False  # relative, or C:\…
    if scheme.lower() != "file":
        return scheme.lower() != "mailto"
    slashes = len(rest) - len(rest.lstrip("/\\"))
    path = rest[slashes:].lower()
    if slashes == 2:
        return not (path.startswith(("localhost/", "localhost\\")) or path[1:2] == ":")
    return slashes > 3 and path[1:2] != ":"


def active_fields(content: bytes) -> set[Active]:
    """What the fields of a text can do: DDE runs a command, others load from the network."""
    if b"instr" not in content and b"\0i\0n\0s\0t\0r" not in content:
        return set()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        content = content.decode("utf-16", "replace").encode()
    fields: list[str] = [""]
    for begin, instruction, simple in _FIELD.findall(content):
        if begin:
            fields.append("")
        elif simple:
            fields.append(html.unescape(simple[1:-1].decode("utf-8", "replace")))
        else:
            fields[-1] += html.unescape(instruction.decode("utf-8", "replace"))
    found = set()
    for field in fields:
        if _RUNS_COMMAND.match(field):
            found.add(Active.LAUNCH)
        elif (loads := _LOADS.match(field)) and _NETWORK_PATH.search(loads[2]):
            found.add(Active.EXTERNAL)
    return found
