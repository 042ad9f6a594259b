"""A session counts only when both factors were shown."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from careersite.signin import log
from careersite.signin.tasks import clean_up_sign_ins
from home.models import SiteSettings
from tests.support.people import PASSWORD, logged_in
from tests.support.signing_in import (
    SECRET,
    code,
    is_in,
    send_code,
    send_password,
    with_app,
    with_recovery_codes,
)

pytestmark = pytest.mark.django_db


def test_new_company_requires_two_factors() -> None:
    assert SiteSettings().two_factors


def test_person_without_a_factor_reaches_only_the_pages_to_set_one_up(
    client: Client, ada: Any, two_factors: None
) -> None:
    assert send_password(client, "ada", PASSWORD)["Location"] == "/admin/"
    for path in ("/admin/", "/admin/pages/", "/admin/applications/", "/admin/security/"):
        assert client.get(path)["Location"] == reverse("mfa_index"), path
    assert client.post("/admin/users/new/", {"username": "eve"}).status_code == 302
    assert client.get("/flower/")["Location"].startswith("/admin/login/")
    page = client.get(reverse("mfa_index"))
    assert "Set up a second factor" in page.content.decode()
    assert client.get(reverse("account_change_password")).status_code == 302


def test_setting_up_an_app_lets_the_person_in_and_shows_codes_once(
    client: Client,
    ada: Any,
    two_factors: None,
    monkeypatch: pytest.MonkeyPatch,
    mailoutbox: list[Any],
) -> None:
    # The test's own transaction is never committed.
    monkeypatch.setattr(transaction, "on_commit", lambda work, **_options: work())
    send_password(client, "ada", PASSWORD)
    page = client.get(reverse("mfa_activate_totp"))
    secret = page.context["form"].secret
    answer = client.post(reverse("mfa_activate_totp"), {"code": code(secret)})
    assert answer["Location"] == reverse("mfa_view_recovery_codes")
    first, second = (client.get(answer["Location"]) for _time in range(2))
    assert len(first.context["unused_codes"]) == 10
    assert first.context["unused_codes"][0] in first.content.decode()
    assert not second.context["can_view_codes"]
    assert first.context["unused_codes"][0] not in second.content.decode()
    assert is_in(client)
    assert [mail.to for mail in mailoutbox] == [["ada@example.com"]]
    secret_stored = Authenticator.objects.get(type="totp").data["secret"]
    assert secret not in secret_stored


def test_password_alone_does_not_sign_in_a_person_with_a_factor(client: Client, ada: Any) -> None:
    with_app(ada)
    assert send_password(client, "ada", PASSWORD)["Location"] == reverse("mfa_authenticate")
    assert not is_in(client)
    assert send_code(client, "000000").status_code == 200
    assert not is_in(client)
    assert send_code(client)["Location"] == "/admin/"
    assert is_in(client)


def test_code_works_only_once(client: Client, ada: Any) -> None:
    with_app(ada)
    now = code(SECRET)
    for browser, expected in ((client, True), (Client(), False)):
        send_password(browser, "ada", PASSWORD)
        send_code(browser, now)
        assert is_in(browser) is expected


def test_recovery_code_replaces_the_factor_once(client: Client, ada: Any) -> None:
    with_app(ada)
    first = with_recovery_codes(ada)[0]
    for browser, expected in ((client, True), (Client(), False)):
        send_password(browser, "ada", PASSWORD)
        send_code(browser, first)
        assert is_in(browser) is expected


def test_session_without_the_factor_is_anonymous_everywhere(ada: Any) -> None:
    """However the session was begun; here, by Django's own ``login``."""
    with_app(ada)
    browser = logged_in(ada)
    for path in ("/admin/", "/admin/applications/", "/admin/security/", "/flower/"):
        assert browser.get(path)["Location"].startswith("/admin/login/"), path
    # Neither may it add a factor of its own.
    for name in ("mfa_activate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes"):
        assert browser.get(reverse(name))["Location"].startswith("/admin/login/"), name


def test_session_in_use_ends_twelve_hours_after_signing_in(
    client: Client, ada: Any, time_machine: Any
) -> None:
    with_app(ada)
    send_password(client, "ada", PASSWORD)
    send_code(client)
    began = timezone.now()
    for hours, expected in ((11, True), (11.9, True), (12.1, False)):
        time_machine.move_to(began + dt.timedelta(hours=hours), tick=False)
        assert is_in(client) is expected
        session = client.session
        session["message"] = hours  # Django stores it for another twelve hours
        session.save()
    send_password(client, "ada", PASSWORD)
    send_code(client)
    assert is_in(client)


def test_factors_outlast_a_change_of_the_key(client: Client, ada: Any, settings: Any) -> None:
    with_app(ada)
    recovery = with_recovery_codes(ada)[0]
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the new key", [settings.SECRET_KEY]
    clean_up_sign_ins()
    stored = list(Authenticator.objects.order_by("pk").values_list("data", flat=True))
    settings.SECRET_KEY_FALLBACKS = []
    for browser, value in ((client, None), (Client(), recovery)):
        send_password(browser, "ada", PASSWORD)
        send_code(browser, value)
        assert is_in(browser)
    clean_up_sign_ins()
    assert stored[0] == Authenticator.objects.get(type="totp").data


def test_secret_that_no_key_opens_is_kept(ada: Any, settings: Any) -> None:
    before = with_app(ada).data
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key", []
    clean_up_sign_ins()
    assert Authenticator.objects.get().data == before


def test_codes_are_limited(client: Client, ada: Any) -> None:
    with_app(ada)
    send_password(client, "ada", PASSWORD)
    for number in range(5):
        send_code(client, f"00000{number}")
    page = send_code(client).content.decode()
    assert "too many wrong passwords or codes" in page
    assert not is_in(client)


def test_last_factor_cannot_be_removed_while_the_company_requires_one(
    client: Client, ada: Any, two_factors: None
) -> None:
    app = with_app(ada)
    send_password(client, "ada", PASSWORD)
    send_code(client)
    client.post(reverse("mfa_deactivate_totp"))
    assert Authenticator.objects.filter(pk=app.pk).exists()


def test_public_page_sets_no_cookie_and_does_not_vary_by_it(client: Client, home: Any) -> None:
    response = client.get("/")
    assert "Cookie" not in response.headers.get("Vary", "")
    assert not response.cookies


def test_sign_in_and_failure_are_logged_without_secrets(client: Client, ada: Any) -> None:
    with_app(ada)
    send_password(client, "ada", "wrong wrong wrong")
    send_password(client, "ada", PASSWORD)
    send_code(client, "123123")
    send_code(client)
    entries = list(log.of(ada).values_list("action", "data"))
    assert [action for action, _data in entries] == ["signin.in", "signin.failed", "signin.failed"]
    assert entries[0][1]["methods"] == ["password", "totp"]
    for secret in (PASSWORD, "wrong wrong", "123123", SECRET):
        assert secret not in str(entries)
    report = client.get("/admin/reports/site-history/")
    assert "Did not sign in: wrong password or code" in report.content.decode()
