"""From a new job to HR reading an application, as people do it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.browsing import PHONE, Watch, log_in
from tests.support.speed import patient
from tests.support.stack import Stack, a_cv

REQUIRED = "Which boats have you built?"
CHOICE = "Where would you like to work?"


@pytest.fixture
def cv(tmp_path: Path) -> Path:
    """A CV on the applicant's device."""
    path = tmp_path / "Life of Ada.pdf"
    path.write_bytes(a_cv("Ada built boats"))
    return path


def publish_job(page: Page, title: str) -> None:
    """HR creates a job with two custom questions and publishes it."""
    log_in(page, "hanna", "hanna-of-tests")
    page.goto("/admin/pages/")
    english = page.get_by_role("row").filter(has_text="English")
    english.get_by_role("link", name="Explore child pages").click()
    page.get_by_role("link", name="Explore child pages of 'Jobs'").click()
    page.get_by_role("link", name="Add child page").first.click()
    page.locator("#id_title").fill(title)
    page.locator("#id_summary").fill("Build the boat that measures.")
    page.get_by_role("tab", name="Application form").click()
    page.get_by_role("button", name="Insert a block").last.click()
    page.get_by_role("option", name="Long text").click()
    page.locator("#questions-0-value-label").fill(REQUIRED)
    # By its key: the block still unfolds, and a click may fall beside it.
    page.locator("#questions-0-value-required").press("Space")
    expect(page.locator("#questions-0-value-required")).to_be_checked()
    page.get_by_role("button", name="Insert a block").last.click()
    page.get_by_role("option", name="Single choice").click()
    page.locator("#questions-1-value-label").fill(CHOICE)
    expect(page.get_by_text("The minimum number of items")).to_have_count(0)
    page.locator("#questions-1-value-options-0-value").fill("Bergen")
    page.locator("#questions-1-value-options-1-value").fill("Leith")
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("button", name="Publish", exact=True).click()
    # "Created and published", unless the editor has saved a draft by itself before.
    expect(page.get_by_text(re.compile(r"(created and|has been) published"))).to_be_visible()


def reference_on(page: Page) -> str:
    expect(page.get_by_role("heading", name="We have your application")).to_be_visible()
    return page.locator("#reference").inner_text()


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "no javascript"])
def test_job_is_published_applied_for_and_read(
    site: Stack, page: Page, browser: Browser, watch: Watch, cv: Path, javascript: bool
) -> None:
    title = f"Boat builder {'with' if javascript else 'without'} patience"
    publish_job(page, title)

    phone = browser.new_context(
        viewport=PHONE, base_url=site.url, java_script_enabled=javascript, locale="en-GB"
    )
    watch.follow(phone)
    reference = apply_on_a_phone(phone, title, cv)

    receipts = site.query(
        "SELECT receipt_secret FROM careers_application WHERE reference = %s", reference
    )
    assert len(receipts) == 1
    see_it_done(page, reference)
    read_it(page, reference)
    phone.close()


def apply_on_a_phone(context: BrowserContext, title: str, cv: Path) -> str:
    """An applicant finds the job, forgets an answer at first, and gets a receipt."""
    page = context.new_page()
    page.goto("/careers/")
    page.get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    page.get_by_label("Full name").fill("Ada Prøve")
    page.get_by_label("E-mail").fill("ada.journey@example.org")
    page.locator("#id_cv").set_input_files(cv)
    page.get_by_label("Leith").check()
    page.get_by_role("button", name="Send application").click()

    # The answer that was forgotten is named, and nothing else is lost.
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    expect(page.get_by_role("link", name=REQUIRED)).to_be_visible()
    expect(page.get_by_label("Full name")).to_have_value("Ada Prøve")
    expect(page.get_by_text("We have this file.")).to_be_visible()
    expect(page.get_by_text("Life of Ada.pdf")).to_be_visible()
    expect(page.get_by_label("Leith")).to_be_checked()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    page.get_by_role("textbox", name=REQUIRED).fill("Two, and one of them floats.")
    page.get_by_role("button", name="Send application").click()
    reference = reference_on(page)
    expect(page.get_by_text("Two, and one of them floats.")).to_be_visible()
    expect(page.get_by_text("Life of Ada.pdf")).to_be_visible()
    return reference


def see_it_done(page: Page, reference: str) -> None:
    """The tasks page updates itself until all steps are done."""
    page.goto("/admin/tasks/")
    expect(page.get_by_role("link", name=reference)).to_be_visible()
    page.get_by_role("link", name=reference).first.click()
    expect(page.get_by_text("Everything is done.")).to_be_visible(timeout=patient(60_000))


def read_it(page: Page, reference: str) -> None:
    page.goto("/admin/applications/")
    page.get_by_role("link", name="Ada Prøve").first.click()
    main = page.get_by_role("main")
    expect(main.get_by_text("Two, and one of them floats.")).to_be_visible()
    expect(main.get_by_text("Leith").first).to_be_visible()
    expect(main.get_by_text(reference).first).to_be_visible()
    with page.expect_download() as download:
        main.get_by_role("link", name=re.compile("Download ?: CV")).click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")


def test_double_click_reload_and_back_make_one_application(
    site: Stack, page: Page, cv: Path
) -> None:
    fill_in(page, cv, "once@example.org")
    page.get_by_role("button", name="Send application").dblclick()
    reference = reference_on(page)
    page.reload()
    assert reference_on(page) == reference
    page.go_back()
    # What the browser restored is sent once more, with the file chosen again.
    fill_in(page, cv, "once@example.org", go=False)
    page.get_by_role("button", name="Send application").click()
    assert reference_on(page) == reference
    assert len(applications(site, "once@example.org")) == 1


def test_same_form_from_another_browser_gets_own_receipt_and_is_shown_as_sent_again(
    site: Stack, page: Page, browser: Browser, watch: Watch, cv: Path
) -> None:
    references = []
    for _ in range(2):
        # One network; the browsers differ only in the key that the script makes.
        context = browser.new_context(viewport=PHONE, base_url=site.url, locale="en-GB")
        watch.follow(context)
        applicant = context.new_page()
        fill_in(applicant, cv, "again@example.org")
        applicant.get_by_role("button", name="Send application").click()
        references.append(reference_on(applicant))
        context.close()
    assert references[0] != references[1]

    log_in(page, "hanna", "hanna-of-tests")
    page.goto("/admin/applications/?q=again@example.org")
    expect(page.get_by_text("Sent again")).to_have_count(1)
    page.goto(f"/admin/applications/{references[1]}/")
    expect(page.get_by_role("heading", name="Sent again")).to_be_visible()
    page.get_by_role("link", name=references[0]).click()
    expect(page.get_by_role("link", name=references[1])).to_be_visible()


def test_double_click_without_javascript_makes_one_application(
    site: Stack, browser: Browser, cv: Path
) -> None:
    context = browser.new_context(base_url=site.url, java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    fill_in(page, cv, "twice@example.org")
    page.get_by_role("button", name="Send application").dblclick()
    reference_on(page)
    assert len(applications(site, "twice@example.org")) == 1
    context.close()


def fill_in(page: Page, cv: Path, email: str, *, go: bool = True) -> None:
    if go:
        page.goto("/careers/production-planner/")
    page.get_by_label("Full name").fill("Ada Once")
    page.get_by_label("E-mail").fill(email)
    page.locator("#id_cv").set_input_files(cv)


def applications(site: Stack, email: str) -> list[dict]:
    return site.query("SELECT id FROM careers_application WHERE email = %s", email)


def test_form_posted_from_another_site_needs_confirmation(
    site: Stack, page: Page, watch: Watch, cv: Path
) -> None:
    """The applicant confirms with one click and loses no answer."""
    elsewhere = "http://elsewhere.test"
    watch.origins.append(elsewhere)
    form = f"""
        <form method=post enctype=multipart/form-data action="{site.url}{site.form_address()}">
        <label>Full name <input name=name></label> <label>E-mail <input name=email></label>
        <input type=file name=cv id=id_cv> <button>Send application</button></form>
    """
    page.route(f"{elsewhere}/**", lambda route: route.fulfill(body=form, content_type="text/html"))
    page.goto(f"{elsewhere}/")
    fill_in(page, cv, "stranger@example.org", go=False)
    page.get_by_role("button", name="Send application").click()
    expect(page.get_by_role("heading", name="Please check and send")).to_be_visible()
    expect(page.get_by_text("Life of Ada.pdf")).to_be_visible()
    assert applications(site, "stranger@example.org") == []
    page.get_by_role("button", name="Send application").click()
    reference_on(page)
    assert len(applications(site, "stranger@example.org")) == 1
