"""Short campaigns, shared by all tests of their outcome."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.short_campaign import SABOTAGED, SHORT, ShortCampaign, run
from tests.support.stack import shared_postgresql, shared_template

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.fault)


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

    def campaign(name: str) -> ShortCampaign:
        database, what = (name, SHORT) if name in servers else ("sqlite", SABOTAGED)
        return run(what, database, directories[name], servers[database])

    with ThreadPoolExecutor(len(names)) as pool:
        return dict(zip(names, pool.map(campaign, names), strict=True))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The tables of the short campaigns, from whichever process ran them."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            if name == "table":
                terminalreporter.section("short campaign")
                terminalreporter.write_line(value)
