"""The data map knows every field, and every place that shows it shows the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command

from careers.applications.models import Application
from careers.management.commands import data_map as command
from careers.retention import checks, data_map
from careers.retention.record import tables
from tests.support.factories import ApplicationFactory

ROOT = Path(__file__).parents[3]


def test_every_field_of_this_site_is_declared() -> None:
    assert list(data_map.undeclared()) == []
    assert checks.check_data_map() == []


def test_every_declared_field_exists() -> None:
    elsewhere = {"wagtailsearch.IndexEntry": {"title_text", "body_text"}}  # on PostgreSQL
    for model in apps.get_models(include_auto_created=True):
        label, declaration = model._meta.label, data_map.declaration_of(model)
        has = {field.name for field in model._meta.local_concrete_fields}
        declared = {*declaration.personal, *declaration.plain} if declaration else set()
        assert declared - has - elsewhere.get(label, set()) == set(), label


def test_undeclared_field_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    label = "careers.ConsentRecord"
    declared = data_map._declared[label]
    personal = {name: field for name, field in declared.personal.items() if name != "text"}
    changed = {**data_map._declared, label: replace(declared, personal=personal)}
    del changed["careers.FileBytes"]
    monkeypatch.setattr(data_map, "_declared", changed)
    names = ["careers.ConsentRecord.text", "careers.FileBytes.content"]
    assert list(data_map.undeclared()) == names
    (warning,) = checks.check_data_map()
    assert warning.id == "careers.W001"
    assert all(name in str(warning) for name in names)


def test_declare_refuses_contradictions() -> None:
    with pytest.raises(ValueError, match="twice"):
        data_map.declare("careers.Step")
    name = data_map._declared["careers.Application"].personal["name"]
    with pytest.raises(ValueError, match="as plain: name"):
        data_map.declare("acme.Rating", personal={"name": name}, plain="name stars")


@pytest.mark.django_db
def test_every_path_leads_to_the_application() -> None:
    mine, other = ApplicationFactory.create_batch(2)
    paths = {
        declaration.label: declaration.path
        for declaration in data_map.declarations()
        if declaration.path is not None
    }
    for label, path in paths.items():
        rows = apps.get_model(label)._default_manager.filter(**{path or "pk": mine.pk})
        # The query is valid, and leads to no row of another person.
        assert not rows.filter(**{path or "pk": other.pk}).exists()
    related = {
        relation.related_model._meta.label
        for relation in Application._meta.related_objects
        if relation.related_model is not Application
    }
    assert related <= set(paths)


def test_document_has_the_tables_of_the_data_map(tmp_path: Path) -> None:
    document = tmp_path / "privacy.md"
    committed = (ROOT / "docs" / "privacy.md").read_text()
    document.write_text(committed)
    call_command(command.Command(), write=document)
    assert document.read_text() == committed, "run: manage.py data_map --write docs/privacy.md"
    assert all(f"| {table.title} |" in committed for table in tables())
