"""Who may read which applications."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import AnonymousUser, Group

from careers.applications.models import Application
from careers.backoffice.permissions import (
    ALL,
    SEE_TASKS,
    grantable,
    steps_for,
    visible_applications,
)
from careers.jobs.models import JobPage
from careers.pipeline.actions import CANCEL
from careers.pipeline.models import Step
from tests.support import people
from tests.support.factories import ApplicationFactory, StepFactory, root_page

LEADS = ("view_step", "retry_step", "cancel_step")


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


def test_pages_of_another_group_do_not_add_to_the_right_to_read(
    ours: JobPage, application: Application, elsewhere: Application
) -> None:
    """One group reads one job, another edits all pages: that is not reading everything."""
    hanna = people.hanna(ours)
    hanna.groups.add(people.bob(root_page()).groups.get())
    assert list(visible_applications(hanna)) == [application]
    client = people.logged_in(hanna)
    page = client.get("/admin/applications/").content.decode()
    assert elsewhere.reference not in page
    for what in ("", "stage/", "release/"):
        address = f"/admin/applications/{elsewhere.reference}/{what}"
        assert client.get(address).status_code in (302, 404, 405), what


def test_steps_are_those_of_the_readers_own_jobs(
    ours: JobPage, application: Application, elsewhere: Application
) -> None:
    StepFactory(application=elsewhere, failed=True)
    StepFactory(to_operators=True, failed=True)
    rights = ("view_step", "retry_step")
    hanna, otto = people.hanna(ours, rights=rights), people.otto()
    assert set(steps_for(hanna, SEE_TASKS)) == set(application.steps.all())
    assert set(steps_for(otto, SEE_TASKS)) == set(Step.objects.all())
    assert not steps_for(hanna, CANCEL).exists()


def test_acts_on_a_foreign_task_are_not_found_and_do_nothing(
    ours: JobPage, elsewhere: Application
) -> None:
    """The release of a foreign quarantined application was possible on its task page."""
    Application.objects.filter(pk=elsewhere.pk).update(quarantined=True)
    step = StepFactory(application=elsewhere, failed=True)
    client = people.logged_in(people.hanna(ours, rights=(*people.HR_RIGHTS, *LEADS)))
    task = f"/admin/tasks/{elsewhere.reference}/"
    for address in (task, f"{task}results/", f"{task}release/", f"{task}{step.pk}/cancel/"):
        assert client.get(address).status_code == 404, address
    for address in (f"{task}release/", f"{task}{step.pk}/retry/", f"{task}{step.pk}/cancel/"):
        assert client.post(address).status_code == 404, address
    elsewhere.refresh_from_db()
    step.refresh_from_db()
    assert (elsewhere.quarantined, step.state) == (True, "failed")


def test_task_found_by_another_id_is_not_found_if_foreign(
    ours: JobPage, elsewhere: Application
) -> None:
    client = people.logged_in(people.hanna(ours, rights=LEADS))
    assert client.get(f"/admin/tasks/{elsewhere.public_id}/").status_code == 404


def test_bulk_retry_leaves_foreign_steps(ours: JobPage, elsewhere: Application) -> None:
    mine = StepFactory(application__page=ours, failed=True)
    another = StepFactory(application__page=ours, failed=True)
    foreign = StepFactory(application=elsewhere, failed=True)
    client = people.logged_in(people.hanna(ours, rights=LEADS))
    group = {"kind": mine.kind, "code": mine.error_code}
    assert "Retry all 2" in client.get("/admin/tasks/").content.decode()
    client.post("/admin/tasks/retry-alike/", group)
    for step in (mine, another, foreign):
        step.refresh_from_db()
    assert (mine.state, another.state, foreign.state) == ("queued", "queued", "failed")


def test_task_list_of_others_shows_and_counts_their_own_steps_only(
    ours: JobPage, elsewhere: Application
) -> None:
    StepFactory(application__page=ours, failed=True)
    StepFactory(application=elsewhere, failed=True)
    client = people.logged_in(people.hanna(ours, rights=LEADS))
    page = BeautifulSoup(client.get("/admin/tasks/").content, "html.parser")
    assert page.select_one(".bo-count__number").get_text() == "1"
    text = page.get_text(" ")
    for hidden in (
        elsewhere.reference,
        "Bell founder",
        "Flower",
        "Mails to operators",
        "Scheduled",
    ):
        assert hidden not in text, hidden


def test_user_may_do_an_act_only_where_they_hold_its_permission(
    ours: JobPage, application: Application, elsewhere: Application
) -> None:
    """Group 1 changes stages of one job, group 2 only reads the other one."""
    hanna = people.hanna(ours)
    hanna.groups.add(people.hanna(elsewhere.page, "helen", ("view_application",)).groups.get())
    client = people.logged_in(hanna)
    for one, stage in ((application, "interview"), (elsewhere, "new")):
        url = f"/admin/applications/{one.reference}/"
        shown = client.get(url).content.decode()
        assert ('name="stage"' in shown) is (stage == "interview")
        client.post(f"{url}stage/", {"stage": "interview", "before": "new"})
        one.refresh_from_db()
        assert one.review_stage == stage


def test_every_permission_can_be_given_to_a_group(db: None) -> None:
    found = {f"{p.content_type.app_label}.{p.codename}" for p in grantable()}
    assert found == set(ALL)


def test_group_editor_offers_every_permission(as_ada: object, db: None) -> None:
    group = Group.objects.create(name="HR")
    page = as_ada.get(f"/admin/groups/edit/{group.pk}/").content.decode()  # type: ignore[attr-defined]
    for permission in grantable():
        assert f'value="{permission.pk}"' in page, permission
