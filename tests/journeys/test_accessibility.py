"""axe finds nothing, on small and large screens, light and dark."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import DESKTOP, PHONE, fits, log_in, violations
from tests.support.stack import Stack

SIZES = pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["360", "1280"])
THEMES = pytest.mark.parametrize("theme", ["light", "dark"])


@pytest.fixture(scope="session")
def done(site: Stack) -> str:
    """The reference of an application whose steps are all done."""
    receipt = site.apply(name="Grace Axe", phone="+47 55 12 34 56")
    site.wait_for_end([receipt])
    return str(site.application(receipt)["reference"])


@pytest.fixture(scope="session")
def failed(site: Stack) -> str:
    """The reference of an application whose receipt the mail server refused permanently."""
    site.smtp.once("rcpt_550", "rcpt_550")
    receipt = site.apply(name="Grace Refused")
    site.wait_for_end([receipt])
    return str(site.application(receipt)["reference"])


def show(page: Page, size: dict[str, int], theme: str) -> None:
    page.set_viewport_size(size)
    # A colour in the middle of a transition has any contrast.
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")


@SIZES
@THEMES
def test_public_pages_have_no_violations(
    site: Stack, page: Page, size: dict[str, int], theme: str
) -> None:
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


@pytest.fixture(scope="session")
def shut(site: Stack) -> None:
    """A job that is closed, one that is not open yet, and one that was taken down."""
    site.manage(
        "shell",
        "-v0",
        "-c",
        """
import datetime as dt
from django.utils import timezone
from careers.jobs.models import JobIndexPage, JobPage
index = JobIndexPage.objects.get(locale__language_code="en")
now, day = timezone.now(), dt.timedelta(days=1)
title = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamter"
for slug, times in (
    ("closed", {"closes_at": now - day}),
    ("later", {"opens_at": now + day}),
    ("gone", {"live": False, "expired": True, "first_published_at": now - day}),
):
    index.add_child(instance=JobPage(slug=slug, title=title, summary="Keeps boats.", **times))
""",
    )


@SIZES
@THEMES
def test_closed_missing_and_future_job_pages_have_no_violations(
    page: Page, shut: None, size: dict[str, int], theme: str
) -> None:
    show(page, size, theme)
    wrong = {}
    for path in ("closed", "later", "gone", "never-there"):
        page.goto(f"/careers/{path}/")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        wrong[path] = violations(page) + ([] if fits(page) else ["wider than the screen"])
    assert {name: found for name, found in wrong.items() if found} == {}


def test_list_and_home_fit_the_screen_at_400_percent_text(page: Page) -> None:
    show(page, DESKTOP, "light")
    too_wide = []
    for path in ("/", "/careers/?place=bergen&type=FULL_TIME", "/careers/people-partner/"):
        page.goto(path)
        page.evaluate("document.documentElement.style.fontSize = '400%'")
        if not fits(page):
            too_wide.append(path)
    assert too_wide == []


def test_structured_data_is_present_under_the_content_security_policy(page: Page) -> None:
    page.goto("/careers/people-partner/")
    markup = page.locator('script[type="application/ld+json"]').text_content()
    assert json.loads(markup or "")["title"] == "People partner"


@SIZES
@THEMES
def test_admin_pages_have_no_violations(
    page: Page, done: str, failed: str, size: dict[str, int], theme: str
) -> None:
    show(page, size, theme)
    log_in(page, "admin", "admin-of-tests")
    wrong = {}
    for path in (
        "/admin/tasks/",
        f"/admin/tasks/{done}/",
        f"/admin/tasks/{failed}/",
        "/admin/tasks/health/",
        "/admin/tasks/pauses/",
        "/admin/tasks/unconfirmed/",
        "/admin/applications/personal-data/",
        "/admin/applications/",
        f"/admin/applications/{done}/",
    ):
        page.goto(path)
        expect(page.get_by_role("main")).to_be_visible()
        wrong[path] = violations(page, "#main") + ([] if fits(page) else ["too wide"])
    assert {name: found for name, found in wrong.items() if found} == {}
