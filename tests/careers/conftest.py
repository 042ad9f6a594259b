"""Steps whose effect a test decides, and a virus scanner."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from wagtail.models import Site

from careers.pipeline import registry
from careers.pipeline.models import Step
from careers.pipeline.registry import Outcome
from tests.support.factories import ApplicationFactory, JobPageFactory, root_page
from tests.support.servers import Clamd
from tests.support.turns import Turns
from tests.support.world import NAMES, Stage

EffectFunction = Callable[[Step, Callable[[], None]], Outcome]


@pytest.fixture
def effects(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``effects(render_pdf=…, archive=…)`` puts functions where the effects are.

    A value that is an exception is raised; every step that is not named succeeds.
    """

    def done(step: Step, before_send: Callable[[], None]) -> Outcome:
        return Outcome({"done": step.kind})

    def set_effects(**given: Any) -> None:
        for definition in registry.definitions():
            effect = given.get(definition.kind, done)
            if isinstance(effect, BaseException):
                effect = raising(effect)
            replaced = dataclasses.replace(definition, effect=effect)
            monkeypatch.setitem(registry.REGISTERED, definition.kind, replaced)

    set_effects()
    return set_effects


def raising(error: BaseException) -> EffectFunction:
    def fail(step: Step, before_send: Callable[[], None]) -> Outcome:
        raise error

    return fail


@pytest.fixture(scope="session")
def running_clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clamd]:
    with Clamd(tmp_path_factory.mktemp("clamd")) as clamd:
        yield clamd


@pytest.fixture
def clamd(running_clamd: Clamd, settings: Any) -> Clamd:
    """A clamd that knows the EICAR test file, named in CLAMAV_URL."""
    settings.CLAMAV_URL = running_clamd.url
    return running_clamd


@pytest.fixture
def bare_job(db: None) -> Any:
    """A job by itself: most tests of steps need no tree of pages."""
    root = root_page()
    if not Site.objects.filter(is_default_site=True).exists():
        Site.objects.create(hostname="localhost", root_page=root, is_default_site=True)
    return JobPageFactory(parent=root, hr_recipients="hr@example.org")


@pytest.fixture
def application(bare_job: Any) -> Any:
    """An application without steps."""
    return ApplicationFactory(page=bare_job)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The product in a world that the test puts there; see ``tests.support.world``."""
    stage = Stage()
    stage.set_up(monkeypatch)
    return stage


@pytest.fixture
def turns(db: None) -> Iterator[Turns]:
    """All actors of the pipeline in one world; for tests with real transactions."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF")
    with Turns(*NAMES) as turns:
        yield turns
