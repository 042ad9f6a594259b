"""Which part of the page tree a user holds a permission for.

A permission counts only within the pages of the group that grants it: a user who may read
applications through one group, and may edit other pages through another, reads nothing there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Q
from wagtail.models import GroupPagePermission

#: The permission to read applications.
READ = "careers.view_application"
#: The permission to choose who is notified of applications, at any address.
RECIPIENTS = "home.change_recipients"


@dataclass(frozen=True)
class Scope:
    """Where a user holds a permission.

    Attributes:
        everywhere: whether it is the whole site.
        paths: else the paths of the pages at whose top it begins.
    """

    everywhere: bool = False
    paths: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.everywhere or bool(self.paths)

    def holds(self, path: str) -> bool:
        """Whether the page with this path is in it."""
        return self.everywhere or path.startswith(self.paths)

    def query(self, field: str = "path") -> Q:
        """Its pages, by the field that holds their path."""
        if self.everywhere:
            return Q()
        begins = [Q(**{f"{field}__startswith": path}) for path in self.paths]
        return reduce(or_, begins, Q(pk__in=[]))


def scope(user: Any, permission: str, site_wide_with: str = "") -> Scope:
    """Where ``user`` holds ``permission``.

    It is the pages for which a group of the user has both the permission and any page permission.
    A permission that is given to a user directly has no pages and so counts nowhere, except as
    below. An inactive user holds nothing, a superuser everything.

    Args:
        permission: as for ``has_perm``, such as ``careers.view_application``.
        site_wide_with: a permission that, held by the same group or directly with the other one,
            makes it count in the whole site.
    """
    if not user.is_active or user.is_anonymous:
        return Scope()
    if user.is_superuser:
        return Scope(everywhere=True)
    paths: set[str] = set()
    for held, pages in _grants(user):
        if permission not in held:
            continue
        if site_wide_with in held:
            return Scope(everywhere=True)
        paths |= pages
    return Scope(paths=_tops(paths))


def held_by(user: Any) -> list[list[list[str]]]:
    """Everything on which a user's scopes depend, in a form that can be compared."""
    if user.is_superuser:
        return []
    return sorted([sorted(held), sorted(pages)] for held, pages in _grants(user))


def _grants(user: Any) -> list[tuple[set[str], set[str]]]:
    """The permissions and the paths of each group of a user, then the user's own permissions.

    It takes three queries, once for each request.
    """
    known: list[tuple[set[str], set[str]]] | None = user.__dict__.get("_grants")
    if known is None:
        groups: dict[int, tuple[set[str], set[str]]] = {}
        for group, app, codename in Group.objects.filter(
            user=user, permissions__isnull=False
        ).values_list("pk", "permissions__content_type__app_label", "permissions__codename"):
            groups.setdefault(group, (set(), set()))[0].add(f"{app}.{codename}")
        for group, path in GroupPagePermission.objects.filter(group__user=user).values_list(
            "group", "page__path"
        ):
            groups.setdefault(group, (set(), set()))[1].add(path)
        direct = user.user_permissions.values_list("content_type__app_label", "codename")
        own = {f"{app}.{codename}" for app, codename in direct}
        known = user.__dict__["_grants"] = [*groups.values(), (own, set())]
    return known


def _tops(paths: set[str]) -> tuple[str, ...]:
    """Without paths that lie below another one."""
    tops: list[str] = []
    for path in sorted(paths):
        if not tops or not path.startswith(tops[-1]):
            tops.append(path)
    return tuple(tops)
