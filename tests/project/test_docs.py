"""Links in the documents lead somewhere, and each picture is taken and shown."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from careers import archive
from careers.applications.models import Application, FileBytes
from tests.support.factories import ApplicationFactory, ApplicationFileFactory
from tests.support.pictures import FILE_LIMIT, HERE, PICTURES, TOTAL_LIMIT
from tests.support.servers import HostileS3, close_archive

ROOT = Path(__file__).resolve().parents[2]
TOP = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
DOCUMENTS = [*(ROOT / name for name in TOP), *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
#: Folders whose files the documents name, such as ``careers/apply/decide.py``.
FOLDERS = (
    "bench",
    "bin",
    "careers",
    "docs",
    "home",
    "locale",
    "prove",
    "site",
    "static",
    "templates",
    "tests",
)
ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def prose(document: Path) -> str:
    """A document without its code, in which brackets have another meaning."""
    text = re.sub(r"^ {0,3}```.*?^ {0,3}```", "", document.read_text("utf-8"), flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "code", text)


def links(document: Path) -> list[str]:
    """The targets of the links and pictures in a document, except other sites."""
    return [target for target in LINK.findall(prose(document)) if not ELSEWHERE.match(target)]


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, made by GitHub's rules."""
    text = re.sub(r"^ {0,3}```.*?^ {0,3}```", "", document.read_text("utf-8"), flags=re.M | re.S)
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", text, flags=re.M):
        words = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        kept = (c for c in words if c in " -_" or unicodedata.category(c)[0] in "LMN")
        name, number = "".join(kept).replace(" ", "-"), 0
        while (anchor := f"{name}-{number}" if number else name) in found:
            number += 1
        found.add(anchor)
    return found


def broken(document: Path) -> list[str]:
    """The links of a document that lead nowhere."""
    wrong = []
    for link in links(document):
        path, _hash, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        there = not path or (target.is_relative_to(ROOT) and target.exists())
        if not there or (anchor and anchor not in anchors(target)):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_of_a_document_has_a_target(document: Path) -> None:
    assert broken(document) == []


def test_anchors_follow_the_rules_of_github(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(
        "# The `row`, and *more*: é_1\n```\n# no heading\n```\n## Twice\n## Twice\n## A [b](c.md)\n"
    )
    assert anchors(document) == {"the-row-and-more-é_1", "twice", "twice-1", "a-b"}


def test_broken_link_is_found(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(
        "# Here\n[a](missing.md) [b](#gone) [c](#here) [d](https://example.org) `[e](code.md)`\n"
        "![f](no.png) [g](missing.md#x)\n"
    )
    assert broken(document) == ["missing.md", "#gone", "no.png", "missing.md#x"]


def test_every_document_is_linked_from_the_readme_or_its_links() -> None:
    reached, waiting = {ROOT / "README.md"}, [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        paths = {link.partition("#")[0] for link in links(document)}
        for target in {(document.parent / path).resolve() for path in paths if path}:
            if target.suffix == ".md" and target not in reached:
                reached.add(target)
                waiting.append(target)
    assert sorted(set(DOCUMENTS) - reached) == []


def named_files(document: Path) -> list[str]:
    """The files of this repository that a document names, with ``*`` for ``<name>``."""
    text = re.sub(r"^ {0,3}```.*?^ {0,3}```", "", document.read_text("utf-8"), flags=re.M | re.S)
    names = re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w/.<>-]+)`", text)
    return [re.sub(r"<\w+>", "*", name) for name in names]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_file_that_a_document_names_exists(document: Path) -> None:
    assert [name for name in named_files(document) if not any(ROOT.glob(name))] == []


def test_each_picture_is_taken_shown_and_small() -> None:
    taken = sorted(f"{picture.name}.png" for picture in PICTURES)
    files = {path.name: path.stat().st_size for path in HERE.iterdir()}
    shown = {
        (document.parent / link).resolve()
        for document in DOCUMENTS
        for link in links(document)
        if link.endswith(".png")
    }
    assert sorted(files) == taken
    assert sorted(shown) == sorted(HERE / name for name in taken)
    assert [name for name, size in files.items() if size > FILE_LIMIT] == []
    assert sum(files.values()) < TOTAL_LIMIT


@pytest.mark.django_db
def test_deletion_by_hand_removes_one_application_completely(settings: Any) -> None:
    """Runs the lines for the shell in ``docs/privacy.md``."""
    lines = re.findall(
        r"^(?:>>>|\.\.\.) ?(.*)$", (ROOT / "docs" / "privacy.md").read_text("utf-8"), flags=re.M
    )
    gone, stays = ApplicationFactory(), ApplicationFactory()
    with HostileS3() as s3:
        settings.STORAGES = s3.storages()
        archive.ensure_bucket()
        for application, content in ((gone, b"%PDF to delete"), (stays, b"%PDF to keep")):
            file = ApplicationFileFactory(application=application, content=content, archived=True)
            ApplicationFileFactory(application=application, content=content, kind="pdf")
            archive.put(file.object_key, content, file.content_type)
        exec("\n".join(lines).replace("ABCD-1234", gone.reference), {})
        close_archive()
        assert list(s3.objects) == [file.object_key]
    assert list(Application.objects.all()) == [stays]
    assert FileBytes.objects.count() == 1
