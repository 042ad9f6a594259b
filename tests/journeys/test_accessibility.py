"""axe finds nothing, on small and large screens, light and dark."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.conftest import DESKTOP, PHONE, log_in
from tests.stack import Stack

SIZES = pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["360", "1280"])
THEMES = pytest.mark.parametrize("theme", ["light", "dark"])


@pytest.fixture(scope="session")
def done(site: Stack) -> str:
    """The reference of an application that has gone all the way."""
    receipt = site.apply(name="Grace Axe", phone="+47 55 12 34 56")
    site.wait_for_end([receipt])
    return str(site.application(receipt)["reference"])


@pytest.fixture(scope="session")
def failed(site: Stack) -> str:
    """The reference of one whose receipt the mail server refused for good."""
    site.smtp.once("rcpt_550", "rcpt_550")
    receipt = site.apply(name="Grace Refused")
    site.wait_for_end([receipt])
    return str(site.application(receipt)["reference"])


def violations(page: Page, scope: str = "") -> list[str]:
    found = Axe().run(page, context=scope or None).response["violations"]
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:160]} {node['failureSummary']}"
        for violation in found
        for node in violation["nodes"]
    ]


def show(page: Page, size: dict[str, int], theme: str) -> None:
    page.set_viewport_size(size)
    # A colour in the middle of a transition has any contrast.
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")


def fits(page: Page) -> bool:
    width: int = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return width <= 0


@SIZES
@THEMES
def test_public_pages(site: Stack, page: Page, size: dict[str, int], theme: str) -> None:
    show(page, size, theme)
    wrong = {}
    for path in (
        "/",
        "/careers/",
        "/careers/?place=bergen&place=lyon&type=FULL_TIME",
        "/careers/?q=nothing-like-this",
        "/careers/people-partner/",
    ):
        page.goto(path)
        wrong[path] = violations(page) + ([] if fits(page) else ["wider than the screen"])
    page.get_by_role("button", name="Send application").click()
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    wrong["form with errors"] = violations(page) + ([] if fits(page) else ["too wide"])
    receipt = site.apply(name="Grace Public")
    page.goto(receipt.location)
    wrong["receipt"] = violations(page) + ([] if fits(page) else ["too wide"])
    assert {name: found for name, found in wrong.items() if found} == {}


@SIZES
@THEMES
def test_admin_pages(page: Page, done: str, failed: str, size: dict[str, int], theme: str) -> None:
    show(page, size, theme)
    log_in(page, "admin", "admin-of-tests")
    wrong = {}
    for path in (
        "/admin/tasks/",
        f"/admin/tasks/{done}/",
        f"/admin/tasks/{failed}/",
        "/admin/applications/",
        f"/admin/applications/{done}/",
    ):
        page.goto(path)
        expect(page.get_by_role("main")).to_be_visible()
        wrong[path] = violations(page, "#main") + ([] if fits(page) else ["too wide"])
    assert {name: found for name, found in wrong.items() if found} == {}
