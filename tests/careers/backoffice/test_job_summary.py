"""One line above a job's editor: how many applied, and what needs attention."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client, RequestFactory
from wagtail.models import Locale

from careers.backoffice.job_summary import job_summary
from careers.jobs.models import JobPage
from careers.pipeline.kinds import MAIL_HR
from tests.support import people
from tests.support.factories import ApplicationFactory, JobPageFactory, StepFactory
from tests.support.people import logged_in
from tests.support.translating import in_french


def words(html: str) -> str:
    return " ".join(BeautifulSoup(html, "html.parser").get_text(" ").split()).replace(" ,", ",")


def links(html: str) -> list[str]:
    return [a["href"] for a in BeautifulSoup(html, "html.parser").select("a")]


def summary_for(user: Any, job: JobPage) -> str:
    request = RequestFactory().get("/")
    request.user = user
    return job_summary(request, job)


@pytest.fixture
def applied(ours: JobPage, theirs: JobPage) -> JobPage:
    """Three people applied, one mail failed; a test and another job do not count."""
    in_trouble = ApplicationFactory(page=ours)
    StepFactory(application=in_trouble, failed=True)
    StepFactory(application=in_trouble, kind=MAIL_HR, failed=True)
    ApplicationFactory(page=ours, in_quarantine=True)
    ApplicationFactory(page=ours, with_steps=True)
    ApplicationFactory(page=ours, test=True)
    ApplicationFactory(page=theirs)
    return ours


def test_editor_shows_the_numbers_with_links(as_ada: Client, applied: JobPage) -> None:
    page = as_ada.get(f"/admin/pages/{applied.pk}/edit/")
    block = BeautifulSoup(page.content, "html.parser").select_one(".help-warning")
    assert words(str(block)) == "3 applications, 1 quarantined as spam, 1 needs attention"
    assert links(str(block)) == [
        f"/admin/applications/?job={applied.pk}",
        f"/admin/tasks/?state=attention&job={applied.pk}",
    ]
    assert [as_ada.get(url).status_code for url in links(str(block))] == [200, 200]


def test_summary_has_no_task_link_without_permission(applied: JobPage) -> None:
    html = summary_for(people.hanna(applied.get_parent()), applied)
    assert "1 needs attention" in words(html)
    assert links(html) == [f"/admin/applications/?job={applied.pk}"]


def test_summary_hidden_without_permission(applied: JobPage) -> None:
    bob = people.bob(applied.get_parent())
    assert summary_for(bob, applied) == ""
    page = logged_in(bob).get(f"/admin/pages/{applied.pk}/edit/").content.decode()
    assert "3 applications" not in page


def test_summary_counts_a_job_in_all_languages(as_ada: Client, applied: JobPage) -> None:
    french = applied.copy_for_translation(
        Locale.objects.get_or_create(language_code="fr")[0], copy_parents=True
    )
    ApplicationFactory(page=french)
    assert summary_for(people.hanna(None, "helen"), french) == ""
    assert words(summary_for(people.hanna(applied.get_parent()), french)).startswith(
        "4 applications"
    )


def test_summary_takes_one_query_for_each_number(
    applied: JobPage, django_assert_num_queries: Any
) -> None:
    ada = people.ada()
    with django_assert_num_queries(3):
        assert words(summary_for(ada, applied)).startswith("3 applications")


def test_job_without_applications_shows_a_sentence(as_ada: Client, ours: JobPage) -> None:
    page = as_ada.get(f"/admin/pages/{ours.pk}/edit/").content.decode()
    assert "No applications yet" in page
    new = as_ada.get(f"/admin/pages/add/careers/jobpage/{ours.get_parent().pk}/")
    assert new.status_code == 200
    assert "No applications yet" not in new.content.decode()


def message(client: Client, page: JobPage) -> str:
    """The message above the translator's editor, which has no panels."""
    shown = client.get(f"/admin/pages/{page.pk}/edit/")
    assert "wagtail_localize/admin/edit_translation.html" in [one.name for one in shown.templates]
    return "".join(
        str(one) for one in BeautifulSoup(shown.content, "html.parser").select(".messages ul li")
    )


def test_translation_shows_the_numbers_with_links(as_ada: Client, applied: JobPage) -> None:
    french = in_french(applied, {"Clockmaker": "Horloger"})
    for _visit in range(2):
        told = message(as_ada, french)
        assert words(told) == (
            "3 applications, 1 quarantined as spam, 1 needs attention Applications Task status"
        )
        assert 'class="warning"' in told
        assert links(told) == [
            f"/admin/applications/?job={french.pk}",
            f"/admin/tasks/?state=attention&job={french.pk}",
        ]
    # The original shows it in its panel only.
    page = as_ada.get(f"/admin/pages/{applied.pk}/edit/").content
    assert BeautifulSoup(page, "html.parser").select(".messages ul li") == []


def test_translation_summary_hidden_without_permission_or_applications(
    as_ada: Client, applied: JobPage
) -> None:
    french = in_french(applied)
    assert message(logged_in(people.bob(french.get_parent())), french) == ""
    nobody_applied = in_french(JobPageFactory(title="Engraver"))
    assert message(as_ada, nobody_applied) == ""
