"""A person who may sign in, and the company's wish for two factors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from careersite.signin import passwords
from tests.support import people


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do at once what the site does after its answer."""

    def now(work: Callable[[], object]) -> None:
        work()

    monkeypatch.setattr(passwords, "later", now)


@pytest.fixture
def two_factors() -> None:
    """The company requires two factors, as a new installation does."""


@pytest.fixture
def ada(home: Any) -> Any:
    return people.ada()
