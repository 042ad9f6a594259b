"""A running, seeded site, and a browser that must report no error."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    BrowserContext,
    expect,
)

from tests.support.browsing import DESKTOP, Watch
from tests.support.speed import patient
from tests.support.stack import Stack, shared_template

HERE = Path(__file__).parent
#: Milliseconds that an idle machine may take to show something.
PATIENCE = 20_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.journey)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One site for all journeys, on SQLite."""
    with Stack(shared_template(), tmp_path_factory.mktemp("journeys")) as stack:
        stack.start("web", "cpu", "io", "sweeper")
        yield stack


@pytest.fixture(scope="session")
def base_url(site: Stack) -> str:
    return site.url


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's browser: nothing is downloaded."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert program, "no chromium was found; name one in CHROMIUM"
    # Small /dev/shm is common in containers.
    arguments = ["--disable-dev-shm-usage"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    return {**browser_type_launch_args, "executable_path": program, "args": arguments}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any], base_url: str) -> dict[str, Any]:
    return {**browser_context_args, "viewport": DESKTOP, "locale": "en-GB"}


@pytest.fixture(autouse=True)
def watch(site: Stack, context: BrowserContext, base_url: str) -> Iterator[Watch]:
    """Fail the test for any error in the console and any request to another host."""
    # Tests of other files run in between, and some of them end processes.
    site.start("web", "cpu", "io", "sweeper")
    watching = Watch(base_url)
    watching.follow(context)
    context.set_default_timeout(patient(PATIENCE))
    expect.set_options(timeout=patient(PATIENCE))
    yield watching
    assert watching.complaints == []
