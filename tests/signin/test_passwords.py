"""Limits on wrong passwords, and what a stranger can learn."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import caches
from django.test import Client, RequestFactory
from django.urls import reverse

from careersite.signin.memory import SplitCache
from careersite.signin.models import Memory
from careersite.signin.passwords import Attempts, PasswordBackend
from tests.support import people
from tests.support.people import PASSWORD
from tests.support.signing_in import is_in, send_code, send_password, with_app

pytestmark = pytest.mark.django_db
LIMITED = "too many wrong passwords or codes"


def guess(times: int, name: str = "ada", address: str = "192.0.2.7") -> Any:
    """Try wrong passwords; returns the answer to the last one, which the form gets."""
    for _time in range(times - 1):
        request = RequestFactory().post("/", REMOTE_ADDR=address)
        Attempts(request, name).count()
    return send_password(Client(), name, "wrong", REMOTE_ADDR=address)


def test_sixth_attempt_from_an_address_is_refused_even_with_the_right_password(ada: Any) -> None:
    assert LIMITED not in guess(5).content.decode()
    browser = Client()
    answer = send_password(browser, "ada", PASSWORD, REMOTE_ADDR="192.0.2.7")
    assert answer.status_code == 429
    assert LIMITED in answer.content.decode()
    assert not is_in(browser)


def test_person_at_their_usual_address_is_not_locked_out_by_strangers(ada: Any) -> None:
    """Strangers who know the user name use up the limit for all addresses."""
    assert send_password(Client(), "ada", PASSWORD, REMOTE_ADDR="198.51.100.4").status_code == 302
    for number in range(1, 11):
        guess(5, address=f"203.0.113.{number}")
    assert LIMITED in guess(1, address="203.0.113.200").content.decode()
    browser = Client()
    assert send_password(browser, "ada", PASSWORD, REMOTE_ADDR="198.51.100.4").status_code == 302


def test_another_person_at_the_same_address_can_sign_in(ada: Any) -> None:
    people.hanna(None)
    guess(6)
    assert send_password(Client(), "hanna", PASSWORD, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_one_address_cannot_try_many_names(ada: Any) -> None:
    for number in range(30):
        Attempts(RequestFactory().post("/", REMOTE_ADDR="192.0.2.7"), f"name{number}").count()
    assert LIMITED in guess(1, name="ada").content.decode()


def test_own_sign_in_renews_no_attempts_on_other_accounts(ada: Any) -> None:
    """Not with a second factor, and not by a new password."""
    bob = people.hanna(None, "bob")
    with_app(bob)
    request = RequestFactory().post("/", REMOTE_ADDR="192.0.2.7")
    for number in range(29):
        Attempts(request, f"name{number}").count()
    browser = Client(REMOTE_ADDR="192.0.2.7")
    send_password(browser, "bob", PASSWORD)
    assert send_code(browser).status_code == 302
    Attempts(request, "bob").forget()
    guess(1, name="name29")
    assert LIMITED in guess(1, name="ada").content.decode()


@pytest.mark.parametrize("name", ["ADA", " ada ", "Ada"])
def test_other_spelling_of_a_name_has_no_attempts_of_its_own(ada: Any, name: str) -> None:
    guess(5)
    assert LIMITED in guess(1, name=name).content.decode()


def test_network_of_ipv6_counts_as_one_address(ada: Any) -> None:
    for number in range(5):
        guess(1, address=f"2001:db8:1:2::{number}")
    assert LIMITED in guess(1, address="2001:db8:1:2:ffff::1").content.decode()


def test_address_that_a_visitor_claims_is_not_believed(ada: Any) -> None:
    for number in range(6):
        answer = send_password(
            Client(headers={"x-forwarded-for": f"198.51.100.{number}"}),
            "ada",
            "wrong",
            REMOTE_ADDR="192.0.2.7",
        )
    assert LIMITED in answer.content.decode()


def test_limit_is_shared_by_processes_and_keeps_no_names(ada: Any) -> None:
    """Another process has only the table."""
    guess(5)
    keys = list(Memory.objects.values_list("cache_key", "value"))
    assert keys
    assert not any(word in str(keys) for word in ("ada", "192.0.2"))
    caches["default"].clear()
    assert LIMITED in guess(1).content.decode()


def test_right_passwords_use_up_no_limit(ada: Any) -> None:
    for _time in range(8):
        assert send_password(Client(), "ada", PASSWORD).status_code == 302


def test_django_authenticate_signs_nobody_in(ada: Any) -> None:
    request = RequestFactory().post("/", REMOTE_ADDR="192.0.2.7")
    assert PasswordBackend().authenticate(request, username="ada", password=PASSWORD) is None
    assert PasswordBackend().authenticate(None, username="ada", password=PASSWORD) is None


def test_sign_in_answers_the_same_for_unknown_names(ada: Any) -> None:
    def words(name: str) -> str:
        answer = send_password(Client(), name, "wrong")
        assert answer.status_code == 200
        return answer.content.decode().replace(name, "NAME").split("<main")[1].split("csrf")[0]

    assert words("ada") == words("eve")


def test_limit_answers_the_same_for_unknown_names(ada: Any) -> None:
    assert [guess(6, name=name).status_code for name in ("ada", "eve")] == [429, 429]


def test_reset_answers_the_same_for_unknown_addresses(ada: Any, mailoutbox: list[Any]) -> None:
    answers = [
        Client().post(reverse("account_reset_password"), {"email": address})
        for address in ("ada@example.com", "eve@example.com")
    ]
    assert [a.status_code for a in answers] == [302, 302]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert [mail.to for mail in mailoutbox] == [["ada@example.com"]]


def test_reset_link_has_the_address_of_the_site_whatever_the_host_header(
    ada: Any, settings: Any, mailoutbox: list[Any]
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    sent = {"email": "ada@example.com"}
    Client().post(reverse("account_reset_password"), sent, headers={"host": "evil.example"})
    assert f"{settings.SITE_URL}/admin/sign-in/forgotten/" in mailoutbox[0].body
    assert "evil.example/admin" not in mailoutbox[0].body


def reset(mail: Any, browser: Client) -> Any:
    """Follow the link of a mail and choose another password."""
    (link,) = [word for word in mail.body.split() if "/forgotten/" in word]
    page = browser.get("/admin/" + link.partition("/admin/")[2], follow=True)
    path = page.redirect_chain[-1][0]
    new = {"password1": "another battery staple", "password2": "another battery staple"}
    return browser.post(path, new)


def test_reset_signs_nobody_in_and_ends_other_sessions(ada: Any, mailoutbox: list[Any]) -> None:
    before, browser = Client(), Client()
    send_password(before, "ada", PASSWORD)
    assert is_in(before)
    browser.post(reverse("account_reset_password"), {"email": "ada@example.com"})
    assert reset(mailoutbox[0], browser).status_code == 302
    assert not is_in(browser)
    assert not is_in(before)
    assert send_password(browser, "ada", "another battery staple").status_code == 302


def test_account_without_a_password_gets_no_reset_mail(ada: Any, mailoutbox: list[Any]) -> None:
    ada.set_unusable_password()
    ada.save()
    Client().post(reverse("account_reset_password"), {"email": "ada@example.com"})
    assert mailoutbox == []


def test_former_address_gets_no_reset_mail(ada: Any, mailoutbox: list[Any]) -> None:
    Client().post(reverse("account_reset_password"), {"email": "ada@example.com"})
    ada.email = "new@example.com"
    ada.save()
    Client().post(reverse("account_reset_password"), {"email": "ada@example.com"})
    assert len(mailoutbox) == 1


def test_changing_the_password_ends_other_sessions(ada: Any) -> None:
    other, browser = Client(), Client()
    for each in (other, browser):
        send_password(each, "ada", PASSWORD)
    new = "another battery staple"
    sent = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert browser.post(reverse("account_change_password"), sent).status_code == 302
    assert is_in(browser)
    assert not is_in(other)


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "https://localhost/",
        "http:evil.example",
    ],
)
def test_sign_in_redirects_to_no_other_site(ada: Any, target: str) -> None:
    assert send_password(Client(), "ada", PASSWORD, then=target)["Location"] == "/admin/"


def test_sign_in_gives_the_session_another_key(ada: Any) -> None:
    browser = Client()
    browser.get(reverse("account_login"))
    browser.session["planted"] = "by somebody else"
    session = browser.session
    session.save()
    before = session.session_key
    send_password(browser, "ada", PASSWORD)
    assert browser.session.session_key != before


def test_inactive_account_cannot_sign_in(ada: Any) -> None:
    get_user_model().objects.update(is_active=False)
    browser = Client()
    send_password(browser, "ada", PASSWORD)
    assert not is_in(browser)


def test_person_without_access_to_the_admin_is_told_so(home: Any) -> None:
    people.charlie()
    browser = Client()
    answer = browser.post(
        reverse("account_login"), {"login": "charlie", "password": PASSWORD}, follow=True
    )
    assert answer.status_code == 200
    assert "do not have permission to access the admin" in answer.content.decode()


def test_only_entries_of_signing_in_are_shared() -> None:
    cache = SplitCache("test", {})
    cache.set("wagtail-something", 1)
    assert not Memory.objects.exists()
    assert cache.add("allauth.mfa.totp.used?user=1", "y", timeout=60)
    assert not SplitCache("other", {}).add("allauth.mfa.totp.used?user=1", "y", timeout=60)
