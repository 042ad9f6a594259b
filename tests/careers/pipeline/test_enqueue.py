"""The rows of a new application."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from careers.applications.models import Application
from careers.pipeline.enqueue import create_step, create_steps
from careers.pipeline.kinds import MAIL_HR, RENDER_PDF
from careers.pipeline.models import Step, StepEvent
from careers.pipeline.states import State

pytestmark = pytest.mark.django_db


def rows(application: Any) -> list[tuple[str, str, str]]:
    return list(application.steps.values_list("kind", "recipient", "state"))


def test_create_steps_creates_each_step_with_its_event(application: Any) -> None:
    ready = create_steps(application, ["hr@example.org"], at=timezone.now())
    assert rows(application) == [
        ("render_pdf", "", "queued"),
        ("archive", "", "waiting"),
        ("mail_applicant", "", "queued"),
        ("mail_hr", "hr@example.org", "waiting"),
    ]
    queued = application.steps.filter(state=State.QUEUED).values_list("pk", flat=True)
    assert sorted(message.step_id for message in ready) == sorted(queued)
    events = StepEvent.objects.values_list("from_state", "actor", "attempt")
    assert list(events) == [("", "intake", 0)] * 4


def test_create_steps_creates_one_mail_per_recipient(application: Any) -> None:
    named = ["A@x.org", "b@x.org", "a@x.org ", "a@faß.de", "A@xn--fa-hia.DE", "a@fass.de"]
    create_steps(application, named, at=timezone.now())
    mails = application.steps.filter(kind=MAIL_HR)
    found = list(mails.values_list("recipient", flat=True))
    assert found == ["a@x.org", "b@x.org", "a@faß.de", "a@fass.de"]


def test_create_steps_of_a_quarantined_application_queues_no_mail(application: Any) -> None:
    Application.objects.update(quarantined=True)
    application.refresh_from_db()
    ready = create_steps(application, ["hr@example.org"], at=timezone.now())
    assert rows(application) == [
        ("render_pdf", "", "queued"),
        ("archive", "", "waiting"),
        ("mail_applicant", "", "waiting"),
        ("mail_hr", "hr@example.org", "waiting"),
    ]
    assert len(ready) == 1


def test_create_step_twice_violates_the_constraint(application: Any) -> None:
    create_steps(application, ["hr@example.org"], at=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        create_step(application, RENDER_PDF, "", state=State.QUEUED, at=timezone.now())
    assert Step.objects.count() == 4
