"""Sites to be broken, each shared by all tests that break the same parts of it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults import prove
from tests.faults.faulty import FaultySite
from tests.faults.own_server import OwnServer
from tests.faults.wired import Storm, WiredSite
from tests.support.stack import Stack, shared_postgresql, shared_template

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
        celery_app="tests.faults.app",
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
    """A site whose workers can be told to die; every part runs, and the plan is empty."""
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
    """What became of one applicant for each way in which both servers can fail."""
    _wired.mend()
    return _wired.storm()


@pytest.fixture
def wired(_wired: WiredSite) -> WiredSite:
    """A site whose mail server and archive can be spoilt; both are well."""
    _wired.mend()
    return _wired


@pytest.fixture(scope="session")
def _own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    with OwnServer(tmp_path_factory.mktemp("own-server")) as stack:
        yield stack


@pytest.fixture
def own_server(_own_server: OwnServer) -> OwnServer:
    """A site on a PostgreSQL server of its own, whose every part runs."""
    _own_server.start("broker", "archive", "web", "cpu", "io", "sweeper")
    return _own_server


#: Small enough for each run of the tests; the seed was chosen for many different faults.
SHORT: dict[str, Any] = {"seed": 7, "applications": 40, "faults": 16}
#: The same with workers that leave no mark of a mail that they hand over, and die.
SABOTAGED: dict[str, Any] = {
    "seed": 7,
    "applications": 20,
    "faults": 4,
    "celery_app": "tests.faults.sabotaged",
    "only": {"mail_applicant: child dies after it", "mail_hr: worker dies after it"},
}


@pytest.fixture(scope="session")
def short_campaigns(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ShortCampaign]:
    """A short campaign on each database and a sabotaged one, all at the same time."""
    template = shared_template()
    servers = {"sqlite": "", "postgresql": shared_postgresql()}
    for server in servers.values():
        template.database(server)
    assert template.static

    # The factory is not made for threads.
    names = [*servers, "sabotaged"]
    directories = {name: tmp_path_factory.mktemp(f"prove-{name}") for name in names}

    def run(name: str) -> ShortCampaign:
        database, what = (name, SHORT) if name in servers else ("sqlite", SABOTAGED)
        report = prove.run_campaign(
            **what, database=database, directory=directories[name], server=servers[database]
        )
        return ShortCampaign(report, directories[name])

    with ThreadPoolExecutor(len(names)) as pool:
        return dict(zip(names, pool.map(run, names), strict=True))


@dataclass(frozen=True)
class ShortCampaign:
    """The outcome of a campaign, and where its ledgers, rows and objects are."""

    report: prove.Report
    directory: Path


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The tables of the short campaigns, from whichever process ran them."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            if name == "table":
                terminalreporter.section("short campaign")
                terminalreporter.write_line(value)
