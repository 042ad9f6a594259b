"""Code of the previous release reads what this release stores, while both run during a deploy."""

from __future__ import annotations

import json
import subprocess
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from careers.applications.frozen import FrozenForm, Option, Question
from careers.forms.types import field_type
from tests.support.previous import COMMIT
from tests.support.stack import ROOT


def previous_module(name: str) -> ModuleType:
    """A module as it was in the previous release; what it imports is of this one."""
    path = f"{COMMIT}:{name.replace('.', '/')}.py"
    source = subprocess.run(["git", "show", path], cwd=ROOT, capture_output=True, text=True)
    if source.returncode:
        pytest.skip("the previous release is in the history, which is not here")
    module = ModuleType(f"previous.{name}")
    sys.modules[module.__name__] = module  # dataclasses look there
    exec(compile(source.stdout, path, "exec"), vars(module))
    return module


@pytest.fixture(scope="module")
def frozen() -> ModuleType:
    return previous_module("careers.applications.frozen")


@pytest.fixture(scope="module")
def answers() -> ModuleType:
    return previous_module("careers.applications.answers")


@pytest.mark.parametrize(
    ("settings", "typed", "stored", "shown"),
    [
        ({}, "45 000", "45000", "45000"),
        ({}, "€45 000", "45000 €", "45000 €"),
        ({"currency": "EUR"}, "45 000,50 €", "45000.5 (EUR)", "45000.5 (EUR)"),
        ({"currency": "JPY", "minimum": "0", "whole": "yes"}, "5", "5 (JPY)", "5 (JPY)"),
        ({"unit": "hours (a week)", "maximum": "40"}, "20", *["20 (hours (a week))"] * 2),
        ({}, "", None, ""),
    ],
)
def test_previous_release_shows_a_number_with_its_unit(
    frozen: ModuleType,
    answers: ModuleType,
    settings: dict[str, str],
    typed: str,
    stored: str | None,
    shown: str,
) -> None:
    question = Question("pay", "number", "Pay", settings=tuple(settings.items()))
    answer = field_type(question).field(question)
    answer.required = False
    assert answer.clean(typed) == stored
    form = FrozenForm("Job", "Company", "en", "UTC", (question,))
    data = json.loads(json.dumps(form.to_json()))
    (asked,) = frozen.FrozenForm.from_json(data).questions
    application: Any = SimpleNamespace(
        files=SimpleNamespace(all=list),
        answers={"pay": stored},
        frozen_form=SimpleNamespace(questions=(asked,)),
    )
    (read,) = answers.readable(application)
    assert (read.label, " ".join(read.paragraphs)) == ("Pay", shown)
    assert FrozenForm.from_json(data) == form


def test_previous_release_reads_options_beside_settings(frozen: ModuleType) -> None:
    options = (Option("a", "One"),)
    question = Question("it", "rating", "Stars", options=options, settings=(("most", "5"),))
    form = FrozenForm("Job", "Company", "en", "UTC", (question,))
    (asked,) = frozen.FrozenForm.from_json(form.to_json()).questions
    assert asked.option_label("a") == "One"
    assert FrozenForm.from_json(form.to_json()) == form


def test_edition_is_that_of_the_previous_release_without_settings(frozen: ModuleType) -> None:
    form = FrozenForm("Job", "Company", "en", "UTC", (Question("pay", "number", "Pay"),))
    asked = frozen.Question("pay", "number", "Pay")
    assert form.edition == frozen.FrozenForm("Job", "Company", "en", "UTC", (asked,)).edition


@pytest.mark.parametrize("kind", ["number", "rating"])
def test_settings_of_an_earlier_build_are_readable(kind: str) -> None:
    asked = Question("it", kind, "Pay", settings=(("currency", "EUR"),))
    data = asked.to_json() | {"type": kind, "options": [], "settings": [["currency", "EUR"]]}
    assert Question.from_json(data) == asked
