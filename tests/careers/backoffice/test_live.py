"""``static/js/backoffice/live.js``, in a browser, against a simulated server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

pytestmark = pytest.mark.journey

SCRIPT = Path(__file__).parents[3] / "static/js/backoffice/live.js"
PAGE = """<!doctype html><title>t</title>
<p role="status" aria-live="polite" data-live-announce></p>
<div data-live data-live-url="/results/" data-live-seconds="0.05">{results}</div>
<p data-live-state><span hidden data-live-note>live</span>
<span hidden data-live-paused="focus">focus</span>
<span hidden data-live-paused="details">open</span>
<span hidden data-live-since>as of <time data-live-time></time></span>
<button hidden data-live-resume>now</button> <a href="/" data-live-fallback>Reload</a></p>
<button id="outside">outside</button>
<script src="/live.js"></script>"""


@dataclass
class Server:
    """Answers each request with the current value of ``results``."""

    results: str = '<p data-live-words="1 running">one <a href="#" id="inside">x</a></p>'
    status: int = 200
    looks: list[str] = field(default_factory=list)

    def answer(self, route: Route) -> None:
        path = route.request.url.removeprefix("http://live.test")
        if path.startswith("/results/"):
            self.looks.append(path)
            if self.status == 302:
                # What a browser makes of a redirect to the login page.
                route.fulfill(status=302, headers={"Location": "/login/"})
                return
            route.fulfill(status=self.status, body=self.results, content_type="text/html")
        elif path == "/live.js":
            route.fulfill(body=SCRIPT.read_text(), content_type="text/javascript")
        elif path == "/login/":
            route.fulfill(body="<h1>Sign in</h1>", content_type="text/html")
        else:
            route.fulfill(body=PAGE.format(results=self.results), content_type="text/html")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    # Not pytest-playwright's: its loop would run on while other tests use the database.
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert program, "no chromium was found; name one in CHROMIUM"
    arguments = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def live(chromium: Browser, server: Server) -> Iterator[Page]:
    """The page, with refreshing under way."""
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(5000)
    page.route("**/*", server.answer)
    page.goto("http://live.test/?state=attention&kind=archive")
    page.wait_for_selector("[data-live-note]:not([hidden])")
    yield page
    context.close()


def wait_for_looks(page: Page, server: Server, number: int) -> None:
    target = len(server.looks) + number
    for _ in range(100):
        if len(server.looks) >= target:
            break
        page.wait_for_timeout(20)
    assert len(server.looks) >= target
    page.wait_for_timeout(60)


def test_change_is_shown_and_announced(live: Page, server: Server) -> None:
    assert live.inner_text("[data-live-announce]") == ""
    server.results = '<p data-live-words="2 running">two</p>'
    live.wait_for_selector("text=two")
    assert live.inner_text("[data-live-announce]") == "2 running"


def test_repeated_words_are_announced_once(live: Page, server: Server) -> None:
    server.results = '<p data-live-words="1 running">older</p>'
    live.wait_for_selector("text=older")
    assert live.inner_text("[data-live-announce]") == ""


def test_refresh_keeps_the_filters_of_the_address(live: Page, server: Server) -> None:
    assert set(server.looks) == {"/results/?state=attention&kind=archive"}


def test_refresh_pauses_under_keyboard_focus(live: Page, server: Server) -> None:
    live.focus("#inside")
    wait = len(server.looks)
    server.results = '<p data-live-words="2 running">two</p>'
    live.wait_for_timeout(300)
    assert len(server.looks) <= wait + 1
    assert "one" in live.inner_text("[data-live]")
    assert live.is_visible("[data-live-paused=focus]")
    assert live.is_visible("[data-live-since]")
    assert not live.is_visible("[data-live-note]")
    live.focus("#outside")
    live.wait_for_selector("text=two")
    live.wait_for_selector("[data-live-note]:not([hidden])")
    assert not live.is_visible("[data-live-paused=focus]")


def test_paused_page_is_refreshed_once_on_demand(live: Page, server: Server) -> None:
    server.results = "<details open><summary>s</summary>deep</details>"
    live.wait_for_selector("text=deep")
    server.results = "<details open><summary>s</summary>deeper</details>"
    live.wait_for_selector("[data-live-paused=details]:not([hidden])")
    live.click("[data-live-resume]")
    live.wait_for_selector("text=deeper")
    live.wait_for_selector("[data-live-paused=details]:not([hidden])")


def test_refresh_pauses_during_selection_or_open_detail(live: Page, server: Server) -> None:
    live.evaluate("getSelection().selectAllChildren(document.querySelector('[data-live]'))")
    server.results = "<details open><summary>s</summary>deep</details>"
    live.wait_for_timeout(300)
    assert "one" in live.inner_text("[data-live]")
    live.evaluate("getSelection().removeAllRanges()")
    live.wait_for_selector("text=deep")
    server.results = "<p>three</p>"
    live.wait_for_timeout(300)
    assert "deep" in live.inner_text("[data-live]")
    live.evaluate("document.querySelector('details').open = false")
    live.wait_for_selector("text=three")


def test_refresh_pauses_in_hidden_tab(live: Page, server: Server) -> None:
    live.evaluate("Object.defineProperty(document, 'hidden', {get: () => true})")
    live.wait_for_timeout(150)
    before = len(server.looks)
    live.wait_for_timeout(300)
    assert len(server.looks) == before


@pytest.mark.parametrize("status", [500, 403, 302])
def test_failure_keeps_content_and_offers_reload(live: Page, server: Server, status: int) -> None:
    server.status = status
    live.wait_for_selector("[data-live-fallback]:not([hidden])")
    assert "one" in live.inner_text("[data-live]")
    server.status = 200
    live.wait_for_selector("[data-live-note]:not([hidden])")


def test_new_csrf_token_does_not_count_as_change(live: Page, server: Server) -> None:
    token = '<input type="hidden" name="csrfmiddlewaretoken" value="{}">'
    server.results = token.format("a")
    live.wait_for_selector("[data-live] input", state="attached")
    live.evaluate("document.querySelector('[data-live] input').marked = true")
    server.results = token.format("b")
    wait_for_looks(live, server, 3)
    assert live.evaluate("document.querySelector('[data-live] input').marked") is True


def test_page_without_javascript_has_reload_link(chromium: Browser, server: Server) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.route("**/*", server.answer)
    page.goto("http://live.test/")
    assert page.is_visible("[data-live-fallback]")
    assert not page.is_visible("[data-live-note]")
    context.close()
