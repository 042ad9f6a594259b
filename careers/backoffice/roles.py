"""The roles that an installation begins with, as groups. Administrators may change them.

``docs/hr-guide.md`` has the table of what each may do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from home.rights import READ, RECIPIENTS

AUTHOR, LEAD, REVIEWER = "HR author", "HR lead", "reviewer"
OPERATOR, ADMINISTRATOR = "operator", "administrator"

_ADMIN = "wagtailadmin.access_admin"
_WRITES = (
    _ADMIN,
    "careers.add_department",
    "careers.change_department",
    "careers.add_location",
    "careers.change_location",
    "wagtail_localize.submit_translation",
)
_READS = (
    READ,
    "careers.change_application",
    "careers.view_access_log",
    "careers.open_unscanned",
)
_STEPS = ("careers.view_step", "careers.retry_step")
_STEERS = ("careers.cancel_step", "careers.pause_step", "careers.operate_site")
_MANAGED = {
    "auth": ("user", "group"),
    "careers": ("department", "location"),
    "wagtailcore": ("collection", "locale", "site", "task", "workflow"),
    "wagtailredirects": ("redirect",),
}


@dataclass(frozen=True)
class Role:
    """What a group may do.

    Attributes:
        permissions: for the whole site, or, where ours, for the jobs below the group's pages.
        pages: on the pages that the group is given. ``view`` allows nothing in Wagtail itself;
            it only says that the group's other permissions count there.
        whole_site: whether the group's pages are all pages.
        files: whether it uploads and chooses pictures and documents.
    """

    permissions: tuple[str, ...]
    pages: tuple[str, ...] = ()
    whole_site: bool = False
    files: bool = False


ROLES = {
    AUTHOR: Role(_WRITES, ("add", "change"), files=True),
    LEAD: Role(
        (*_WRITES, *_READS, *_STEPS, RECIPIENTS),
        ("add", "change", "publish", "lock", "unlock"),
        files=True,
    ),
    REVIEWER: Role((_ADMIN, READ), ("view",)),
    OPERATOR: Role((_ADMIN, *_STEPS, *_STEERS)),
    ADMINISTRATOR: Role(
        (
            *_WRITES,
            *_READS,
            *_STEPS,
            *_STEERS,
            RECIPIENTS,
            "home.change_sitesettings",
            *(
                f"{app}.{action}_{model}"
                for app, models in _MANAGED.items()
                for model in models
                for action in ("add", "change", "delete")
            ),
        ),
        ("add", "bulk_delete", "change", "lock", "publish", "unlock", "view"),
        whole_site=True,
        files=True,
    ),
}
_FILES = {
    "wagtailimages": ("add_image", "change_image", "choose_image"),
    "wagtaildocs": ("add_document", "change_document", "choose_document"),
}


def make_roles(apps: Any) -> None:
    """Make the groups, with their permissions and pages. A group of such a name stays as it is.

    Args:
        apps: where to find the models: of a migration, or ``django.apps.apps``.
    """
    group_of = apps.get_model("auth", "Group").objects
    page_of = apps.get_model("wagtailcore", "Page").objects
    lists = apps.get_model("careers", "JobIndexPage").objects.values_list("pk", flat=True)
    for name, role in ROLES.items():
        group, is_new = group_of.get_or_create(name=name)
        if not is_new:
            continue
        for permission in role.permissions:
            group.permissions.add(*_permissions(apps, permission))
        for page in page_of.filter(depth=1) if role.whole_site else page_of.filter(pk__in=lists):
            give_page(apps, group, page.pk)
        if role.files:
            _give_files(apps, group)


def keep_operators(apps: Any) -> None:
    """Groups that saw the steps of the whole site, and have no pages, stay operators.

    So do accounts with that permission of their own. Before this release, *Can view step* was
    enough; groups with pages now see the steps for the jobs below their pages.
    """
    (see,) = _permissions(apps, "careers.view_step")
    (operate,) = _permissions(apps, "careers.operate_site")
    with_pages = apps.get_model("wagtailcore", "GroupPagePermission").objects.values("group")
    for group in see.group_set.exclude(pk__in=with_pages):
        group.permissions.add(operate)
    for user in see.user_set.all():
        user.user_permissions.add(operate)


def let_operators_pause(apps: Any) -> None:
    """Groups and accounts that cancel steps in the whole site may also pause them."""
    (cancel,) = _permissions(apps, "careers.cancel_step")
    (pause,) = _permissions(apps, "careers.pause_step")
    (operate,) = _permissions(apps, "careers.operate_site")
    for group in cancel.group_set.filter(permissions=operate):
        group.permissions.add(pause)
    for user in cancel.user_set.filter(user_permissions=operate):
        user.user_permissions.add(pause)


def give_page(apps: Any, group: Any, page_id: int) -> None:
    """Give a role its page permissions on one page and all pages below it."""
    of_group = apps.get_model("wagtailcore", "GroupPagePermission").objects
    for action in ROLES[group.name].pages:
        for permission in _permissions(apps, f"wagtailcore.{action}_page"):
            of_group.get_or_create(group_id=group.pk, page_id=page_id, permission_id=permission.pk)


def _give_files(apps: Any, group: Any) -> None:
    root = apps.get_model("wagtailcore", "Collection").objects.filter(depth=1).first()
    of_group = apps.get_model("wagtailcore", "GroupCollectionPermission").objects
    for app, codenames in _FILES.items():
        for codename in codenames:
            for permission in _permissions(apps, f"{app}.{codename}"):
                of_group.get_or_create(
                    group_id=group.pk, collection_id=root.pk, permission_id=permission.pk
                )


def _permissions(apps: Any, name: str) -> Iterable[Any]:
    """The permission of this name, if it exists."""
    app, _dot, codename = name.partition(".")
    found = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label=app, codename=codename
    )
    return list(found)
