"""Acts on groups: how many, what they do, and how far they are."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from careers.backoffice import same_cause
from careers.jobs.models import JobPage
from careers.pipeline import bulk
from careers.pipeline.models import BulkAct, Step
from careers.pipeline.states import State
from tests.support import people
from tests.support.factories import ApplicationFactory, StepFactory
from tests.support.people import logged_in

pytestmark = pytest.mark.django_db
FAILED = {"kind": "archive", "code": "ValueError"}
PAGE = "/admin/tasks/unconfirmed/"


def failed(job: JobPage, number: int) -> None:
    for _n in range(number):
        StepFactory(application=ApplicationFactory(page=job), failed=True, events=False)


def unconfirmed(job: JobPage, number: int, **more: Any) -> list[Step]:
    return [
        StepFactory(application=ApplicationFactory(page=job), uncertain=True, events=False, **more)
        for _n in range(number)
    ]


@pytest.fixture
def two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(same_cause, "AT_ONCE", 2)


@pytest.mark.usefixtures("two_at_once")
def test_large_group_is_retried_in_the_background_with_progress(
    as_otto: Client, ours: JobPage
) -> None:
    failed(ours, 5)
    assert "Retry all 5 steps?" in as_otto.get("/admin/tasks/retry-alike/", FAILED).content.decode()
    response: Any = as_otto.post("/admin/tasks/retry-alike/", FAILED, follow=True)
    address = response.redirect_chain[-1][0]
    assert "2 of 5" in response.content.decode()
    assert address in as_otto.get("/admin/tasks/").content.decode()
    assert "2 of 5" in as_otto.get(f"{address}results/").content.decode()
    bulk.bulk_acts()
    page = as_otto.get(address).content.decode()
    assert "5 steps are retried now." in page
    assert address not in as_otto.get("/admin/tasks/").content.decode()


@pytest.mark.usefixtures("two_at_once")
def test_second_click_leads_to_the_same_progress(as_otto: Client, ours: JobPage) -> None:
    failed(ours, 5)
    first = as_otto.post("/admin/tasks/retry-alike/", FAILED)
    row = BulkAct.objects.get()
    # The rest is the same choice, asked for once more.
    second = as_otto.post("/admin/tasks/retry-alike/", FAILED)
    assert first.url == second.url == f"/admin/tasks/bulk/{row.pk}/"


@pytest.mark.usefixtures("two_at_once")
def test_progress_is_shown_to_its_person_and_to_operators_only(ours: JobPage) -> None:
    rights = ("view_step", "retry_step")
    hanna = logged_in(people.hanna(ours.get_parent(), rights=rights))
    other = logged_in(people.hanna(ours.get_parent(), "helen", rights))
    failed(ours, 3)
    address = hanna.post("/admin/tasks/retry-alike/", FAILED).url
    assert hanna.get(address).status_code == 200
    assert other.get(address).status_code == 404
    assert logged_in(people.otto()).get(address).status_code == 200


def test_group_act_reaches_only_jobs_where_the_person_may_do_it(
    ours: JobPage, theirs: JobPage
) -> None:
    hanna = people.hanna(ours.get_parent(), rights=("view_step", "retry_step"))
    failed(ours, 1)
    failed(theirs, 1)
    logged_in(hanna).post("/admin/tasks/retry-alike/", FAILED)
    states = dict(Step.objects.values_list("application__job_key", "state"))
    assert states[theirs.translation_key] == State.FAILED
    assert states[ours.translation_key] != State.FAILED


def test_unconfirmed_mails_are_grouped_by_kind_cause_and_hour(
    as_otto: Client, ours: JobPage
) -> None:
    mails = unconfirmed(ours, 3)
    unconfirmed(ours, 2, error_code="restored")
    hours_ago = mails[0].state_since - dt.timedelta(hours=3)
    Step.objects.filter(pk=mails[0].pk).update(state_since=hours_ago)
    soup = BeautifulSoup(as_otto.get(PAGE).content, "html.parser")
    first, second = soup.select(".bo-cause")
    assert "3 mails" in first.h2.get_text()
    assert "2 mails" in second.h2.get_text()
    assert "All 3 arrived" in first.get_text()
    assert "Send all 3 again" in first.get_text()
    hours = first.select(".bo-hours__list > li")
    assert len(hours) == 2
    listed = as_otto.get(second.select_one("p a")["href"]).content.decode()
    references = {step.application.reference for step in Step.objects.filter(error_code="restored")}
    assert {step.about.reference in listed for step in mails} == {False}
    assert all(reference in listed for reference in references)
    as_otto.post("/admin/tasks/alike/confirm/", _query(hours[-1].a["href"]))
    states = [Step.objects.get(pk=mail.pk).state for mail in mails]
    assert states == [State.SUCCEEDED, State.UNCERTAIN, State.UNCERTAIN]


@pytest.mark.parametrize(
    ("act", "asked", "said"),
    [
        ("confirm", "Did all 3 mails arrive?", "3 mails are marked as arrived."),
        ("send-again", "Send all 3 mails again?", "3 mails are sent again."),
    ],
)
def test_group_of_unconfirmed_mails_is_decided_after_a_question(
    as_otto: Client, ours: JobPage, act: str, asked: str, said: str
) -> None:
    mail = unconfirmed(ours, 3)[0]
    group = {"kind": mail.kind, "code": mail.error_code}
    address = f"/admin/tasks/alike/{act}/"
    assert asked in as_otto.get(address, group).content.decode()
    assert Step.objects.filter(state=State.UNCERTAIN).count() == 3
    response: Any = as_otto.post(address, group, follow=True)
    assert said in response.content.decode()
    again: Any = as_otto.post(address, group, follow=True)
    assert "No unconfirmed mail of this group is left." in again.content.decode()
    assert Step.objects.filter(sequence=1).count() == (3 if act == "send-again" else 0)


def test_task_list_leads_to_the_groups(as_otto: Client, ours: JobPage) -> None:
    unconfirmed(ours, 2)
    assert "Decide about 2 unconfirmed mails" in as_otto.get("/admin/tasks/").content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "?since=x",
        "?since=2026-01-01",
        "?until=1",
        "?until=9999-12-31T23:59:59-23:59",
        "?since=0001-01-01T00:00:00%2B23:59",
        "?kind=%00",
        "?code=%00",
    ],
)
def test_wrong_choice_is_not_found(as_otto: Client, query: str) -> None:
    assert as_otto.get(f"/admin/tasks/alike/confirm/{query}").status_code == 404


def test_other_acts_have_no_group(as_otto: Client) -> None:
    assert as_otto.get("/admin/tasks/alike/cancel/").status_code == 404


def _query(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))
