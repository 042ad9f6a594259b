"""Sites that tests break, each shared by all tests that break the same parts of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.faulty_site import FaultySite
from tests.support.own_server import OwnServer
from tests.support.stack import Stack, shared_template
from tests.support.wired import Storm, WiredSite

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.fault)


@pytest.fixture(scope="session")
def _faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultySite]:
    directory = tmp_path_factory.mktemp("faults")
    plan = directory / "plan"
    plan.mkdir()
    with Stack(
        shared_template(),
        directory,
        celery_app="tests.support.faulty_workers",
        environ={
            "FAULT_PLAN": str(plan),
            "PIPELINE_SOFT_LIMIT": "8",
            "PIPELINE_HARD_LIMIT": "10",
            "PIPELINE_LEASE": "12",
        },
    ) as stack:
        yield FaultySite(stack, plan)


@pytest.fixture
def faulty(_faulty: FaultySite) -> FaultySite:
    """A site whose workers can be killed at chosen points. All parts run; the plan is empty."""
    for file in _faulty.plan.iterdir():
        file.unlink()
    stack = _faulty.stack
    for part in stack.parts.values():
        if part.running:
            part.thaw()
    stack.smtp.mode = "ok"
    stack.start("broker", "archive", "web", "cpu", "io", "sweeper")
    return _faulty


@pytest.fixture(scope="session")
def _wired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WiredSite]:
    with WiredSite(shared_template(), tmp_path_factory.mktemp("wired")) as site:
        yield site


@pytest.fixture(scope="session")
def storm(_wired: WiredSite) -> Storm:
    """The result for one applicant for each error of the mail server or archive."""
    _wired.mend()
    return _wired.storm()


@pytest.fixture
def wired(_wired: WiredSite) -> WiredSite:
    """A site whose mail server and archive can be made to fail; both work."""
    _wired.mend()
    return _wired


@pytest.fixture(scope="session")
def _own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    with OwnServer(tmp_path_factory.mktemp("own-server")) as stack:
        yield stack


@pytest.fixture
def own_server(_own_server: OwnServer) -> OwnServer:
    """A site on its own PostgreSQL server; every part runs."""
    _own_server.start("broker", "archive", "web", "cpu", "io", "sweeper")
    return _own_server
