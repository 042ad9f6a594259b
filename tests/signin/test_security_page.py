"""The page with factors, sessions and last sign-ins of an account."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from careersite.signin import log
from careersite.signin.tasks import clean_up_sign_ins
from tests.support import people
from tests.support.people import PASSWORD
from tests.support.signing_in import is_in, send_code, send_password, with_app, with_recovery_codes

pytestmark = pytest.mark.django_db
OWN = "/admin/security/"


def signed_in(name: str) -> Client:
    browser = Client()
    send_password(browser, name, PASSWORD)
    return browser


def page_of(user: Any) -> str:
    return reverse("signin_of_user", args=[user.pk])


@pytest.fixture
def hanna(ada: Any) -> Any:
    return people.hanna(None)


def test_person_ends_another_session_of_theirs(ada: Any) -> None:
    here, there = signed_in("ada"), signed_in("ada")
    page = here.get(OWN)
    assert len(page.context["sessions"]) == 2
    other = UserSession.objects.get(session_key=there.session.session_key)
    here.post(OWN, {"session": other.pk})
    assert is_in(here)
    assert not is_in(there)


def test_person_ends_all_sessions_but_this_one(ada: Any) -> None:
    here, there, elsewhere = (signed_in("ada") for _browser in range(3))
    here.post(OWN, {"session": "all"})
    assert [is_in(browser) for browser in (here, there, elsewhere)] == [True, False, False]
    assert log.of(ada)[0].data["sessions"] == 2


def test_person_cannot_end_the_session_of_somebody_else(ada: Any, hanna: Any) -> None:
    theirs, mine = signed_in("ada"), signed_in("hanna")
    other = UserSession.objects.get(user=ada)
    mine.post(OWN, {"session": other.pk})
    assert is_in(theirs)
    assert mine.get(page_of(ada)).status_code in (302, 403)
    mine.post(page_of(ada), {"session": "all"})
    assert is_in(theirs)


def test_administrator_ends_the_sessions_of_another(ada: Any, hanna: Any) -> None:
    theirs, mine = signed_in("hanna"), signed_in("ada")
    mine.post(page_of(hanna), {"session": "all"})
    assert not is_in(theirs)
    assert is_in(mine)


def test_administrator_resets_factors_with_a_trace_and_a_mail(
    ada: Any, hanna: Any, mailoutbox: list[Any]
) -> None:
    with_app(hanna)
    with_recovery_codes(hanna)
    theirs = signed_in("hanna")
    send_code(theirs)
    assert is_in(theirs)
    mine = signed_in("ada")
    assert "Reset second factors" in mine.get(page_of(hanna)).content.decode()
    mine.post(page_of(hanna), {"reset": "1"})
    assert not Authenticator.objects.filter(user=hanna).exists()
    assert not is_in(theirs)
    newest = log.of(hanna)[0]
    assert (newest.action, newest.user) == ("signin.factors_reset", ada)
    assert [mail.to for mail in mailoutbox] == [["hanna@example.com"]]
    assert "Ada Admin has reset" in mailoutbox[0].body


def test_nobody_resets_their_own_factors(ada: Any) -> None:
    with_app(ada)
    mine = signed_in("ada")
    send_code(mine)
    for path in (OWN, page_of(ada)):
        assert "Reset second factors" not in mine.get(path).content.decode()
        mine.post(path, {"reset": "1"})
    assert Authenticator.objects.filter(user=ada).exists()


def test_manager_of_accounts_cannot_reset_a_superuser(ada: Any, hanna: Any) -> None:
    hanna.user_permissions.add(Permission.objects.get(codename="change_user"))
    with_app(ada)
    mine = signed_in("hanna")
    assert mine.post(page_of(ada), {"reset": "1"}).status_code in (302, 403)
    assert Authenticator.objects.filter(user=ada).exists()


def test_acting_on_another_asks_for_the_password_again_after_a_while(ada: Any, hanna: Any) -> None:
    with_app(hanna)
    mine = signed_in("ada")
    session = mine.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 3600
    session.save()
    where = mine.post(page_of(hanna), {"reset": "1"})["Location"]
    assert where.startswith(reverse("account_reauthenticate"))
    assert Authenticator.objects.filter(user=hanna).exists()


def test_acting_without_a_password_asks_to_sign_in_again_after_a_while(
    ada: Any, hanna: Any
) -> None:
    """A person of single sign-on has no password here, and perhaps no factor."""
    with_app(hanna)
    mine = signed_in("ada")
    ada.set_unusable_password()
    ada.save()
    session = mine.session
    session[HASH_SESSION_KEY] = ada.get_session_auth_hash()
    for record in session["account_authentication_methods"]:
        record["at"] -= 3600
    session.save()
    page = mine.post(page_of(hanna), {"reset": "1"}, follow=True)
    assert page.status_code == 200
    assert "Sign out and in again first" in page.content.decode()
    assert Authenticator.objects.filter(user=hanna).exists()


def test_changing_the_address_asks_for_the_password_again_after_a_while(ada: Any) -> None:
    mine = signed_in("ada")
    account = reverse("wagtailadmin_account")
    sent = {
        "name_email-first_name": "Ada",
        "name_email-last_name": "Admin",
        "name_email-email": "eve@example.com",
    }
    session = mine.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 3600
    session.save()
    where = mine.post(account, sent)["Location"]
    assert where.startswith(reverse("account_reauthenticate"))
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


@pytest.mark.parametrize(
    "changed",
    [
        {"email": "eve@example.com"},
        {"username": "eve"},
        {"password1": "another battery staple", "password2": "another battery staple"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_nobody_changes_their_own_sign_in_in_the_list_of_users(
    ada: Any, changed: dict[str, str]
) -> None:
    mine = signed_in("ada")
    same = {"username": "ada", "email": ada.email, "first_name": "A", "last_name": "B"}
    same |= {"is_active": "on", "is_superuser": "on", "password1": "", "password2": ""}
    where = mine.post(reverse("wagtailusers_users:edit", args=[ada.pk]), same | changed)["Location"]
    assert where == reverse("wagtailadmin_account")
    ada.refresh_from_db()
    assert (ada.username, ada.email) == ("ada", "ada@example.com")
    assert ada.check_password(PASSWORD)
    mine.post(reverse("wagtailusers_users:edit", args=[ada.pk]), same)
    ada.refresh_from_db()
    assert ada.first_name == "A"


def test_links_lead_there(ada: Any, hanna: Any) -> None:
    mine = signed_in("ada")
    assert OWN in mine.get(reverse("wagtailadmin_account")).content.decode()
    assert page_of(hanna) in mine.get("/admin/users/").content.decode()


def test_clean_up_deletes_what_is_old(ada: Any, time_machine: Any) -> None:
    time_machine.move_to("2026-01-10")
    signed_in("ada")
    time_machine.move_to("2026-06-10")
    signed_in("ada")
    clean_up_sign_ins()
    assert Session.objects.count() == UserSession.objects.count() == 1
    assert [entry.action for entry in log.entries()] == ["signin.in"]
