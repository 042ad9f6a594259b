"""Whole sites for tests of the product together with real services.

``site`` is one site for each database engine, shared by all tests. What a test stops, changes or
freezes is restored before the next test.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.stack import Stack, shared_postgresql, shared_template

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.services)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def _site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    server = shared_postgresql() if request.param == "postgresql" else ""
    directory = tmp_path_factory.mktemp(f"site-{request.param}")
    with Stack(shared_template(), directory, server=server) as stack:
        yield stack


@pytest.fixture
def site(_site: Stack) -> Iterator[Stack]:
    """A site on which every part runs as it should."""
    environ = dict(_site.environ)
    for part in _site.parts.values():
        if part.running:
            part.thaw()
    _site.smtp.mode = "ok"
    _site.start("broker", "archive", "web", "cpu", "io", "sweeper")
    yield _site
    for name, part in _site.parts.items():
        # The next test must not meet a process that was started with other settings.
        if name not in ("broker", "archive") and part.environ != environ:
            part.kill()
    _site.environ.clear()
    _site.environ.update(environ)


@pytest.fixture
def one_site(tmp_path: Path) -> Iterator[Stack]:
    """A site for one test, on SQLite. Only its services run; the test starts what it needs."""
    with Stack(shared_template(), tmp_path) as stack:
        yield stack
