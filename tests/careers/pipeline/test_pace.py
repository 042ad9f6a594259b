"""A mail server that takes only so many mails is not stormed by all that wait."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from careers.applications.errors import Transient
from careers.notifications import CROWDED
from careers.pipeline import pace
from careers.pipeline.models import Step
from careers.pipeline.runner import run
from careers.pipeline.steps import Effect
from tests.factories import StepFactory

pytestmark = pytest.mark.django_db

TOO_MANY = Transient(CROWDED, "The mail server takes no more mails just now.", retry_after=10)


def mail(application: Any, number: int, **more: Any) -> Step:
    return StepFactory(
        **{
            "application": application,
            "kind": "mail_hr",
            "recipient": f"{number}@example.org",
            "queued": True,
            "events": False,
            **more,
        }
    )


def test_refusal_of_one_lets_all_others_wait_without_asking(application: Any, effects: Any) -> None:
    asked = []

    def refuse(step: Step, hand_over: Any) -> Effect:
        asked.append(step.recipient)
        raise TOO_MANY

    effects(mail_hr=refuse)
    mails = [mail(application, number) for number in range(40)]
    for step in mails:
        assert run(step.pk, owner="worker:1") == []
    assert asked == ["0@example.org"]
    refused, *held = Step.objects.order_by("pk")
    assert (refused.state, refused.error_code, refused.attempts) == ("retrying", CROWDED, 1)
    # To wait for one's turn is no attempt and no failure.
    assert {(step.state, step.attempts, step.error_code) for step in held} == {("queued", 0, "")}
    turns = [step.run_after for step in held]
    assert min(turns) >= refused.state_since + pace.SILENCE
    assert max(turns) <= refused.state_since + pace.SILENCE + 40 * pace.EACH
    assert len(set(turns)) > 30
    assert [step.ready_at for step in held] == turns
    (event,) = held[0].events.filter(to_state="queued")
    assert event.reason == (
        "The mail server takes no more mails just now. This one waits for its turn."
    )


def test_after_the_silence_mails_go_again(application: Any, effects: Any) -> None:
    effects(mail_hr=TOO_MANY)
    refused, held = mail(application, 1), mail(application, 2)
    for step in (refused, held):
        run(step.pk, owner="worker:1")
    effects()
    ago = timezone.now() - pace.SILENCE
    Step.objects.filter(pk=refused.pk).update(state_since=ago)
    Step.objects.filter(pk=held.pk).update(run_after=ago)
    run(held.pk, owner="worker:1")
    held.refresh_from_db()
    assert (held.state, held.attempts) == ("succeeded", 1)


def test_other_work_and_other_refusals_wait_for_nobody(application: Any, effects: Any) -> None:
    effects(mail_hr=TOO_MANY, mail_applicant=Transient("mail-later", "Later."))
    run(mail(application, 1).pk, owner="worker:1")
    archive = mail(application, 2, kind="archive", recipient="")
    run(archive.pk, owner="worker:1")
    archive.refresh_from_db()
    assert archive.state == "succeeded"
    Step.objects.filter(error_code=CROWDED).delete()
    run(mail(application, 3, kind="mail_applicant", recipient="").pk, owner="worker:1")
    assert pace.turn() is None


def test_who_asks_for_a_mail_at_once_ends_the_wait(application: Any, effects: Any) -> None:
    """“Retry” moves the refused mail's time to now: nothing is known of the server any more."""
    effects(mail_hr=TOO_MANY)
    refused = mail(application, 1)
    run(refused.pk, owner="worker:1")
    assert pace.turn() is not None
    Step.objects.filter(pk=refused.pk).update(run_after=timezone.now() - dt.timedelta(seconds=1))
    assert pace.turn() is None
