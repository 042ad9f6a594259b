"""Every application with the same cause is released in one act."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from careers.applications.models import Application
from careers.jobs.models import JobPage
from careers.pipeline.kinds import MAIL_APPLICANT
from careers.pipeline.models import Step, StepEvent
from tests.support import people
from tests.support.factories import quarantined_flood

pytestmark = pytest.mark.django_db

RELEASER = (*people.HR_RIGHTS, "retry_step")


def still_quarantined() -> int:
    return Application.objects.filter(quarantined=True).count()


@pytest.mark.parametrize("area", ["careers_applications", "careers_tasks"])
def test_release_alike_releases_all_with_the_same_cause(
    as_ada: Any, ours: JobPage, area: str
) -> None:
    one, *_rest = quarantined_flood(ours)
    (other,) = quarantined_flood(ours, 1, "elsewhere")
    page = as_ada.get(reverse(f"{area}:detail", args=[one.reference])).content.decode()
    url = reverse(f"{area}:release_alike", args=[one.reference])
    assert url in page
    assert "Release all 3 with the same cause" in page
    asked = as_ada.get(url)
    assert "Release all 3 applications?" in asked.content.decode()
    last = asked.context["hidden"]["last"]
    as_ada.post(url, {"last": last, "reason": "careers fair"})
    assert list(Application.objects.filter(quarantined=True)) == [other]
    receipts = Step.objects.filter(kind=MAIL_APPLICANT).exclude(application=other)
    assert "waiting" not in receipts.values_list("state", flat=True)
    assert StepEvent.objects.filter(reason="careers fair").exists()


def test_release_alike_leaves_what_came_after_the_question(as_ada: Any, ours: JobPage) -> None:
    one, *_rest = quarantined_flood(ours)
    url = reverse("careers_applications:release_alike", args=[one.reference])
    last = as_ada.get(url).context["hidden"]["last"]
    quarantined_flood(ours, 2)
    as_ada.post(url, {"last": last})
    assert still_quarantined() == 2


@pytest.mark.parametrize("last", ["", "x", "-1", "9" * 30, "²"])
def test_release_alike_without_the_question_releases_nothing(
    as_ada: Any, ours: JobPage, last: str
) -> None:
    one, *_rest = quarantined_flood(ours)
    url = reverse("careers_applications:release_alike", args=[one.reference])
    assert as_ada.post(url, {"last": last}).status_code == 302
    assert still_quarantined() == 3


def test_release_alike_of_a_released_application_goes_back(as_ada: Any, ours: JobPage) -> None:
    (one,) = quarantined_flood(ours, 1)
    Application.objects.update(quarantined=False)
    response = as_ada.get(reverse("careers_applications:release_alike", args=[one.reference]))
    assert response.status_code == 302


def test_release_alike_spares_applications_of_another_branch(
    client: Any, ours: JobPage, theirs: JobPage
) -> None:
    one, *_rest = quarantined_flood(ours, 2)
    (foreign,) = quarantined_flood(theirs, 1)
    client.force_login(people.hanna(ours.get_parent(), rights=RELEASER))
    url = reverse("careers_applications:release_alike", args=[one.reference])
    last = client.get(url).context["hidden"]["last"]
    client.post(url, {"last": str(int(last) + 10)})
    assert list(Application.objects.filter(quarantined=True)) == [foreign]
    url = reverse("careers_applications:release_alike", args=[foreign.reference])
    assert client.get(url).status_code == 404


def test_release_alike_needs_the_right_to_release(as_hanna: Any, ours: JobPage) -> None:
    one, *_rest = quarantined_flood(ours)
    for area in ("careers_applications", "careers_tasks"):
        as_hanna.post(reverse(f"{area}:release_alike", args=[one.reference]), {"last": "999999"})
    assert still_quarantined() == 3
