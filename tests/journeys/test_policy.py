"""Every page works under its Content-Security-Policy: the browser blocks nothing.

The fixture ``watch`` fails a test for what the browser reports in its console.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.browsing import log_in
from tests.support.stack import Stack

ADMIN = (
    "/admin/pages/",
    "/admin/tasks/",
    "/admin/tasks/alerts/",
    "/admin/applications/",
    "/admin/images/",
    "/admin/images/add/",
    "/admin/documents/multiple/add/",
    "/admin/reports/site-history/",
    "/admin/users/",
    "/admin/groups/new/",
    "/admin/redirects/add/",
    "/admin/workflows/list/",
    "/admin/collections/",
    "/admin/settings/home/sitesettings/",
)
PUBLIC = ("/", "/careers/", "/careers/people-partner/", "/fr/")


@pytest.fixture
def blocked(context: BrowserContext) -> Iterator[list[str]]:
    """What a policy blocked, as the page itself hears it."""
    found: list[str] = []
    context.expose_function("noteViolation", lambda words: found.append(words))
    context.add_init_script(
        "document.addEventListener('securitypolicyviolation', (event) => noteViolation("
        "`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile} ${event.sample}`))"
    )
    yield found
    assert found == []


def test_public_pages_and_receipt_keep_to_their_policy(
    site: Stack, page: Page, blocked: list[str]
) -> None:
    for path in (*PUBLIC, site.apply(name="Grace Policy").location):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_admin_pages_keep_to_their_policy(site: Stack, page: Page, blocked: list[str]) -> None:
    reference = site.application(site.apply(name="Grace Walked"))["reference"]
    log_in(page, "admin", "admin-of-tests")
    for path in (*ADMIN, f"/admin/applications/{reference}/", f"/admin/tasks/{reference}/"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1).first).to_be_attached()
    # Now the editor's own bar is on public pages.
    for path in PUBLIC:
        page.goto(path)
        expect(page.locator("wagtail-userbar")).to_be_attached()


def test_widgets_of_the_editor_start_without_inline_scripts(
    site: Stack, page: Page, blocked: list[str]
) -> None:
    log_in(page, "admin", "admin-of-tests")
    page.goto("/careers/people-partner/")
    edit = page.locator("wagtail-userbar").evaluate(
        "bar => [...bar.shadowRoot.querySelectorAll('a')].map(a => a.getAttribute('href'))"
        ".find(href => /edit/.test(href))"
    )
    page.goto(edit)
    closes = page.locator("#id_closes_at")
    closes.scroll_into_view_if_needed()
    closes.click()
    expect(page.locator(".xdsoft_datetimepicker:visible")).to_be_visible()
    page.keyboard.press("Escape")
    page.goto("/admin/redirects/add/")
    page.get_by_role("button", name="Choose a page").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.goto("/admin/groups/new/")
    page.locator("#id_page_permissions-ADD").click()
    expect(page.locator("#id_page_permissions-0-page-chooser")).to_be_visible()
    assert re.search(r"/admin/pages/\d+/edit/", edit)
