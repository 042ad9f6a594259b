"""Single sign-on, against a real provider on the loopback interface."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from tests.support.openid import CLIENT, SECRET, OpenIDProvider, openid_provider
from tests.support.people import PASSWORD
from tests.support.signing_in import is_in, send_code, send_password, with_app

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def running() -> Iterator[OpenIDProvider]:
    with openid_provider() as provider:
        yield provider


@pytest.fixture
def provider(running: OpenIDProvider, home: Any, settings: Any) -> Iterator[OpenIDProvider]:
    """The provider, with one person in the group ``careers-leads``."""
    running.claims = {
        "sub": "248289",
        "email": "grace@example.com",
        "email_verified": True,
        "preferred_username": "grace",
        "given_name": "Grace",
        "groups": ["careers-leads", "canteen"],
        "amr": ["pwd", "mfa"],
    }
    running.lies, running.userinfo, running.is_down = {}, {}, False
    running.problems.clear()
    running.signs, running.algorithm, running.moved = running.key, "RS256", False
    settings.OIDC_ISSUER = running.issuer
    settings.OIDC_GROUPS = [("careers-leads", "HR lead"), ("careers-admins", "administrator")]
    providers = copy.deepcopy(settings.SOCIALACCOUNT_PROVIDERS)
    providers["openid_connect"]["APPS"] = [
        {
            "provider_id": "sso",
            "name": "Example",
            "client_id": CLIENT,
            "secret": SECRET,
            "settings": {
                "server_url": running.issuer,
                "oauth_pkce_enabled": True,
                "scope": ["openid", "profile", "email"],
            },
        }
    ]
    settings.SOCIALACCOUNT_PROVIDERS = providers
    for name in ("HR lead", "administrator", "canteen"):
        group, _made = Group.objects.get_or_create(name=name)
        group.permissions.add(
            Permission.objects.get(codename="access_admin", content_type__app_label="wagtailadmin")
        )
    yield running
    assert running.problems == []


def sign_on(browser: Client, then: str = "") -> Any:
    """Go to the provider and come back; returns the answer of the site."""
    address = reverse("openid_connect_login") + (f"?next={then}" if then else "")
    there = browser.get(address)["Location"]
    back = requests.get(there, allow_redirects=False, timeout=10).headers["Location"]
    return browser.get(back.replace("http://testserver", ""))


def grace() -> Any:
    return get_user_model().objects.get(username="grace")


def groups(user: Any) -> set[str]:
    return set(user.groups.values_list("name", flat=True))


def test_first_sign_in_creates_the_account_with_its_groups(
    client: Client, provider: OpenIDProvider, two_factors: None
) -> None:
    assert sign_on(client, then="/admin/reports/")["Location"] == "/admin/reports/"
    assert is_in(client)
    assert groups(grace()) == {"HR lead"}
    assert (grace().email, grace().first_name) == ("grace@example.com", "Grace")
    assert not grace().has_usable_password()
    assert not grace().is_superuser


def test_sign_in_page_offers_it_only_when_it_is_configured(
    client: Client, provider: OpenIDProvider, settings: Any
) -> None:
    link = reverse("openid_connect_login")
    assert link in client.get(reverse("account_login")).content.decode()
    settings.OIDC_ISSUER = ""
    assert link not in client.get(reverse("account_login")).content.decode()


def test_not_configured_it_does_not_exist(client: Client, home: Any) -> None:
    assert client.get(reverse("openid_connect_login")).status_code == 404
    assert client.get(reverse("openid_connect_callback")).status_code == 404


@pytest.mark.parametrize("claimed", [[], ["canteen"], None, "canteen", {"careers": 1}, 7])
def test_person_without_a_mapped_group_gets_no_account(
    client: Client, provider: OpenIDProvider, claimed: Any
) -> None:
    provider.claims["groups"] = claimed
    answer = sign_on(client)
    assert answer.status_code == 403
    assert "none of your groups there gives you access" in answer.content.decode()
    assert not get_user_model().objects.filter(username="grace").exists()
    assert not is_in(client)


def test_groups_follow_the_claims_at_each_sign_in(provider: OpenIDProvider) -> None:
    sign_on(Client())
    grace().groups.add(Group.objects.get(name="canteen"))
    provider.claims["groups"] = "careers-admins"
    sign_on(Client())
    # A group that no claim gives is not the provider's business.
    assert groups(grace()) == {"administrator", "canteen"}


def test_removed_claim_takes_the_groups_and_ends_the_sessions(
    client: Client, provider: OpenIDProvider
) -> None:
    sign_on(client)
    assert is_in(client)
    provider.claims["groups"] = []
    assert sign_on(Client()).status_code == 403
    assert groups(grace()) == set()
    assert not is_in(client)


def test_disabled_account_cannot_sign_in(client: Client, provider: OpenIDProvider) -> None:
    sign_on(Client())
    get_user_model().objects.filter(username="grace").update(is_active=False)
    sign_on(client)
    assert not is_in(client)


@pytest.mark.parametrize("verified", [True, False])
def test_address_of_a_local_account_does_not_take_it_over(
    client: Client, provider: OpenIDProvider, ada: Any, verified: bool
) -> None:
    provider.claims |= {"email": "ADA@example.com", "email_verified": verified}
    answer = sign_on(client)
    assert answer.status_code == 403
    assert "already has your e-mail address" in answer.content.decode()
    assert not is_in(client)


@pytest.fixture
def linking(provider: OpenIDProvider, settings: Any) -> None:
    settings.OIDC_LINK_BY_EMAIL = True
    settings.SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
    settings.SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True


@pytest.mark.parametrize(("verified", "status"), [(True, 302), (False, 403)])
def test_verified_address_connects_if_the_operator_wants_it(
    client: Client, provider: OpenIDProvider, linking: None, verified: bool, status: int
) -> None:
    get_user_model().objects.create_user("g.hopper", "grace@example.com", PASSWORD)
    provider.claims["email_verified"] = verified
    assert sign_on(client).status_code == status
    assert is_in(client) is verified
    assert get_user_model().objects.filter(email="grace@example.com").count() == 1


def test_superuser_is_never_connected_by_address(
    client: Client, provider: OpenIDProvider, linking: None, ada: Any
) -> None:
    provider.claims["email"] = "ada@example.com"
    assert sign_on(client).status_code == 403
    assert not is_in(client)


@pytest.mark.parametrize(
    ("setting", "amr", "at_once"),
    [
        ("amr", ["pwd", "mfa"], True),
        ("amr", ["pwd"], False),
        ("amr", None, False),
        ("amr", "mfa", False),
        ("always", None, True),
        ("never", ["mfa"], False),
    ],
)
def test_provider_counts_as_both_factors_only_as_configured(
    client: Client,
    provider: OpenIDProvider,
    settings: Any,
    two_factors: None,
    setting: str,
    amr: Any,
    at_once: bool,
) -> None:
    settings.OIDC_SECOND_FACTOR = setting
    provider.claims["amr"] = amr
    sign_on(client)
    assert is_in(client) is at_once


def test_own_second_factor_is_asked_for_after_the_provider(
    client: Client, provider: OpenIDProvider
) -> None:
    sign_on(Client())
    with_app(grace())
    provider.claims["amr"] = ["pwd"]
    assert sign_on(client)["Location"] == reverse("mfa_authenticate")
    assert not is_in(client)
    send_code(client)
    assert is_in(client)


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another client"},
        {"iss": "https://elsewhere.example"},
        {"exp": 1},
        {"sub": "somebody else"},
    ],
    ids=str,
)
def test_wrong_id_token_signs_nobody_in(
    client: Client, provider: OpenIDProvider, lie: dict[str, Any]
) -> None:
    provider.lies = lie
    sign_on(client)
    assert not is_in(client)
    assert not get_user_model().objects.filter(username="grace").exists()


def test_signature_of_another_key_signs_nobody_in(client: Client, provider: OpenIDProvider) -> None:
    provider.signs = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    sign_on(client)
    assert not is_in(client)


@pytest.mark.parametrize(
    ("algorithm", "key"), [("none", None), ("HS256", b"a secret that both sides would share")]
)
def test_algorithm_without_a_key_pair_signs_nobody_in(
    client: Client, provider: OpenIDProvider, algorithm: str, key: Any
) -> None:
    provider.algorithm, provider.signs = algorithm, key
    assert sign_on(client).status_code < 500
    assert not is_in(client)


def test_provider_that_redirects_is_not_followed(client: Client, provider: OpenIDProvider) -> None:
    provider.moved = True
    assert client.get(reverse("openid_connect_login")).status_code == 503


@pytest.mark.parametrize(
    ("site", "begins"),
    [("cross-site", False), ("same-site", False), ("same-origin", True), ("none", True)],
)
def test_other_site_cannot_begin_a_sign_in(
    client: Client, provider: OpenIDProvider, site: str, begins: bool
) -> None:
    headers = {"Sec-Fetch-Site": site}
    where = client.get(reverse("openid_connect_login"), headers=headers)["Location"]
    assert where.startswith(provider.issuer if begins else reverse("account_login"))


def test_answer_for_another_browser_signs_nobody_in(
    client: Client, provider: OpenIDProvider
) -> None:
    """An attacker sends a victim the way back that was made for the attacker."""
    there = Client().get(reverse("openid_connect_login"))["Location"]
    back = requests.get(there, allow_redirects=False, timeout=10).headers["Location"]
    client.get(back.replace("http://testserver", ""))
    assert not is_in(client)


def test_visitor_cannot_change_what_is_asked_of_the_provider(
    client: Client, provider: OpenIDProvider
) -> None:
    address = reverse("openid_connect_login")
    there = client.get(f"{address}?scope=offline_access&auth_params=nonce%3Dx&process=connect")
    assert "offline_access" not in there["Location"]
    assert "nonce=x" not in there["Location"]


def test_provider_that_is_down_is_said_in_words(client: Client, provider: OpenIDProvider) -> None:
    provider.is_down = True
    answer = client.get(reverse("openid_connect_login"))
    assert answer.status_code == 503
    assert "The provider does not answer" in answer.content.decode()


def test_local_account_still_signs_in_beside_it(
    client: Client, provider: OpenIDProvider, ada: Any
) -> None:
    send_password(client, "ada", PASSWORD)
    assert is_in(client)
