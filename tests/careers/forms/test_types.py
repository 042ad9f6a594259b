"""The registries of question types, and a type that another app adds."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import AppConfig, apps
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from careers.applications import question_types
from careers.applications.frozen import FrozenForm, Option, Question
from careers.forms import types
from careers.forms.builder import ApplicationForm
from careers.forms.questions_field import QuestionsField

QUESTION_TYPES = """
from careers.applications.question_types import QuestionType, register

@register
class Stars(QuestionType):
    name = "stars"
    minutes = 0.1

    def to_json(self, value):
        return int(value)

    def words(self, question, value):
        return ["★" * value]

    def cell(self, question, value):
        return str(value)
"""
FORM_TYPES = """
from django import forms
from careers.forms.blocks import QuestionBlock
from careers.forms.types import FieldType, register

@register
class Stars(FieldType):
    name = "stars"

    def block(self):
        return QuestionBlock(label="Stars", icon="pick")

    def field(self, question):
        return forms.IntegerField(**self.options(question), max_value=5)
"""


@pytest.fixture
def stars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Question]:
    """An installed app that adds the type ``stars``, and a question of that type."""
    app = tmp_path / "stars_app"
    app.mkdir()
    for name, text in {
        "__init__.py": "",
        "question_types.py": QUESTION_TYPES,
        "form_types.py": FORM_TYPES,
    }.items():
        (app / name).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    for registry in (question_types, types):
        monkeypatch.setattr(registry, "_registered", dict(registry._registered))
        registry._discover.cache_clear()
    # Changing INSTALLED_APPS would call the ready() of every app again.
    monkeypatch.setitem(apps.app_configs, "stars_app", AppConfig.create("stars_app"))
    yield Question("it", "stars", "How many stars?")
    for name in [name for name in sys.modules if name.split(".")[0] == "stars_app"]:
        del sys.modules[name]


def test_every_question_type_has_a_field_type() -> None:
    questions = [Question("it", name, "What?") for name in question_types.names()]
    assert [types.field_type(question).name for question in questions] == question_types.names()


def test_choosable_types_keep_their_names_and_order() -> None:
    # Pages store these names.
    assert [name for name, _block in types.choosable()] == [
        "short_text",
        "long_text",
        "single_choice",
        "multiple_choice",
        "yes_no",
        "number",
        "date",
        "link",
        "file",
        "consent",
        "note",
    ]


def test_type_of_another_app_is_choosable_last(stars: Question) -> None:
    assert list(QuestionsField().stream_block.child_blocks)[-1] == "stars"


def test_type_of_another_app_is_asked_stored_and_read(stars: Question) -> None:
    frozen = FrozenForm("Job", "Company", "en", "UTC", (stars,))
    form = ApplicationForm(frozen, job_key=uuid.uuid4(), data=QueryDict("q-it=4"), files=None)
    assert form.is_valid(), form.errors
    assert form.answers == {"it": 4}
    kind = question_types.type_of(stars)
    assert kind.in_words(stars, 4) == ["★★★★"]
    assert kind.cell(stars, 4) == "4"
    assert 'type="number"' in form["q-it"].as_widget()


def test_type_of_another_app_needs_no_migration(stars: Question) -> None:
    _name, path, args, kwargs = QuestionsField(blank=True).deconstruct()
    assert path == "careers.forms.questions_field.QuestionsField"
    assert (args, kwargs) == ([], {"blank": True})


def test_answer_of_a_removed_type_reads_as_text() -> None:
    asked = Question("it", "stars", "How many stars?")
    assert question_types.type_of(asked).in_words(asked, 4) == ["4"]


def test_form_with_an_unknown_type_raises() -> None:
    with pytest.raises(ValueError, match="stars"):
        types.field_type(Question("it", "stars", "How many stars?"))


def test_register_with_a_taken_name_raises() -> None:
    class Other(question_types.QuestionType):
        name = "date"

    question_types.names()
    with pytest.raises(ValueError, match="date"):
        question_types.register(Other)


@pytest.mark.parametrize("name", [name for name, _block in types.choosable()])
def test_example_of_each_choosable_type_is_valid(name: str) -> None:
    asked = Question("it", name, "What?", options=(Option("a", "A"), Option("b", "B")))
    example = types.field_type(asked).example(asked)
    data = QueryDict(mutable=True)
    data.setlist("q-it", example if isinstance(example, list) else [example or ""])
    frozen = FrozenForm("Job", "Company", "en", "UTC", (asked,))
    form = ApplicationForm(frozen, job_key=uuid.uuid4(), data=data, files=MultiValueDict())
    assert form.is_valid(), form.errors
