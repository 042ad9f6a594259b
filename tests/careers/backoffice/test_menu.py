"""The links into the back office."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse

from careers.jobs.models import JobPage
from tests.support import people
from tests.support.factories import ApplicationFactory, StepFactory


def summaries(client: Client) -> list[str]:
    soup = BeautifulSoup(client.get(reverse("wagtailadmin_home")).content, "html.parser")
    return [" ".join(item.get_text().split()) for item in soup.select(".w-summary li")]


def test_home_page_counts_new_applications_of_the_reader(
    as_hanna: Client, ours: JobPage, theirs: JobPage
) -> None:
    ApplicationFactory(page=ours)
    ApplicationFactory(page=ours, review_stage="interview")
    ApplicationFactory(page=ours, in_quarantine=True)
    ApplicationFactory(page=theirs)
    assert "1 new application" in summaries(as_hanna)
    assert not any("attention" in text for text in summaries(as_hanna))


def test_home_page_counts_steps_that_need_attention(as_otto: Client, ours: JobPage) -> None:
    StepFactory(application__page=ours, failed=True)
    StepFactory(application__page=ours, misconfigured=True)
    assert summaries(as_otto)[0] == "2 steps need attention"


def test_job_page_links_to_its_applications(as_hanna: Client, ours: JobPage) -> None:
    page = as_hanna.get(reverse("wagtailadmin_pages:edit", args=[ours.pk])).content.decode()
    assert f"/admin/applications/?job={ours.pk}" in page
    listing = reverse("wagtailadmin_explore", args=[ours.get_parent().pk])
    assert f"/admin/applications/?job={ours.pk}" in as_hanna.get(listing).content.decode()


def test_job_page_has_no_link_without_permission(ours: JobPage) -> None:
    client = Client()
    client.force_login(people.bob(ours.get_parent()))
    page = client.get(reverse("wagtailadmin_pages:edit", args=[ours.pk])).content.decode()
    assert "/admin/applications/" not in page


@pytest.mark.parametrize("trait", [{}, {"in_quarantine": True}])
def test_job_without_applications_has_empty_list(
    as_hanna: Client, ours: JobPage, trait: dict[str, bool]
) -> None:
    from tests.support.factories import JobPageFactory

    ApplicationFactory(page=ours, **trait)
    quiet = JobPageFactory(parent=ours.get_parent(), title="Quiet")
    page = as_hanna.get(f"/admin/applications/?job={quiet.pk}").content.decode()
    assert "Jane Miller" not in page
    assert "No applications match your query" in page
