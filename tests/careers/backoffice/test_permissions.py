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


def test_hr_reads_its_own_part_of_the_tree(
    ours: JobPage, application: Application, elsewhere: Application
) -> None:
    assert list(visible_applications(people.hanna(ours.get_parent()))) == [application]


def test_a_right_on_the_job_itself_is_enough(ours: JobPage, application: Application) -> None:
    assert list(visible_applications(people.hanna(ours))) == [application]


def test_reading_takes_the_right_to_read(ours: JobPage, application: Application) -> None:
    assert not visible_applications(people.bob(ours.get_parent())).exists()


def test_reading_takes_a_part_of_the_tree(application: Application) -> None:
    assert not visible_applications(people.hanna(None)).exists()


def test_an_operator_reads_nothing(application: Application) -> None:
    assert not visible_applications(people.otto()).exists()


def test_a_superuser_reads_everything(application: Application, elsewhere: Application) -> None:
    assert set(visible_applications(people.ada())) == {application, elsewhere}


def test_nobody_reads_nothing(application: Application) -> None:
    assert not visible_applications(AnonymousUser()).exists()


def test_who_has_left_reads_nothing(ours: JobPage, application: Application) -> None:
    hanna = people.hanna(ours.get_parent())
    hanna.is_active = False
    hanna.save()
    assert not visible_applications(hanna).exists()


def test_a_sibling_whose_path_is_longer_is_another_part(
    ours: JobPage, application: Application
) -> None:
    """Tree paths are compared by prefix; "00010001" is no ancestor of "00010002"."""
    neighbour = JobPage(title="Neighbour", summary="-")
    ours.get_parent().add_child(instance=neighbour)
    assert not visible_applications(people.hanna(neighbour)).exists()


def test_one_job_is_one_inbox_in_all_languages(
    ours: JobPage, theirs: JobPage, application: Application
) -> None:
    JobPage.objects.filter(pk=theirs.pk).update(title=theirs.title)
    Application.objects.filter(pk=application.pk).update(job_key=theirs.translation_key)
    assert list(visible_applications(people.hanna(theirs))) == [application]


def test_each_permission_can_be_given_to_a_group(db: None) -> None:
    found = {f"{p.content_type.app_label}.{p.codename}" for p in grantable()}
    assert found == set(ALL)


def test_the_group_editor_offers_them(as_ada: object, db: None) -> None:
    group = Group.objects.create(name="HR")
    page = as_ada.get(f"/admin/groups/edit/{group.pk}/").content.decode()  # type: ignore[attr-defined]
    for permission in grantable():
        assert f'value="{permission.pk}"' in page, permission
