"""A person sets up second factors in a browser, and signs in with each of them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import DESKTOP, PHONE, Watch, fits, violations
from tests.support.signing_in import code
from tests.support.stack import Stack

PASSWORD = "a password of the journey"


@pytest.fixture
def here(site: Stack, watch: Watch) -> str:
    """The site's address by a name: passkeys refuse addresses of numbers."""
    address = site.url.replace("127.0.0.1", "localhost")
    watch.origins.append(address)
    return address


@pytest.fixture(scope="module")
def nora(site: Stack) -> str:
    """An account of this test alone."""
    made = f"get_user_model().objects.create_superuser('nora', 'nora@example.org', '{PASSWORD}')"
    site.manage("shell", "-c", f"from django.contrib.auth import get_user_model; {made}")
    return "nora"


def with_authenticator(page: Page) -> None:
    """Give the browser a fingerprint reader (Chrome DevTools Protocol, WebAuthn)."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options: dict[str, Any] = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def send_password(page: Page, here: str, name: str) -> None:
    page.goto(f"{here}/admin/login/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def look(page: Page) -> list[str]:
    """What is wrong with a page on a dark phone and a light desktop."""
    wrong = []
    for size, theme in ((PHONE, "dark"), (DESKTOP, "light")):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        wrong += violations(page) + ([] if fits(page) else ["wider than the screen"])
    return wrong


def test_second_factors_are_set_up_and_used(page: Page, here: str, nora: str) -> None:
    with_authenticator(page)
    wrong = {}
    page.goto(f"{here}/admin/login/")
    wrong["login"] = look(page)
    send_password(page, here, nora)
    page.wait_for_url("**/admin/")

    page.goto(f"{here}/admin/sign-in/factors/")
    wrong["factors"] = look(page)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Passwordless").check()
    wrong["passkey"] = look(page)
    page.get_by_role("button", name="Add a passkey").click()
    page.wait_for_url("**/codes/")
    wrong["codes"] = look(page)
    assert re.fullmatch(r"(\d{8}\s*){10}", page.get_by_label("Unused codes").input_value())
    page.get_by_role("link", name="Continue to the admin").click()
    page.wait_for_url("**/admin/")

    page.goto(f"{here}/admin/sign-in/factors/app/")
    wrong["app"] = look(page)
    secret = page.locator("#authenticator_secret").input_value()
    page.get_by_label(re.compile("code", re.IGNORECASE)).last.fill(code(secret))
    page.get_by_role("button", name="Activate").click()
    page.wait_for_url("**/factors/")

    page.goto(f"{here}/admin/security/")
    wrong["security"] = violations(page, "main")
    expect(page.get_by_text("This session")).to_be_visible()

    page.context.clear_cookies()
    page.goto(f"{here}/admin/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/admin/")

    page.context.clear_cookies()
    send_password(page, here, nora)
    page.wait_for_url("**/check/")
    wrong["check"] = look(page)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/admin/")
    assert {name: found for name, found in wrong.items() if found} == {}
