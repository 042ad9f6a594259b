"""An archive that hangs costs the workers one long wait, not one for each file."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from careers.applications.errors import Transient
from careers.pipeline import circuit_breaker
from careers.pipeline.models import Step
from careers.pipeline.registry import Outcome
from careers.pipeline.runner import run
from careers.pipeline.transitions import db_now
from tests.support.factories import ApplicationFactory, StepFactory

pytestmark = pytest.mark.django_db


def hangs(step: Step, before_send: Any) -> Outcome:
    """Fail after a wait of 20 seconds."""
    began = timezone.now() - dt.timedelta(seconds=20)
    Step.objects.filter(pk=step.pk).update(started_at=began)
    step.started_at = began
    raise Transient("archive-unavailable", "The archive (S3) did not answer.")


def file(application: Any) -> Step:
    return StepFactory(application=application, kind="archive", queued=True, events=False)


def test_open_breaker_fails_the_other_files_without_asking_the_archive(
    bare_job: Any, effects: Any
) -> None:
    """Mails are not affected."""
    asked = []

    def hangs_each_time(step: Step, before_send: Any) -> Outcome:
        asked.append(step.pk)
        return hangs(step, before_send)

    effects(archive=hangs_each_time)
    people = [ApplicationFactory(page=bare_job) for _number in range(3)]
    files = [file(application) for application in people]
    for step in files:
        run(step.pk, owner="worker:1")
    letter = StepFactory(application=people[0], kind="mail_hr", queued=True, events=False)
    run(letter.pk, owner="worker:1")
    assert asked == [files[0].pk]
    for step in (*files, letter):
        step.refresh_from_db()
    assert letter.state == "succeeded"
    assert {(step.state, step.error_class, step.error_public) for step in files} == {
        ("retrying", "transient", "The archive (S3) did not answer.")
    }
    over = files[0].state_since + circuit_breaker.SPARED * dt.timedelta(seconds=20)
    assert all(step.run_after >= over for step in files)


def test_breaker_closes_after_four_times_the_wait(bare_job: Any, effects: Any) -> None:
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


def test_quick_error_of_one_file_does_not_open_the_breaker(bare_job: Any, effects: Any) -> None:
    effects(archive=Transient("archive-busy", "Busy."))
    first, second = (file(ApplicationFactory(page=bare_job)) for _number in range(2))
    run(first.pk, owner="worker:1")
    effects()
    run(second.pk, owner="worker:1")
    second.refresh_from_db()
    assert second.state == "succeeded"


def test_breaker_after_a_clock_change_stays_open_for_a_lease_at_most(
    bare_job: Any, effects: Any, settings: Any
) -> None:
    """The clock is set two years ahead while the archive is asked, and back a second later."""
    at, years = db_now(), dt.timedelta(days=730)
    first, second = (file(ApplicationFactory(page=bare_job)) for _number in range(2))
    Step.objects.filter(pk=first.pk).update(started_at=at)
    first.refresh_from_db()
    longest = circuit_breaker.SPARED * settings.PIPELINE_LEASE
    assert circuit_breaker.open_after(first, at + years) == longest
    far = {"state_since": at + years, "run_after": at + years}
    Step.objects.filter(pk=first.pk).update(
        state="retrying", error_class="transient", error_code="archive-busy", **far
    )
    assert circuit_breaker.known_error(second) is None
    Step.objects.filter(pk=first.pk).update(started_at=at - years, state_since=at)
    error = circuit_breaker.known_error(second)
    assert error is not None
    assert error.retry_after is not None
    assert longest - 30 < error.retry_after <= longest + 1
