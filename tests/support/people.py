"""The people in our tests, always the same ones.

Ada administers the site. Hanna reads the applications for her part of the page tree. Otto operates
the site and reads no applications. Bob edits pages and has none of our rights. Charlie has an
account without access to the admin.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import Client
from wagtail.models import GroupPagePermission, Page

PASSWORD = "correct horse battery staple"
PAGE_RIGHTS = ("add_page", "change_page", "publish_page")
OPERATOR_RIGHTS = ("view_step", "retry_step", "cancel_step", "pause_step", "operate_site")
HR_RIGHTS = ("view_application", "change_application")


def ada() -> Any:
    """The administrator: a superuser."""
    return get_user_model().objects.create_superuser(
        "ada", "ada@example.com", PASSWORD, first_name="Ada", last_name="Admin"
    )


def hanna(part: Page | None, name: str = "hanna", rights: Iterable[str] = HR_RIGHTS) -> Any:
    """An HR editor of ``part`` of the page tree (None: of no part)."""
    return _person(name, rights, part)


def otto() -> Any:
    """An operator: sees and retries tasks, reads no applications, edits no pages."""
    return _person("otto", OPERATOR_RIGHTS, None)


def bob(part: Page | None) -> Any:
    """An editor without any of our rights."""
    return _person("bob", (), part)


def charlie() -> Any:
    """A person with an account and no access to the admin."""
    return get_user_model().objects.create_user("charlie", "charlie@example.com", PASSWORD)


def _person(name: str, rights: Iterable[str], part: Page | None) -> Any:
    user = get_user_model().objects.create_user(
        name, f"{name}@example.com", PASSWORD, first_name=name.capitalize(), last_name="Example"
    )
    group = Group.objects.create(name=f"group of {name}")
    group.permissions.add(
        Permission.objects.get(codename="access_admin", content_type__app_label="wagtailadmin"),
        *Permission.objects.filter(codename__in=rights, content_type__app_label="careers"),
    )
    if part is not None:
        for codename in PAGE_RIGHTS:
            GroupPagePermission.objects.create(
                group=group,
                page=part,
                permission=Permission.objects.get(
                    codename=codename, content_type__app_label="wagtailcore"
                ),
            )
    user.groups.add(group)
    return user


def allow(user: Any, app: str, *codenames: str) -> None:
    """Give the group of ``user`` more permissions."""
    user.groups.get().permissions.add(
        *Permission.objects.filter(content_type__app_label=app, codename__in=codenames)
    )


def logged_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client
