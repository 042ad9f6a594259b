"""OpenDocument (ISO/IEC 26300): what it is and whether it is locked stand in its manifest."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from careers.inspection import xml
from careers.inspection.addresses import is_remote, is_web
from careers.inspection.package import Package
from careers.inspection.verdicts import ODT, Active, Refused, Verdict

MIMETYPE, MANIFEST, CONTENT = "mimetype", "META-INF/manifest.xml", "content.xml"
_FAMILY = "application/vnd.oasis.opendocument."

#: LibreOffice writes empty libraries into texts without macros; only other files are code.
_EMPTY_LIBRARY = re.compile(r"(script|dialog)-l[bc]\.xml$", re.IGNORECASE)
_CODE_FOLDERS = ("basic/", "scripts/", "dialogs/")
#: Elements that load what their address names.
_LOADING = {
    "section-source",
    "object",
    "object-ole",
    "plugin",
    "applet",
    "template",
    "floating-frame",
    "form",
}
#: Addresses that run something when the reader follows them.
_RUNNING = ("vnd.sun.star.script:", "macro:", "service:", ".uno:")
_DDE = {"dde-source", "dde-connection-decl"}
_READ = (CONTENT, "styles.xml", "meta.xml", "settings.xml")


def is_open_document(package: Package) -> bool:
    """Whether a ZIP file is an OpenDocument file."""
    return _declared(package).startswith(_FAMILY)


def _declared(package: Package) -> str:
    """The media type that the file declares, first in ``mimetype`` and else in its manifest."""
    if package.has(MIMETYPE):
        return package.read(MIMETYPE, 1000).decode("ascii", "replace").strip()
    if package.has(MANIFEST):
        for entry in _entries(package):
            if xml.attributes(entry).get("full-path") == "/":
                return xml.attributes(entry).get("media-type", "").strip()
    return ""


def _entries(package: Package) -> list[Element]:
    content = package.read(MANIFEST)
    return list(xml.parse(content)) if content else []


def content_type_of(package: Package) -> str:
    """ODT, for a text document.

    Raises:
        Refused: it is another document, it is locked, or a part is missing or no XML.
    """
    if _declared(package) != ODT:
        raise Refused(Verdict.OTHER_OFFICE)
    for entry in _entries(package):
        if any(xml.local(child.tag) == "encryption-data" for child in entry):
            raise Refused(Verdict.LOCKED)
    if package.has("encrypted-package"):
        raise Refused(Verdict.LOCKED)
    if not package.has(CONTENT):
        raise Refused(Verdict.DAMAGED)
    xml.parse(package.read(CONTENT))
    return ODT


def active(package: Package) -> set[Active]:
    """What the document can do on the reader's machine."""
    found: set[Active] = set()
    for name in package.names():
        lower = name.lower()
        is_code = lower.startswith(_CODE_FOLDERS) and not lower.endswith("/")
        if is_code and not _EMPTY_LIBRARY.search(lower):
            found.add(Active.MACROS)
        if lower.rpartition("/")[2] in _READ and not lower.startswith("meta-inf/"):
            found |= _active_content(xml.parse(package.read(name)))
    for entry in _entries(package):
        kind = xml.attributes(entry).get("media-type", "").lower()
        if "oleobject" in kind or kind == "application/x-openoffice-gdimetafile;ole":
            found.add(Active.OBJECT)
        elif "java" in kind:
            found.add(Active.MACROS)
    return found


def _active_content(root: Element) -> set[Active]:
    """Walks the elements: prefixes are the sender's choice, so text search would miss some."""
    found = set()
    for element in root.iter():
        tag, given = xml.local(element.tag), xml.attributes(element)
        address = given.get("href", "")
        if tag == "event-listener":
            if given.get("language") != "ooo:script" or address or "macro-name" in given:
                found.add(Active.MACROS)
        elif tag == "a":
            if address.strip().lower().startswith(_RUNNING):
                found.add(Active.MACROS)
        elif tag in _DDE:
            found.add(Active.EXTERNAL)
        elif is_remote(address) and (tag in _LOADING or not is_web(address)):
            # Pictures from the web are common. One from a share gives away a password's hash.
            found.add(Active.EXTERNAL)
    return found
