"""The roles that an installation begins with."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from wagtail.models import GroupCollectionPermission, GroupPagePermission

from careers.backoffice import roles
from careers.backoffice.permissions import CHANGE, READ, SEE_TASKS, is_operator, scope_of
from careers.backoffice.roles import ROLES, make_roles
from careers.jobs.models import JobPage
from home.rights import RECIPIENTS
from tests.support import people
from tests.support.factories import ApplicationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(job: JobPage) -> dict[str, Group]:
    Group.objects.filter(name__in=ROLES).delete()
    make_roles(apps)
    return {group.name: group for group in Group.objects.filter(name__in=ROLES)}


def person(group: Group) -> Any:
    user = people.charlie()
    user.groups.add(group)
    return user


def test_roles_have_their_names_and_every_permission_exists(made: dict[str, Group]) -> None:
    assert set(made) == {"HR author", "HR lead", "reviewer", "operator", "administrator"}
    for name, role in ROLES.items():
        assert made[name].permissions.count() == len(set(role.permissions)), name
        actions = {
            one.permission.codename for one in GroupPagePermission.objects.filter(group=made[name])
        }
        assert actions == {f"{action}_page" for action in role.pages}, name
        files = GroupCollectionPermission.objects.filter(group=made[name]).count()
        assert files == (6 if role.files else 0), name


def test_groups_of_these_names_keep_what_they_have() -> None:
    Group.objects.filter(name__in=ROLES).delete()
    own = Group.objects.create(name=roles.REVIEWER)
    own.permissions.add(Permission.objects.get(codename="view_step"))
    make_roles(apps)
    make_roles(apps)
    assert [one.codename for one in own.permissions.all()] == ["view_step"]
    assert Group.objects.filter(name__in=ROLES).count() == len(ROLES)


def test_upgrade_keeps_operators_and_no_others_site_wide(job: JobPage) -> None:
    hanna = people.hanna(job, rights=("view_application", "view_step"))
    operator = people.hanna(None, "olga", ("view_step", "retry_step"))
    alone = people.charlie()
    alone.user_permissions.add(Permission.objects.get(codename="view_step"))
    roles.keep_operators(apps)
    found = [is_operator(type(user).objects.get(pk=user.pk)) for user in (hanna, operator, alone)]
    assert found == [False, True, True]


@pytest.mark.parametrize(
    ("role", "reads", "changes", "sees_tasks", "chooses_recipients", "edits"),
    [
        (roles.AUTHOR, False, False, False, False, True),
        (roles.LEAD, True, True, True, True, True),
        (roles.REVIEWER, True, False, False, False, False),
        (roles.OPERATOR, False, False, True, False, False),
        (roles.ADMINISTRATOR, True, True, True, True, True),
    ],
)
def test_role_may_do_what_the_table_says(
    made: dict[str, Group],
    job: JobPage,
    role: str,
    reads: bool,
    changes: bool,
    sees_tasks: bool,
    chooses_recipients: bool,
    edits: bool,
) -> None:
    user = person(made[role])
    held = [
        scope_of(user, permission).holds(job.path)
        for permission in (READ, CHANGE, SEE_TASKS, RECIPIENTS)
    ]
    assert held == [reads, changes, sees_tasks, chooses_recipients]
    assert job.permissions_for_user(user).can_edit() is edits
    assert job.permissions_for_user(user).can_publish() is (
        role in (roles.LEAD, roles.ADMINISTRATOR)
    )
    assert is_operator(user) is (role in (roles.OPERATOR, roles.ADMINISTRATOR))


def test_reviewer_reads_applications_and_nothing_else(made: dict[str, Group], job: JobPage) -> None:
    application = ApplicationFactory(page=job, with_files=True, in_quarantine=True)
    client = people.logged_in(person(made[roles.REVIEWER]))
    url = f"/admin/applications/{application.reference}/"
    page = client.get(url).content.decode()
    assert application.name in page
    assert 'name="stage"' not in page
    client.post(f"{url}stage/", {"stage": "interview", "before": "new"})
    client.post(f"{url}release/")
    application.refresh_from_db()
    assert (application.review_stage, application.quarantined) == ("new", True)
    menu = client.get("/admin/").content.decode()
    assert "/admin/applications/" in menu
    assert "/admin/tasks/" not in menu
    for address in (f"/admin/pages/{job.pk}/edit/", f"/admin/pages/{job.pk}/history/"):
        assert client.get(address).status_code == 302, address


def test_group_editor_gives_pages_on_which_a_group_changes_nothing(
    made: dict[str, Group], as_ada: Any
) -> None:
    page = as_ada.get(f"/admin/groups/edit/{made[roles.REVIEWER].pk}/").content.decode()
    assert "view_page" in page
    assert "Use the group’s other permissions here" in page
