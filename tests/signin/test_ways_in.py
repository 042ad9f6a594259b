"""Every address at which a session could begin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.auth import views as django_views
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls import reverse as address_of

from tests.support.people import PASSWORD
from tests.support.signing_in import send_code, send_password, with_app

pytestmark = pytest.mark.django_db

#: Packages whose views may sign people in. Wagtail's and Django's own must not be reachable.
SUSPECT = ("allauth.", "django.contrib.auth.", "django.contrib.admin.")
#: The views of these packages that have an address, and why each is safe: each ends in allauth's
#: stages of signing in, or needs a person who is signed in, or signs nobody in.
KNOWN = {
    "account_login": "allauth's stages: password, then second factor",
    "mfa_authenticate": "the stage of the second factor",
    "mfa_login_webauthn": "a passkey that checks the person counts as both factors",
    "openid_connect_login": "redirects to the provider",
    "openid_connect_callback": "allauth's stages: provider, then second factor unless it vouches",
    "socialaccount_login_cancelled": "words only",
    "socialaccount_login_error": "words only",
    "account_logout": "ends a session",
    "account_inactive": "words only",
    "account_reset_password": "sends a mail",
    "account_reset_password_done": "words only",
    "account_reset_password_from_key": "sets a password, and signs nobody in",
    "account_reset_password_from_key_done": "words only",
    "account_reauthenticate": "for a person who is signed in",
    "account_change_password": "for a person who is signed in",
    "mfa_index": "for a person who is signed in",
    "mfa_reauthenticate": "for a person who is signed in",
    "mfa_activate_totp": "for a person who is signed in",
    "mfa_deactivate_totp": "for a person who is signed in",
    "mfa_view_recovery_codes": "for a person who is signed in",
    "mfa_generate_recovery_codes": "for a person who is signed in",
    "mfa_download_recovery_codes": "for a person who is signed in",
    "mfa_list_webauthn": "for a person who is signed in",
    "mfa_add_webauthn": "for a person who is signed in",
    "mfa_reauthenticate_webauthn": "for a person who is signed in",
    "mfa_remove_webauthn": "for a person who is signed in",
    "mfa_edit_webauthn": "for a person who is signed in",
}
#: Wagtail's views, each of which has an address with the same path before it.
REPLACED = {"wagtailadmin_login", "wagtailcore_login"}
EVERYTHING = {
    "login": "ada",
    "username": "ada",
    "email": "ada@example.com",
    "password": PASSWORD,
    "password1": PASSWORD,
    "password2": PASSWORD,
    "oldpassword": PASSWORD,
    "credential": "{}",
    "code": "123456",
}


def patterns(
    resolver: URLResolver | None = None, before: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    """Each pattern with an example of its path."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = str(entry.pattern)
        if not hasattr(entry.pattern, "_route") and not hasattr(entry.pattern, "prefix_default"):
            route = re.sub(r"\(\?P<\w+>(?:[^()]|\([^()]*\))*\)", "x", route).strip("^$")
            route = re.sub(r"\(.*?\)[?*+]?|[\\^$]", "", route)
        route = re.sub(r"<int:\w+>", "1", route)
        route = re.sub(r"<uuid:\w+>", "00000000-0000-0000-0000-000000000000", route)
        path = before + re.sub(r"<[\w:]+>", "x", route)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, path)
        else:
            yield path, entry


def package_of(view: Any) -> str:
    """The module that defines a view, whatever decorates it."""
    while not hasattr(view, "view_class") and hasattr(view, "__wrapped__"):
        view = view.__wrapped__
    return str(getattr(view, "view_class", view).__module__)


def test_every_view_that_could_sign_somebody_in_is_known() -> None:
    found = {
        entry.name or path
        for path, entry in patterns()
        if package_of(entry.callback).startswith(SUSPECT) and entry.name not in REPLACED
    }
    # Ours extend allauth's.
    found |= {
        entry.name
        for _path, entry in patterns()
        if package_of(entry.callback).startswith("careersite.signin") and entry.name in KNOWN
    }
    assert found == set(KNOWN)


@pytest.mark.parametrize("name", sorted(REPLACED))
def test_login_page_of_wagtail_is_replaced(client: Client, home: Any, name: str) -> None:
    answer = client.get(address_of(name) + "?next=/admin/reports/", follow=True)
    (path, _status) = answer.redirect_chain[-1] if answer.redirect_chain else ("", 0)
    assert not path or path == address_of("account_login") + "?next=/admin/reports/"
    assert answer.templates[0].name == "account/login.html"


def test_reset_pages_of_wagtail_are_replaced(client: Client, home: Any) -> None:
    for name, values in (
        ("wagtailadmin_password_reset", []),
        ("wagtailadmin_password_reset_confirm", ["MQ", "abc-def"]),
    ):
        answer = client.get(address_of(name, args=values))
        assert answer["Location"] == address_of("account_reset_password")


def test_no_view_extends_the_login_of_django_but_those_that_are_replaced() -> None:
    found = {
        entry.name
        for _path, entry in patterns()
        if issubclass(getattr(entry.callback, "view_class", object), django_views.LoginView)
    }
    assert found <= REPLACED


@pytest.mark.parametrize("with_factor", [True, False])
def test_password_begins_a_session_only_on_the_sign_in_page(ada: Any, with_factor: bool) -> None:
    """Send everything that a form of any login page could have to every address."""
    if with_factor:
        with_app(ada)
    began = []
    paths = {path for path, _entry in patterns()}
    assert {"admin/login/", "_util/login/", "admin/sign-in/passkey/"} <= paths
    for path in sorted(paths):
        client = Client(raise_request_exception=False)
        client.post(f"/{path}", EVERYTHING)
        if SESSION_KEY in client.session:
            began.append(path)
    assert began == ([] if with_factor else ["admin/login/"])


@pytest.mark.parametrize(
    "path",
    [
        "/admin/sign-in/no-sign-up/",
        "/admin/sign-in/sso/no-sign-up/",
        "/admin/sign-in/sso/no-connections/",
        "/admin/sign-in/no-password/",
        "/accounts/signup/",
        "/accounts/login/",
        "/django-admin/",
    ],
)
def test_sign_up_and_connections_do_not_exist(client: Client, home: Any, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.post(path, EVERYTHING).status_code in (404, 405)


def test_sensitive_pages_ask_again_after_a_while(ada: Any, monkeypatch: Any) -> None:
    with_app(ada)
    client = Client()
    send_password(client, "ada", PASSWORD)
    send_code(client)
    assert client.get(address_of("mfa_add_webauthn")).status_code == 200
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 3600
    session.save()
    for name in ("mfa_add_webauthn", "mfa_deactivate_totp", "mfa_generate_recovery_codes"):
        where = client.get(address_of(name))["Location"]
        assert where.startswith(address_of("account_reauthenticate")), name
