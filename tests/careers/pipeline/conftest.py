"""Steps whose effect a test decides."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from careers.pipeline import steps
from careers.pipeline.models import Step, StepKind
from careers.pipeline.steps import Effect

Perform = Callable[[Step, Callable[[], None]], Effect]


@pytest.fixture
def effects(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``effects(render_pdf=…, archive=…)`` puts functions where the effects are.

    A value that is an exception is raised; every step that is not named succeeds.
    """

    def done(step: Step, hand_over: Callable[[], None]) -> Effect:
        return Effect({"done": step.kind})

    def set_effects(**given: Any) -> None:
        for kind in StepKind:
            perform = given.get(kind.value, done)
            if isinstance(perform, BaseException):
                perform = raising(perform)
            definition = dataclasses.replace(steps.BY_KIND[kind], perform=perform)
            monkeypatch.setitem(steps.BY_KIND, kind, definition)

    set_effects()
    return set_effects


def raising(error: BaseException) -> Perform:
    def perform(step: Step, hand_over: Callable[[], None]) -> Effect:
        raise error

    return perform
