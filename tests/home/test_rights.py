"""Where a user holds a permission."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, Group, Permission
from wagtail.models import GroupPagePermission, Page

from home.rights import Scope, scope
from tests.support.factories import HomePageFactory, root_page

pytestmark = pytest.mark.django_db

READ, SEE, OPERATE = "careers.view_application", "careers.view_step", "careers.operate_site"


def group(*permissions: str, pages: tuple[Page, ...] = ()) -> Group:
    made = Group.objects.create(name=f"group {Group.objects.count()}")
    made.permissions.set(named(permissions))
    for page in pages:
        GroupPagePermission.objects.create(group=made, page=page, permission_type="change")
    return made


def named(permissions: tuple[str, ...]) -> list[Permission]:
    return [
        Permission.objects.get(content_type__app_label=app, codename=codename)
        for app, codename in (permission.split(".") for permission in permissions)
    ]


def member(*groups: Group, direct: tuple[str, ...] = ()) -> Any:
    user = get_user_model().objects.create_user("member")
    user.groups.set(groups)
    user.user_permissions.set(named(direct))
    return get_user_model().objects.get(pk=user.pk)


@pytest.fixture
def home() -> Page:
    made: Page = HomePageFactory()
    return made


def test_permission_counts_for_the_pages_of_its_own_group_only(home: Page) -> None:
    user = member(group(READ, pages=(home,)), group(pages=(root_page(),)))
    assert scope(user, READ) == Scope(paths=(home.path,))


def test_permission_of_two_groups_counts_for_the_pages_of_both(home: Page) -> None:
    other = HomePageFactory()
    user = member(group(READ, pages=(home,)), group(READ, pages=(other,)))
    assert scope(user, READ) == Scope(paths=(home.path, other.path))


def test_group_without_pages_gives_no_scope(home: Page) -> None:
    assert not scope(member(group(READ), group(pages=(home,))), READ)


def test_permission_given_to_a_user_directly_counts_nowhere(home: Page) -> None:
    user = member(group(pages=(root_page(),)), direct=(READ,))
    assert user.has_perm(READ)
    assert not scope(user, READ)


@pytest.mark.parametrize(
    ("in_one_group", "everywhere"), [((SEE, OPERATE), True), ((SEE,), False), ((OPERATE,), False)]
)
def test_site_wide_permission_must_come_from_the_same_group(
    in_one_group: tuple[str, ...], everywhere: bool
) -> None:
    user = member(group(*in_one_group), group(OPERATE), group(SEE))
    assert scope(user, SEE, OPERATE).everywhere is everywhere


def test_operator_by_permissions_of_their_own_works_site_wide() -> None:
    assert scope(member(direct=(SEE, OPERATE)), SEE, OPERATE).everywhere
    assert not scope(member_again(direct=(SEE, OPERATE)), SEE)


def member_again(direct: tuple[str, ...]) -> Any:
    user = get_user_model().objects.create_user("again")
    user.user_permissions.set(named(direct))
    return user


def test_superuser_holds_everything_and_an_inactive_one_nothing() -> None:
    user = get_user_model().objects.create_superuser("ada")
    assert scope(user, READ) == Scope(everywhere=True)
    user.is_active = False
    assert not scope(user, READ)
    assert not scope(AnonymousUser(), READ)


def test_inactive_member_holds_nothing(home: Page) -> None:
    user = member(group(READ, pages=(home,)))
    user.is_active = False
    assert not scope(user, READ)


def test_page_with_a_similar_path_is_outside() -> None:
    assert not Scope(paths=("00010001",)).holds("000100020001")
    assert Scope(paths=("00010001",)).holds("000100010002")
    assert not Scope().holds("0001")


def test_three_queries_answer_for_every_permission(
    home: Page, django_assert_num_queries: Any
) -> None:
    user = member(*(group(READ, SEE, pages=(home,)) for _ in range(5)))
    with django_assert_num_queries(3):
        for permission in (READ, SEE, OPERATE):
            scope(user, permission)
