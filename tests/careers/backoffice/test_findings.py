"""Advice in Task status is folded away and can be dismissed."""

from __future__ import annotations

from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse

from careers.operations import findings
from careers.operations.models import Dismissal, Finding, Severity
from tests.support.factories import HeartbeatFactory

URL = "/admin/tasks/"


def advise() -> Finding:
    """A site without faults, and one advice."""
    HeartbeatFactory()
    HeartbeatFactory(sweeper=True)
    HeartbeatFactory(scheduler=True)
    finding = Finding(code="fonts", severity=Severity.ADVICE, facts={"scripts": ["thai"]})
    findings.report("worker:a", [finding], lasts=findings.PROCESS)
    return finding


def advice_of(client: Client) -> BeautifulSoup:
    page = BeautifulSoup(client.get(URL).content, "html.parser")
    assert "All is well." in page.select_one(".bo-health__sentence").get_text()
    found = page.select_one("details.bo-advice")
    assert found is not None
    return found


def test_advice_is_folded_away_and_dismissed_with_name_and_time(as_otto: Client) -> None:
    finding = advise()
    folded = advice_of(as_otto)
    assert not folded.has_attr("open")
    assert "a worker has no font for them" in folded.get_text()
    assert folded.select_one("button")["value"] == finding.digest

    response = as_otto.post(reverse("careers_tasks:dismiss_advice"), {"digest": finding.digest})
    assert response.status_code == 302
    folded = advice_of(as_otto)
    assert folded.select_one("button") is None
    assert "Advice (0)" in folded.get_text()
    assert "Dismissed by Otto" in " ".join(folded.get_text().split())

    again = as_otto.post(
        reverse("careers_tasks:dismiss_advice"), {"digest": "unknown"}, follow=True
    )
    assert "This advice no longer applies." in again.content.decode()


def test_dismissing_advice_without_permission_is_denied(as_hanna: Client) -> None:
    finding = advise()
    as_hanna.post(reverse("careers_tasks:dismiss_advice"), {"digest": finding.digest})
    assert Dismissal.objects.count() == 0
