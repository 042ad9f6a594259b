"""Administrators who are no superusers can't make themselves one."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client

from careers.backoffice import roles
from tests.support import people

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple 2"


@pytest.fixture
def administrator() -> Any:
    Group.objects.filter(name=roles.ADMINISTRATOR).delete()
    roles.make_roles(apps)
    user = people.charlie()
    user.groups.add(Group.objects.get(name=roles.ADMINISTRATOR))
    return user


def form(name: str, **more: str) -> dict[str, str]:
    return {
        "username": name,
        "email": f"{name}@example.com",
        "first_name": "A",
        "last_name": "B",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "is_active": "on",
        **more,
    }


def superusers() -> set[str]:
    found = get_user_model().objects.filter(is_superuser=True, is_active=True)
    return set(found.values_list("username", flat=True))


def test_administrator_makes_no_superuser(administrator: Any) -> None:
    client = people.logged_in(administrator)
    assert client.post("/admin/users/new/", form("new", is_superuser="on")).status_code == 302
    bob = people.bob(None)
    client.post(f"/admin/users/edit/{bob.pk}/", form("bob", is_superuser="on"))
    assert superusers() == set()
    assert not get_user_model().objects.filter(username="new").exists()


def test_administrator_changes_no_account_of_a_superuser(administrator: Any) -> None:
    client, ada = people.logged_in(administrator), people.ada()
    client.post(f"/admin/users/edit/{ada.pk}/", form("ada"))
    for action in ("delete", "set_active_state"):
        client.post(f"/admin/bulk/auth/user/{action}/?id={ada.pk}", {"mark_as_active": ""})
    ada.refresh_from_db()
    assert superusers() == {"ada"}
    assert ada.check_password(people.PASSWORD)


def test_administrator_manages_other_accounts(administrator: Any) -> None:
    client, bob = people.logged_in(administrator), people.bob(None)
    assert client.post(f"/admin/users/edit/{bob.pk}/", form("bert")).status_code == 302
    bob.refresh_from_db()
    assert bob.username == "bert"
    client.post("/admin/users/new/", form("new"))
    assert get_user_model().objects.filter(username="new").exists()


def test_superuser_makes_a_superuser(client: Client) -> None:
    client.force_login(people.ada())
    client.post("/admin/users/new/", form("new", is_superuser="on"))
    assert superusers() == {"ada", "new"}


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("elodie", {"elodie"}),
        ("Élodie DURAND", {"elodie"}),
        ("d'artagnan", {"bob"}),
        ("bob", {"bob"}),
        ("elo@faß.example", {"elodie"}),
        ("durand", {"elodie"}),
        ("nobody", set()),
        ("%", set()),
        ("", {"elodie", "bob", "charlie"}),
    ],
)
def test_accounts_are_found_as_people_type_names(
    administrator: Any, typed: str, found: set[str]
) -> None:
    people.bob(None)
    get_user_model().objects.filter(username="bob").update(last_name="D’Artagnan")
    get_user_model().objects.create(
        username="elodie", first_name="E\u0301lodie", last_name="Durand", email="elo@faß.example"
    )
    page = people.logged_in(administrator).get("/admin/users/results/", {"q": typed})
    users = {user.username for user in page.context["users"]}
    assert users & {"elodie", "bob", "charlie"} == found
