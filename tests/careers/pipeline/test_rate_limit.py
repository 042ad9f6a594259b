"""A mail server that takes only so many mails is not stormed by all that wait."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from careers.applications.errors import Transient
from careers.notifications import CROWDED
from careers.pipeline import rate_limit
from careers.pipeline.models import Step
from careers.pipeline.registry import Outcome
from careers.pipeline.runner import run
from careers.pipeline.transitions import db_now
from tests.support.factories import ApplicationFactory, StepFactory

pytestmark = pytest.mark.django_db

TOO_MANY = Transient(CROWDED, "The mail server takes no more mails just now.", retry_after=3600)


@pytest.fixture(autouse=True)
def long_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than a busy machine takes for a test."""
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


def test_refusal_of_one_lets_all_others_wait_without_asking(application: Any, effects: Any) -> None:
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
    # To wait for one's turn is no attempt and no failure.
    assert {(step.state, step.attempts, step.error_code) for step in held} == {("queued", 0, "")}
    turns = [step.run_after for step in held]
    assert min(turns) >= refused.state_since + rate_limit.SILENCE
    assert max(turns) <= refused.state_since + rate_limit.SILENCE + 40 * rate_limit.EACH
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
    ago = timezone.now() - rate_limit.SILENCE
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
    assert rate_limit.next_slot() is None


def test_who_asks_for_a_mail_at_once_ends_the_wait(application: Any, effects: Any) -> None:
    """“Retry” moves the refused mail's time to now: nothing is known of the server any more."""
    effects(mail_hr=TOO_MANY)
    refused = mail(application, 1)
    run(refused.pk, owner="worker:1")
    assert rate_limit.next_slot() is not None
    Step.objects.filter(pk=refused.pk).update(run_after=timezone.now() - dt.timedelta(seconds=1))
    assert rate_limit.next_slot() is None


# ── An archive that hangs ───────────────────────────────────────────────────────────────


def hangs(step: Step, before_send: Any) -> Outcome:
    """It took the worker's patience and gave nothing."""
    began = timezone.now() - dt.timedelta(seconds=20)
    Step.objects.filter(pk=step.pk).update(started_at=began)
    step.started_at = began
    raise Transient("archive-unavailable", "The archive (S3) did not answer.")


def file(application: Any) -> Step:
    return StepFactory(application=application, kind="archive", queued=True, events=False)


def test_archive_that_hangs_keeps_one_worker_and_not_all(bare_job: Any, effects: Any) -> None:
    """The files behind the one that waited are put off unasked, and mails go on."""
    asked = []

    def hangs_each_time(step: Step, before_send: Any) -> Outcome:
        asked.append(step.pk)
        return hangs(step, before_send)

    effects(archive=hangs_each_time)
    people = [ApplicationFactory(page=bare_job) for _number in range(3)]
    files = [file(application) for application in people]
    for step in files:
        run(step.pk, owner="worker:1")
    letter = mail(people[0], 1)
    run(letter.pk, owner="worker:1")
    assert asked == [files[0].pk]
    for step in (*files, letter):
        step.refresh_from_db()
    assert letter.state == "succeeded"
    assert {(step.state, step.error_class, step.error_public) for step in files} == {
        ("retrying", "transient", "The archive (S3) did not answer.")
    }
    over = files[0].state_since + rate_limit.SPARED * dt.timedelta(seconds=20)
    assert all(step.run_after >= over for step in files)


def test_archive_is_asked_again_when_the_others_were_spared_long_enough(
    bare_job: Any, effects: Any
) -> None:
    effects(archive=hangs)
    first, second = (file(ApplicationFactory(page=bare_job)) for _number in range(2))
    run(first.pk, owner="worker:1")
    ago = dt.timedelta(seconds=81)
    Step.objects.filter(pk=first.pk).update(
        started_at=F("started_at") - ago, state_since=F("state_since") - ago
    )
    effects()
    run(second.pk, owner="worker:1")
    second.refresh_from_db()
    assert second.state == "succeeded"


def test_quick_fault_of_one_file_puts_off_no_other(bare_job: Any, effects: Any) -> None:
    effects(archive=Transient("archive-busy", "Busy."))
    first, second = (file(ApplicationFactory(page=bare_job)) for _number in range(2))
    run(first.pk, owner="worker:1")
    effects()
    run(second.pk, owner="worker:1")
    second.refresh_from_db()
    assert second.state == "succeeded"


def test_clock_that_jumped_spares_nobody_for_longer_than_a_lease(
    bare_job: Any, effects: Any, settings: Any
) -> None:
    """It is set two years ahead while the archive is asked, and back a second later."""
    at, years = db_now(), dt.timedelta(days=730)
    first, second = (file(ApplicationFactory(page=bare_job)) for _number in range(2))
    Step.objects.filter(pk=first.pk).update(started_at=at)
    first.refresh_from_db()
    longest = rate_limit.SPARED * settings.PIPELINE_LEASE
    assert rate_limit.spared(first, at + years) == longest
    far = {"state_since": at + years, "run_after": at + years}
    Step.objects.filter(pk=first.pk).update(
        state="retrying", error_class="transient", error_code="archive-busy", **far
    )
    assert rate_limit.known_fault(second) is None
    Step.objects.filter(pk=first.pk).update(started_at=at - years, state_since=at)
    fault = rate_limit.known_fault(second)
    assert fault is not None
    assert fault.retry_after is not None
    assert longest - 30 < fault.retry_after <= longest + 1


def test_refusal_of_a_moment_that_never_came_holds_up_nobody(application: Any) -> None:
    late = db_now() + dt.timedelta(days=3)
    refused = mail(application, 1)
    Step.objects.filter(pk=refused.pk).update(
        state="retrying", error_code=CROWDED, state_since=late, run_after=late
    )
    assert rate_limit.next_slot() is None
