"""Mails to operators in the task status: list, detail, search, acts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from careers.backoffice import presentation
from careers.jobs.models import JobPage
from careers.pipeline.models import Alert, AlertKind, Step
from careers.pipeline.states import State
from tests.support.factories import AlertFactory, HeartbeatFactory, StepFactory

URL = "/admin/tasks/alerts/"
DIGEST = {
    "kind": AlertKind.SUMMARY,
    "code": "",
    "key": "digest.20261121",
    "facts": {"date": "2026-11-21", "path": "/admin/tasks/"},
}


def soup_of(client: Client, url: str) -> Any:
    response = client.get(url)
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser")


def words(element: Any) -> str:
    return " ".join(element.get_text(" ").split())


def listed(client: Client, query: str = "") -> list[str]:
    return [words(a) for a in soup_of(client, URL + query).select(".bo-table .title-wrapper a")]


def on_the_page_of_all_tasks(client: Client, query: str = "") -> list[str]:
    found = soup_of(client, "/admin/tasks/" + query)
    return [words(a) for a in found.select("section[aria-labelledby=bo-alerts] a")]


ALARM = "Problem: No worker is running. Applications are stored and safe."


def test_list_shows_alerts_with_the_state_of_their_mails(as_otto: Client) -> None:
    alert = AlertFactory()
    for address in ("ops@example.com", "second@example.com"):
        StepFactory(to_operators=True, alert=alert, recipient=address, succeeded=True)
    AlertFactory(**DIGEST)
    assert listed(as_otto) == ["Daily summary for 21 Nov 2026", ALARM]
    table = words(soup_of(as_otto, URL).select_one(".bo-table"))
    assert "Mail ×2 Done" in table
    assert "Enter a recipient: no mail was sent" in table


def test_alert_that_was_not_mailed_is_not_listed(as_otto: Client) -> None:
    alert = AlertFactory(mailed_at=None)
    assert listed(as_otto) == []
    assert as_otto.get(f"/admin/tasks/{alert.reference}/").status_code == 404


def test_filters_and_search_find_matching_alerts(as_otto: Client) -> None:
    failed = StepFactory(to_operators=True, failed=True)
    AlertFactory(**DIGEST)
    assert listed(as_otto, "?state=attention") == [ALARM]
    assert listed(as_otto, "?state=done-today") == []
    assert listed(as_otto, "?kind=digest") == ["Daily summary for 21 Nov 2026"]
    reference = failed.alert.reference
    for typed in (reference, reference.upper(), "no worker", failed.celery_task_id):
        assert listed(as_otto, f"?q={typed}") == [ALARM]
        assert on_the_page_of_all_tasks(as_otto, f"?q={typed}") == [ALARM]
    assert listed(as_otto, "?q=nothing-like-it") == []


@pytest.mark.parametrize(
    ("trait", "shown"), [("failed", True), ("queued", True), ("succeeded", False)]
)
def test_task_status_shows_alerts_that_are_not_done(
    as_otto: Client, trait: str, shown: bool
) -> None:
    StepFactory(to_operators=True, **{trait: True})
    assert on_the_page_of_all_tasks(as_otto) == ([ALARM] if shown else [])


def test_task_status_shows_alerts_that_match_its_filter(as_otto: Client, ours: JobPage) -> None:
    StepFactory(to_operators=True, failed=True)
    StepFactory(application__page=ours, failed=True)
    assert on_the_page_of_all_tasks(as_otto, "?state=attention") == [ALARM]
    assert on_the_page_of_all_tasks(as_otto, "?state=cancelled") == []
    assert on_the_page_of_all_tasks(as_otto, "?kind=archive") == []
    assert on_the_page_of_all_tasks(as_otto, f"?job={ours.pk}") == []


def test_detail_shows_cause_and_next_action(as_otto: Client) -> None:
    HeartbeatFactory()
    HeartbeatFactory(sweeper=True)
    step = StepFactory(to_operators=True, failed=True)
    found = soup_of(as_otto, f"/admin/tasks/{step.alert.reference}/")
    text = words(found.select_one(".bo-detail"))
    assert ALARM in words(found)
    assert "Start the workers. They then do the waiting work." in text
    assert "Mail to operators: ops@example.com: Failed" in text
    assert found.select(f"form[action='/admin/tasks/{step.alert.reference}/{step.pk}/retry/']")
    assert as_otto.get(f"/admin/tasks/{step.alert.reference}/results/").status_code == 200


def test_mail_can_be_retried_and_cancelled(as_otto: Client) -> None:
    step = StepFactory(to_operators=True, failed=True)
    where = f"/admin/tasks/{step.alert.reference}/"
    assert as_otto.get(f"{where}{step.pk}/cancel/").status_code == 200
    response = as_otto.post(f"{where}{step.pk}/retry/")
    assert response.headers["Location"] == where
    assert Step.objects.get().state in (State.QUEUED, State.SENT)
    as_otto.post(f"{where}{step.pk}/cancel/")
    assert Step.objects.get().state == State.CANCELLED


@pytest.mark.parametrize("act", ["release/", "{pk}/change-address/", "999/retry/"])
def test_act_for_applications_is_not_found_for_alert(as_ada: Client, act: str) -> None:
    step = StepFactory(to_operators=True, failed=True)
    url = f"/admin/tasks/{step.alert.reference}/{act.format(pk=step.pk)}"
    assert as_ada.get(url).status_code == 404
    assert as_ada.post(url).status_code == 404


def test_alert_without_recipient_shows_the_reason(as_otto: Client) -> None:
    alert = AlertFactory()
    text = words(soup_of(as_otto, f"/admin/tasks/{alert.reference}/").select_one(".bo-detail"))
    assert "No mail was sent: there is no recipient." in text
    assert "Everything is done." not in text


def test_every_kind_has_a_title(db: None) -> None:
    recovered = AlertFactory(kind=AlertKind.RESOLVED, key="r")
    assert presentation.alert_title(recovered).startswith("Resolved: No worker")
    assert set(AlertKind.values) == {"alert", "recovered", "digest"}


@pytest.mark.parametrize("url", [URL, "/admin/tasks/?state=failed"])
def test_queries_do_not_grow_with_alerts(
    as_otto: Client, queries: Callable[[Client, str], int], url: str
) -> None:
    def add(number: int) -> None:
        alert = AlertFactory(code=f"code-{number}")
        for address in ("a@example.com", "b@example.com"):
            StepFactory(to_operators=True, alert=alert, recipient=address, failed=True)

    add(1)
    at_one = queries(as_otto, url)
    add(2)
    add(3)
    assert queries(as_otto, url) == at_one
    assert Alert.objects.count() == 3
