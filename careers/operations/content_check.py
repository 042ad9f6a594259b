"""Check what editors put on the pages: pictures, documents, links and settings that can't be used.

A page leaves out what it can't show, so nobody would notice. Each check reads every page that is
public, and the files that the pages show.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import Model
from wagtail.documents import get_document_model
from wagtail.images import get_image_model
from wagtail.models import Page

from careers import documents
from careers.operations import findings
from careers.operations.models import Finding, Severity
from home.colour import is_colour
from home.models import CompanyTranslation, SiteSettings
from home.pictures import Unusable
from home.pictures import check as check_picture
from home.values.zone import zone_named

TASK = "careers.check_content"
SOURCE = "content-check"
#: How many things of each kind a finding names.
NAMED = 5


def run() -> None:
    """Check the content and report what is wrong until the next check."""
    findings.report(SOURCE, check(), lasts=findings.RUNS)


def check() -> list[Finding]:
    """What pages are shown without, and which fonts can't be read."""
    found = []
    wrong = _unusable_settings() + _unusable_references()
    if wrong:
        facts: dict[str, Any] = {}
        for kind, *names in sorted(set(wrong)):
            facts.setdefault(kind, []).append(names)
        facts = {kind: names[: NAMED + 1] for kind, names in facts.items()}
        found.append(Finding(code="content", severity=Severity.WARNING, facts=facts))
    if damaged := documents.damaged_fonts():
        facts = {"fonts": damaged[: NAMED + 1]}
        found.append(Finding(code="fonts-damaged", severity=Severity.WARNING, facts=facts))
    return found


def _unusable_settings() -> list[tuple[str, ...]]:
    """Values that only an import or a new release of the system can have made unusable."""
    wrong: list[tuple[str, ...]] = []
    for company in SiteSettings.objects.all():
        if not is_colour(company.accent_colour):
            wrong.append(("settings", "accent_colour"))
        if zone_named(company.time_zone) is None:
            wrong.append(("settings", "time_zone"))
    return wrong


def _unusable_references() -> list[tuple[str, ...]]:
    """What pages refer to that is gone or unusable: its kind, its title, and where it is shown."""
    used: dict[type[Model], dict[str, set[str]]] = {}
    wrong: list[tuple[str, ...]] = []
    for owner, where in _owners():
        for field in owner._meta.get_fields():
            try:
                for model, key in _references(owner, field):
                    used.setdefault(model, {}).setdefault(key, set()).add(where)
            except (KeyError, ValueError):  # a link without its target, for instance from an import
                wrong.append(("links", where))
    for model, owners in used.items():
        keys = [key for key in owners if key.isascii() and key.isdecimal()]
        there = {str(row.pk): row for row in model._default_manager.filter(pk__in=keys)}
        for key, places in owners.items():
            for where in places:
                if key not in there:
                    wrong.append(("links", where))
                elif kind := _unusable_file(there[key]):
                    wrong.append((kind, str(there[key]), where))
    return wrong


def _owners() -> Iterator[tuple[Model, str]]:
    """Everything that visitors read, with the title of the page; "" for the company's settings."""
    for page in Page.objects.live().specific().iterator():
        yield page, page.title
    for model in (SiteSettings, CompanyTranslation):
        for row in model.objects.all():
            yield row, ""


def _references(owner: Model, field: Any) -> Iterator[tuple[type[Model], str]]:
    """What a field refers to, whether that still exists or not, as model and key."""
    if hasattr(field, "extract_references"):
        for model, key, *_path in field.extract_references(field.value_from_object(owner)):
            yield model, str(key)
    elif field.many_to_one and field.related_model is get_image_model():
        key = field.value_from_object(owner)
        if key is not None:
            yield get_image_model(), str(key)


def _unusable_file(row: Model) -> str:
    """The kind of a picture or document whose file can't be used; "" for everything else."""
    if not isinstance(row, (get_image_model(), get_document_model())):
        return ""
    kind = "pictures" if isinstance(row, get_image_model()) else "documents"
    try:
        name = row.file.name
        size = default_storage.size(name)
        if kind == "documents":
            return "" if size else kind
        changed = default_storage.get_modified_time(name).timestamp()
        return "" if _is_picture(name, size, changed) else kind
    except (OSError, ValueError):
        return kind


@functools.lru_cache(maxsize=4000)
def _is_picture(name: str, size: int, changed: float) -> bool:
    """Whether a file is a usable picture. Decoding takes long, so one version is decoded once."""
    try:
        with default_storage.open(name) as file:
            check_picture(file)
    except Unusable:
        return False
    return True
