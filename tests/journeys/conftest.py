"""A running, seeded site and a browser that may complain about nothing."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    WebError,
    expect,
)

from tests.support.stack import Stack, shared_template

HERE = Path(__file__).parent
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 900}
#: Milliseconds that a busy machine may take to show something.
PATIENCE = 20_000
expect.set_options(timeout=PATIENCE)
#: The browser logs each answer of 4xx as an error. Our form with errors is answered by 422;
#: Wagtail's editor, which saves while one writes, has a page that is not complete by 400. Of what
#: is no longer there 410 tells, or 404.
EXPECTED = re.compile(
    r"responded with a status of "
    r"(422 .*/apply/|400 .*/admin/pages/(add|\d+/edit)/|410 .*/careers/gone/|404 .*/never-there/)"
)


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


class Watch:
    """What a browser complained about, and whom it asked besides the site."""

    def __init__(self, origin: str) -> None:
        self.origins = [origin]
        self.complaints: list[str] = []

    def follow(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        told = f"{message.text} {message.location.get('url', '')}"
        if message.type == "error" and not EXPECTED.search(told):
            self.complaints.append(told)

    def _error(self, error: WebError) -> None:
        self.complaints.append(f"uncaught: {error.error}")

    def _request(self, request: Request) -> None:
        own = tuple(f"{origin}/" for origin in self.origins)
        if not request.url.startswith((*own, "data:", "blob:", "about:")):
            self.complaints.append(f"a request to somebody else: {request.url}")


@pytest.fixture(autouse=True)
def watch(context: BrowserContext, base_url: str) -> Iterator[Watch]:
    """Fails the test for any error in the console and any request to another host."""
    watching = Watch(base_url)
    watching.follow(context)
    context.set_default_timeout(PATIENCE)
    yield watching
    assert watching.complaints == []


def log_in(page: Page, name: str, password: str) -> None:
    """As a member of staff."""
    page.goto("/admin/login/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/admin/")
