"""Who may read which applications."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, Group

from careers.applications.models import Application
from careers.backoffice.permissions import ALL, grantable, visible_applications
from careers.jobs.models import JobPage
from tests.support import people
from tests.support.factories import ApplicationFactory


@pytest.fixture
def elsewhere(theirs: JobPage) -> Application:
    made: Application = ApplicationFactory(page=theirs)
    return made


def test_hr_reads_applications_of_their_part_of_the_tree(
    ours: JobPage, application: Application, elsewhere: Application
) -> None:
    assert list(visible_applications(people.hanna(ours.get_parent()))) == [application]


def test_page_permission_on_the_job_is_enough(ours: JobPage, application: Application) -> None:
    assert list(visible_applications(people.hanna(ours))) == [application]


def test_reading_requires_the_read_permission(ours: JobPage, application: Application) -> None:
    assert not visible_applications(people.bob(ours.get_parent())).exists()


def test_reading_requires_a_page_permission(application: Application) -> None:
    assert not visible_applications(people.hanna(None)).exists()


def test_operator_reads_no_application(application: Application) -> None:
    assert not visible_applications(people.otto()).exists()


def test_superuser_reads_every_application(
    application: Application, elsewhere: Application
) -> None:
    assert set(visible_applications(people.ada())) == {application, elsewhere}


def test_anonymous_user_reads_no_application(application: Application) -> None:
    assert not visible_applications(AnonymousUser()).exists()


def test_inactive_user_reads_no_application(ours: JobPage, application: Application) -> None:
    hanna = people.hanna(ours.get_parent())
    hanna.is_active = False
    hanna.save()
    assert not visible_applications(hanna).exists()


def test_sibling_with_similar_path_is_not_an_ancestor(
    ours: JobPage, application: Application
) -> None:
    """Tree paths are compared by prefix; "00010001" is no ancestor of "00010002"."""
    neighbour = JobPage(title="Neighbour", summary="-")
    ours.get_parent().add_child(instance=neighbour)
    assert not visible_applications(people.hanna(neighbour)).exists()


def test_user_of_one_language_reads_applications_of_all_languages(
    ours: JobPage, theirs: JobPage, application: Application
) -> None:
    JobPage.objects.filter(pk=theirs.pk).update(title=theirs.title)
    Application.objects.filter(pk=application.pk).update(job_key=theirs.translation_key)
    assert list(visible_applications(people.hanna(theirs))) == [application]


def test_every_permission_can_be_given_to_a_group(db: None) -> None:
    found = {f"{p.content_type.app_label}.{p.codename}" for p in grantable()}
    assert found == set(ALL)


def test_group_editor_offers_every_permission(as_ada: object, db: None) -> None:
    group = Group.objects.create(name="HR")
    page = as_ada.get(f"/admin/groups/edit/{group.pk}/").content.decode()  # type: ignore[attr-defined]
    for permission in grantable():
        assert f'value="{permission.pk}"' in page, permission
