"""What journeys do with a browser, and what they check in its pages."""

from __future__ import annotations

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    WebError,
)

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 900}
#: The browser logs each 4xx answer as an error. A form with errors gets 422, Wagtail's autosave of
#: an incomplete page 400, and a page that is gone 410 or 404.
EXPECTED = re.compile(
    r"responded with a status of "
    r"(422 .*/apply/|400 .*/admin/pages/(add|\d+/edit)/|410 .*/careers/gone/|404 .*/never-there/)"
)


class Watch:
    """What a browser complained about, and its requests to other hosts."""

    def __init__(self, origin: str) -> None:
        self.origins = [origin]
        self.complaints: list[str] = []

    def follow(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        complaint = f"{message.text} {message.location.get('url', '')}"
        if message.type == "error" and not EXPECTED.search(complaint):
            self.complaints.append(complaint)

    def _error(self, error: WebError) -> None:
        self.complaints.append(f"uncaught: {error.error}")

    def _request(self, request: Request) -> None:
        own = tuple(f"{origin}/" for origin in self.origins)
        if not request.url.startswith((*own, "data:", "blob:", "about:")):
            self.complaints.append(f"a request to another host: {request.url}")


def log_in(page: Page, name: str, password: str) -> None:
    """Log in as a member of staff."""
    page.goto("/admin/login/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/admin/")


def violations(page: Page, scope: str = "") -> list[str]:
    found = Axe().run(page, context=scope or None).response["violations"]
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:160]} {node['failureSummary']}"
        for violation in found
        for node in violation["nodes"]
    ]


def fits(page: Page) -> bool:
    """Whether nothing is cut off at the side: Wagtail hides what is wider than its main part."""
    beyond: int = page.evaluate(
        "Math.max(document.documentElement.scrollWidth - window.innerWidth,"
        " ...[...document.querySelectorAll('main')]"
        ".map((main) => main.scrollWidth - main.clientWidth))"
    )
    return beyond <= 0
