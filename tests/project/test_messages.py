"""Every text that people read has a French translation."""

from __future__ import annotations

import ast
import gettext
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import polib
import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "locale" / "fr" / "LC_MESSAGES" / "django.po"
HINT = "Run bin/messages, translate what is new in locale/fr, and run it again."

PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%%\w+|\{\w*\}")
TAG = re.compile(r"</?[a-z][^>]*>")


@pytest.fixture(scope="module")
def french() -> list[polib.POEntry]:
    return list(polib.pofile(str(CATALOGUE)))


def texts(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def test_catalogue_contains_every_text_of_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any, french: list[polib.POEntry]
) -> None:
    for name in ("careers", "home", "site", "templates"):
        ignore = shutil.ignore_patterns("__pycache__", "migrations")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
    (tmp_path / "locale").mkdir()
    monkeypatch.chdir(tmp_path)
    settings.LOCALE_PATHS = []
    call_command("makemessages", locale=["fr"], no_location=True, verbosity=0)
    source = polib.pofile(str(tmp_path / "locale" / "fr" / "LC_MESSAGES" / "django.po"))
    asked = {(entry.msgctxt, entry.msgid, entry.msgid_plural) for entry in source}
    known = {(entry.msgctxt, entry.msgid, entry.msgid_plural) for entry in french}
    assert known - asked == set(), HINT
    assert asked - known == set(), HINT


def test_no_text_is_translated_inside_an_f_string() -> None:
    """xgettext does not read f-strings, so such a text would never reach the catalogue."""
    calls = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext"}
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for folder in ("careers", "home", "site")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for text in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(text, ast.JoinedStr)
        for node in ast.walk(text)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in calls
    ]
    assert found == []


def test_every_text_is_translated(french: list[polib.POEntry]) -> None:
    assert [entry.msgid for entry in french if entry.fuzzy or entry.obsolete] == [], HINT
    assert [entry.msgid for entry in french if not all(texts(entry))] == [], HINT


def test_translations_keep_placeholders_and_tags(french: list[polib.POEntry]) -> None:
    for entry in french:
        # The last form is the one that counts; a singular may say "one".
        wanted, text = entry.msgid_plural or entry.msgid, texts(entry)[-1]
        assert Counter(PLACEHOLDER.findall(text)) == Counter(PLACEHOLDER.findall(wanted)), text
        assert sorted(TAG.findall(text)) == sorted(TAG.findall(wanted)), text
        known = set(PLACEHOLDER.findall(entry.msgid + entry.msgid_plural))
        assert all(set(PLACEHOLDER.findall(form)) <= known for form in texts(entry)), text
        outer = (wanted[0].isspace(), wanted[-1].isspace())
        assert (text[0].isspace(), text[-1].isspace()) == outer, text


def test_french_typography_is_used(french: list[polib.POEntry]) -> None:
    """No-break spaces before ; : ! ? and inside « », curly apostrophes."""
    for entry in french:
        for form in texts(entry):
            plain = TAG.sub("", form)
            assert not re.search(r"[ \w)»][;!?](\s|$)|\w:\s| :", plain), form
            assert not re.search(r"«[^\u202f]|[^\u202f]»|['“”\"]|\.\.\.", plain), form


def test_compiled_catalogue_equals_the_source_catalogue(french: list[polib.POEntry]) -> None:
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for entry in french:
        context = (entry.msgctxt,) if entry.msgctxt else ()
        for number, text in zip((1, 2), texts(entry), strict=False):
            if entry.msgid_plural:
                ids = (entry.msgid, entry.msgid_plural, number)
                said = (compiled.npgettext if context else compiled.ngettext)(*context, *ids)
            else:
                said = (compiled.pgettext if context else compiled.gettext)(*context, entry.msgid)
            assert said == text, HINT
