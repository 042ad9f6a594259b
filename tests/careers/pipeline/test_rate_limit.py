"""A mail server that limits mails per minute is not tried with every waiting mail."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from careers.applications.errors import Transient
from careers.notifications import CROWDED
from careers.pipeline import rate_limit
from careers.pipeline.models import Step
from careers.pipeline.registry import Outcome
from careers.pipeline.runner import run
from careers.pipeline.transitions import db_now
from tests.support.factories import StepFactory

pytestmark = pytest.mark.django_db

TOO_MANY = Transient(CROWDED, "The mail server takes no more mails just now.", retry_after=3600)


@pytest.fixture(autouse=True)
def long_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A silence that is longer than a test takes on a busy machine."""
    monkeypatch.setattr(rate_limit, "SILENCE", dt.timedelta(minutes=10))


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


def test_mail_after_a_refusal_is_postponed_without_asking_the_server(
    application: Any, effects: Any
) -> None:
    asked = []

    def refuse(step: Step, before_send: Any) -> Outcome:
        asked.append(step.recipient)
        raise TOO_MANY

    effects(mail_hr=refuse)
    mails = [mail(application, number) for number in range(40)]
    for step in mails:
        assert run(step.pk, owner="worker:1") == []
    assert asked == ["0@example.org"]
    refused, *held = Step.objects.order_by("pk")
    assert (refused.state, refused.error_code, refused.attempts) == ("retrying", CROWDED, 1)
    # A postponed mail has no attempt and no failure.
    assert {(step.state, step.attempts, step.error_code) for step in held} == {("queued", 0, "")}
    turns = [step.run_after for step in held]
    assert min(turns) >= refused.state_since + rate_limit.SILENCE
    assert max(turns) <= refused.state_since + rate_limit.SILENCE + 40 * rate_limit.EACH
    assert len(set(turns)) > 30
    assert [step.ready_at for step in held] == turns
    (event,) = held[0].events.filter(to_state="queued")
    assert event.reason == ("The mail server accepts no more mails at the moment. This mail waits.")


def test_mail_after_the_pause_is_sent(application: Any, effects: Any) -> None:
    effects(mail_hr=TOO_MANY)
    refused, held = mail(application, 1), mail(application, 2)
    for step in (refused, held):
        run(step.pk, owner="worker:1")
    effects()
    # SQLite's clock has milliseconds only.
    ago = timezone.now() - rate_limit.SILENCE - dt.timedelta(seconds=1)
    Step.objects.filter(pk=refused.pk).update(state_since=ago)
    Step.objects.filter(pk=held.pk).update(run_after=ago)
    run(held.pk, owner="worker:1")
    held.refresh_from_db()
    assert (held.state, held.attempts) == ("succeeded", 1)


def test_refusal_postpones_no_other_work_and_other_errors_postpone_nothing(
    application: Any, effects: Any
) -> None:
    effects(mail_hr=TOO_MANY, mail_applicant=Transient("mail-later", "Later."))
    run(mail(application, 1).pk, owner="worker:1")
    archive = mail(application, 2, kind="archive", recipient="")
    run(archive.pk, owner="worker:1")
    archive.refresh_from_db()
    assert archive.state == "succeeded"
    Step.objects.filter(error_code=CROWDED).delete()
    run(mail(application, 3, kind="mail_applicant", recipient="").pk, owner="worker:1")
    assert rate_limit.next_slot() is None


def test_retry_by_a_person_ends_the_pause_after_a_refusal(application: Any, effects: Any) -> None:
    """“Retry” moves the refused mail's time to now: so the limit of the server is unknown."""
    effects(mail_hr=TOO_MANY)
    refused = mail(application, 1)
    run(refused.pk, owner="worker:1")
    assert rate_limit.next_slot() is not None
    Step.objects.filter(pk=refused.pk).update(run_after=timezone.now() - dt.timedelta(seconds=1))
    assert rate_limit.next_slot() is None


def test_refusal_in_the_future_is_ignored(application: Any) -> None:
    late = db_now() + dt.timedelta(days=3)
    refused = mail(application, 1)
    Step.objects.filter(pk=refused.pk).update(
        state="retrying", error_code=CROWDED, state_since=late, run_after=late
    )
    assert rate_limit.next_slot() is None
