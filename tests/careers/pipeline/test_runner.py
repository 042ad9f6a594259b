"""Claim, run, record: each class of error leads to its state."""

from __future__ import annotations

import contextlib
import datetime as dt
import signal
import threading
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from careers.applications.errors import (
    Fenced,
    Misconfigured,
    Permanent,
    Transient,
    Uncertain,
    Undecidable,
)
from careers.notifications import IdempotencyWindow
from careers.pipeline import retries, runner, tasks
from careers.pipeline.kinds import MAIL_HR, RENDER_PDF
from careers.pipeline.models import Step, StepEvent
from careers.pipeline.registry import Outcome
from careers.pipeline.retries import anonymous_traceback, backoff, classify
from careers.pipeline.runner import run, take
from careers.pipeline.states import ErrorClass, Phase, State
from careers.pipeline.transitions import move
from tests.support.applying import apply_for
from tests.support.concurrently import at_once
from tests.support.factories import StepFactory

pytestmark = pytest.mark.django_db

BUSY = Transient("archive-busy", "The archive is busy.")
GONE = Permanent("no-such-mailbox", "The mailbox does not exist.")
LOCKED_OUT = Misconfigured("smtp-login", "The mail server refused the password.")
MAYBE = Uncertain("no-answer", "The mail server did not answer.")


def queued(application: Any, kind: str = "archive", **more: Any) -> Step:
    recipient = "hr@example.org" if kind == "mail_hr" else ""
    return StepFactory(
        **{
            "application": application,
            "kind": kind,
            "recipient": recipient,
            "queued": True,
            "events": False,
            **more,
        }
    )


def states(application: Any) -> dict[str, str]:
    return {step.kind: step.state for step in Step.objects.filter(application=application)}


def last_event(step: Step) -> StepEvent:
    event = step.events.last()
    assert event is not None
    return event


# ── Claiming ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("state", ["queued", "sent", "retrying"])
def test_step_that_is_due_is_claimed(application: Any, settings: Any, state: str) -> None:
    settings.PIPELINE_LEASE = 180
    step = queued(application, queued=False, state=state, token=6, attempts=2)
    claim = take(step.pk, owner="worker:1")
    assert claim is not None
    step.refresh_from_db()
    assert (step.state, step.token, step.owner, step.attempts) == ("started", 7, "worker:1", 3)
    assert step.lease_until == step.started_at + dt.timedelta(seconds=180)
    assert claim.step.token == 7


@pytest.mark.parametrize(
    "state", ["waiting", "started", "succeeded", "failed", "uncertain", "cancelled"]
)
def test_take_of_a_step_in_another_state_returns_none(application: Any, state: str) -> None:
    step = queued(application, queued=False, state=state)
    assert take(step.pk, owner="worker:1") is None
    assert StepEvent.objects.count() == 0


def test_take_before_run_after_returns_none(application: Any) -> None:
    step = queued(application, retrying=True, queued=False)
    assert take(step.pk, owner="worker:1") is None


def test_run_with_another_kind_does_not_change_the_step(application: Any) -> None:
    step = queued(application)
    assert take(step.pk, owner="worker:1", kind="mail_hr") is None
    assert run(step.pk, owner="worker:1", kind="mail_hr") == []


def test_run_of_an_unknown_step_returns_nothing(db: None) -> None:
    assert run(987654, owner="worker:1", kind="archive") == []


@pytest.mark.django_db(transaction=True)
def test_concurrent_claims_succeed_once_per_step(application: Any) -> None:
    made = [queued(application, "mail_hr", recipient=f"{n}@example.org") for n in range(6)]
    won: list[tuple[int, int]] = []

    def claim_all(index: int) -> None:
        for step in made:
            claim = take(step.pk, owner=f"worker:{index}")
            if claim:
                won.append((step.pk, claim.step.token))

    at_once(claim_all, 5)
    assert sorted(won) == [(step.pk, 1) for step in made]


# ── Success ─────────────────────────────────────────────────────────────────────────────


def test_success_is_recorded_with_its_result(application: Any, effects: Any) -> None:
    step = queued(
        application, error_class="transient", error_code="x", error_public="y", attempts=3
    )
    effects(archive=lambda step, before_send: Outcome({"objects": ["a"]}, reason="All verified."))
    assert run(step.pk, owner="worker:1") == []
    step.refresh_from_db()
    assert (step.state, step.result) == (State.SUCCEEDED, {"objects": ["a"]})
    assert (step.error_class, step.error_code, step.error_public) == ("", "", "")
    assert (step.lease_until, step.failing_since, step.phase) == (None, None, "")
    assert last_event(step).reason == "All verified."
    assert [event.to_state for event in step.events.all()] == ["started", "succeeded"]


def test_success_queues_exactly_its_successors(job: Any, effects: Any) -> None:
    application = apply_for(job)
    step = application.steps.get(kind=RENDER_PDF)
    ready = run(step.pk, owner="worker:1")
    assert states(application) == {
        "render_pdf": "succeeded",
        "archive": "queued",
        "mail_applicant": "sent",
        "mail_hr": "queued",
    }
    assert sorted(ready) == sorted(
        application.steps.filter(kind__in=["archive", "mail_hr"]).values_list("pk", flat=True)
    )


def test_message_received_twice_runs_the_effect_once(job: Any, effects: Any) -> None:
    application = apply_for(job)
    step = application.steps.get(kind=RENDER_PDF)
    assert len(run(step.pk, owner="worker:1")) == 2
    assert run(step.pk, owner="worker:2") == []
    assert step.events.filter(to_state=State.STARTED).count() == 1


def test_rows_of_an_effect_are_written_with_the_success(application: Any, effects: Any) -> None:
    step = queued(application)
    written = []
    effects(archive=lambda step, before_send: Outcome(record=lambda: written.append(step.pk)))
    run(step.pk, owner="worker:1")
    assert written == [step.pk]


def test_rows_of_an_effect_are_not_written_when_the_step_was_taken_over(
    application: Any, effects: Any
) -> None:
    step = queued(application)
    written: list[int] = []

    def slow(step: Step, before_send: Any) -> Outcome:
        Step.objects.filter(pk=step.pk).update(token=9)
        return Outcome(record=lambda: written.append(step.pk))

    effects(archive=slow)
    assert run(step.pk, owner="worker:1") == []
    assert written == []
    step.refresh_from_db()
    assert step.state == State.STARTED


def test_success_is_recorded_when_the_database_answers_again(
    application: Any, effects: Any, monkeypatch: Any
) -> None:
    step = queued(application, "mail_applicant")
    monkeypatch.setattr(runner, "RECORD_PAUSES", (0, 0))
    monkeypatch.setattr(connection, "close", lambda: None)
    refused = iter([OperationalError("locked"), OperationalError("locked")])

    def once(step: Step, before_send: Any) -> Outcome:
        before_send()
        return Outcome(record=record)

    def record() -> None:
        for error in refused:
            raise error

    effects(mail_applicant=once)
    run(step.pk, owner="worker:1")
    step.refresh_from_db()
    assert step.state == State.SUCCEEDED
    assert step.events.filter(to_state="started").count() == 1


@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("closed")])
def test_database_error_during_a_step_is_temporary(
    application: Any, effects: Any, monkeypatch: Any, error: Exception
) -> None:
    """The failure is recorded on a new connection at once, not after the lease."""
    step = queued(application, "mail_applicant", attempts=5)
    monkeypatch.setattr(runner, "RECORD_PAUSES", (0, 0))
    closed: list[int] = []
    monkeypatch.setattr(connection, "close", lambda: closed.append(1))
    tries = iter([error])

    def breaks(step: Step, before_send: Any) -> Outcome:
        raise error

    def still_gone(*_args: Any) -> dt.timedelta:
        for first in tries:
            raise first
        return dt.timedelta(minutes=1)

    monkeypatch.setattr(retries, "backoff", still_gone)
    effects(mail_applicant=breaks)
    run(step.pk, owner="worker:1")
    step.refresh_from_db()
    assert (step.state, step.error_class, step.error_code) == ("retrying", "transient", "database")
    assert closed == [1]


# ── Failures ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("error", "state", "error_class", "code", "public"),
    [
        (BUSY, "retrying", "transient", "archive-busy", "The archive is busy."),
        (GONE, "failed", "permanent", "no-such-mailbox", "The mailbox does not exist."),
        (
            LOCKED_OUT,
            "retrying",
            "configuration",
            "smtp-login",
            "The mail server refused the password.",
        ),
        (MAYBE, "uncertain", "unknown", "no-answer", "The mail server did not answer."),
        (
            KeyError("canary@example.org"),
            "retrying",
            "unknown",
            "KeyError",
            "An unexpected error occurred (KeyError). The traceback shows where.",
        ),
        (
            SoftTimeLimitExceeded(),
            "retrying",
            "unknown",
            "SoftTimeLimitExceeded",
            "An unexpected error occurred (SoftTimeLimitExceeded). The traceback shows where.",
        ),
    ],
)
def test_each_error_class_has_its_state(
    application: Any,
    effects: Any,
    error: Exception,
    state: str,
    error_class: str,
    code: str,
    public: str,
) -> None:
    step = queued(application)
    effects(archive=error)
    assert run(step.pk, owner="worker:1") == []
    step.refresh_from_db()
    assert (step.state, step.error_class, step.error_code) == (state, error_class, code)
    assert step.error_public == last_event(step).reason == public
    assert (step.run_after is not None) is (state == "retrying")
    assert step.lease_until is None


def test_step_that_was_taken_over_changes_nothing(application: Any, effects: Any) -> None:
    step = queued(application)
    effects(archive=Fenced())
    assert run(step.pk, owner="worker:1") == []
    step.refresh_from_db()
    assert (step.state, step.error_code) == (State.STARTED, "")
    assert [event.to_state for event in step.events.all()] == ["started"]


def attempt(step: Step) -> str:
    """Run a step now, whatever its run_after; returns the state afterwards."""
    Step.objects.filter(pk=step.pk).update(run_after=None)
    run(step.pk, owner="worker:1")
    step.refresh_from_db()
    return step.state


def test_unexpected_error_is_tried_five_times(application: Any, effects: Any) -> None:
    step = queued(application)
    effects(archive=ValueError("x"))
    assert [attempt(step) for _ in range(5)] == ["retrying"] * 4 + ["failed"]
    assert step.run_after is None


def test_unexpected_error_after_an_outage_is_counted_from_one(
    application: Any, effects: Any
) -> None:
    step = queued(application)
    effects(archive=BUSY)
    assert [attempt(step) for _ in range(9)] == ["retrying"] * 9
    effects(archive=ValueError("x"))
    assert [attempt(step) for _ in range(5)] == ["retrying"] * 4 + ["failed"]


def test_temporary_error_is_retried_for_three_days(
    application: Any, effects: Any, time_machine: Any, monkeypatch: Any
) -> None:
    step = queued(application)
    effects(archive=BUSY)
    begun = timezone.now()
    seen = {}
    for hours in (0, 1, 71, 73):
        monkeypatch.setattr(runner, "db_now", lambda hours=hours: begun + dt.timedelta(hours=hours))
        seen[hours] = attempt(step)
    assert seen == {0: "retrying", 1: "retrying", 71: "retrying", 73: "failed"}


def test_configuration_error_is_retried_without_end(
    application: Any, effects: Any, monkeypatch: Any
) -> None:
    step = queued(application)
    effects(archive=LOCKED_OUT)
    begun = timezone.now()
    monkeypatch.setattr(runner, "db_now", lambda: begun)
    assert [attempt(step) for _ in range(40)] == ["retrying"] * 40
    monkeypatch.setattr(runner, "db_now", lambda: begun + dt.timedelta(days=30))
    assert attempt(step) == "retrying"
    effects(archive=BUSY)
    assert attempt(step) == "retrying"
    effects()
    assert attempt(step) == "succeeded"


@pytest.mark.parametrize(("attempts", "longest"), [(1, 10), (2, 20), (5, 160), (10, 3600)])
def test_backoff_doubles_up_to_an_hour_with_jitter(
    settings: Any, attempts: int, longest: int
) -> None:
    settings.PIPELINE_BACKOFF_BASE = 10
    pauses = [backoff(attempts).total_seconds() for _ in range(200)]
    assert longest / 2 <= min(pauses) < max(pauses) <= longest


def test_backoff_after_very_many_attempts_is_an_hour() -> None:
    assert backoff(1_000_000) <= dt.timedelta(hours=1)


def test_backoff_is_at_least_what_the_server_asked_for() -> None:
    pauses = [backoff(1, retry_after=900).total_seconds() for _ in range(200)]
    assert min(pauses) >= 900
    assert max(pauses) <= 1350
    assert len(set(pauses)) > 100


def test_retry_waits_as_long_as_the_server_asked_for(application: Any, effects: Any) -> None:
    step = queued(application)
    effects(archive=Transient("busy", "Busy.", retry_after=1234))
    run(step.pk, owner="worker:1")
    step.refresh_from_db()
    assert 1234 <= (step.run_after - step.state_since).total_seconds() <= 1851


def test_classify_knows_the_code_of_every_error() -> None:
    assert classify(BUSY)[:2] == (ErrorClass.TRANSIENT, "archive-busy")
    assert classify(ZeroDivisionError())[:2] == (ErrorClass.UNKNOWN, "ZeroDivisionError")


# ── Time limits ─────────────────────────────────────────────────────────────────────────


def takes_too_long(step: Step, before_send: Any) -> Outcome:
    """Celery's soft time limit is raised in a library that retries after every exception."""
    for _attempt in range(3):
        with contextlib.suppress(Exception):
            signal.raise_signal(signal.SIGUSR1)
    return Outcome()


@pytest.mark.parametrize(
    ("kind", "error_class", "public"),
    [
        (
            "archive",
            "transient",
            (
                "A server that the step needs was so slow that the step was stopped after "
                "90 seconds. The site tries again."
            ),
        ),
        ("render_pdf", "unknown", "The step was not done after 90 seconds and was stopped."),
    ],
)
def test_step_over_the_soft_limit_is_stopped_and_retried(
    application: Any, effects: Any, settings: Any, kind: str, error_class: str, public: str
) -> None:
    """A slow server is a temporary error, a PDF that takes long is not."""
    settings.PIPELINE_SOFT_LIMIT = 90
    step = queued(application, kind)
    effects(**{kind: takes_too_long})
    tasks.task_for(kind).apply(kwargs={"step_id": step.pk})
    step.refresh_from_db()
    assert (step.state, step.error_class, step.error_code) == ("retrying", error_class, "too-slow")
    assert step.error_public == public


def test_mail_over_the_soft_limit_past_its_point_of_no_return_is_unconfirmed(
    application: Any, effects: Any
) -> None:
    def falls_silent(step: Step, before_send: Any) -> Outcome:
        before_send()
        return takes_too_long(step, before_send)

    step = queued(application, "mail_applicant")
    effects(mail_applicant=falls_silent)
    tasks.task_for("mail_applicant").apply(kwargs={"step_id": step.pk})
    step.refresh_from_db()
    assert (step.state, step.error_code) == ("uncertain", "interrupted")


def test_soft_limit_outside_the_effect_stops_nothing(application: Any, effects: Any) -> None:
    """A completed effect is recorded also when the time is over."""

    def record() -> None:
        signal.raise_signal(signal.SIGUSR1)

    step = queued(application)
    effects(archive=lambda step, before_send: Outcome(record=record))
    tasks.task_for("archive").apply(kwargs={"step_id": step.pk})
    step.refresh_from_db()
    assert step.state == "succeeded"


# ── After the point of no return ────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ValueError("library"), "uncertain"),
        (SoftTimeLimitExceeded(), "uncertain"),
        (MAYBE, "uncertain"),
        (BUSY, "retrying"),
        (GONE, "failed"),
    ],
)
def test_mail_that_may_have_been_sent_is_never_retried(
    application: Any, effects: Any, error: Exception, state: str
) -> None:
    step = queued(application, "mail_applicant")

    def fails_late(step: Step, before_send: Any) -> Outcome:
        before_send()
        raise error

    effects(mail_applicant=fails_late)
    run(step.pk, owner="worker:1")
    step.refresh_from_db()
    assert step.state == state


# ── Sent with an idempotency key ────────────────────────────────────────────────────────

PROVIDER = IdempotencyWindow("resend:1", dt.timedelta(hours=23))
OTHER = IdempotencyWindow("brevo:2", dt.timedelta(minutes=10))


def send_and(
    step: Step, effects: Any, outcome: Exception | None, window: IdempotencyWindow | None = PROVIDER
) -> Step:
    """One attempt that passes its point of no return and then ends with an error."""

    def sends(_step: Step, before_send: Any) -> Outcome:
        before_send(window)
        if outcome is not None:
            raise outcome
        return Outcome({"message_id": "<a@b>"})

    effects(mail_applicant=sends)
    Step.objects.filter(pk=step.pk).update(run_after=None)
    run(step.pk, owner="worker:1")
    step.refresh_from_db()
    return step


@pytest.mark.parametrize("silence", [MAYBE, ValueError("library"), SoftTimeLimitExceeded()])
def test_mail_with_an_idempotency_key_is_repeated_until_confirmed(
    application: Any, effects: Any, silence: Exception
) -> None:
    step = send_and(queued(application, "mail_applicant"), effects, silence)
    assert (step.state, step.phase, step.repeat_with) == ("retrying", "", "resend:1")
    assert step.repeat_until - step.started_at >= PROVIDER.duration
    assert "the same key" in step.error_public
    first = step.repeat_until

    send_and(step, effects, MAYBE)
    # Counted from the first time: that is when the idempotency window opened.
    assert (step.state, step.repeat_until) == ("retrying", first)

    send_and(step, effects, None)
    assert (step.state, step.repeat_until, step.error_public) == ("succeeded", None, "")


def test_mail_is_not_repeated_after_the_window_closed(application: Any, effects: Any) -> None:
    step = send_and(queued(application, "mail_applicant"), effects, MAYBE)
    Step.objects.update(repeat_until=timezone.now() - dt.timedelta(seconds=1))
    send_and(step, effects, None)
    assert (step.state, step.attempts) == ("uncertain", 1)
    assert "may have arrived" in step.error_public


def test_next_attempt_comes_before_the_window_closes(application: Any, effects: Any) -> None:
    short = IdempotencyWindow("brevo:2", dt.timedelta(seconds=2))
    step = send_and(queued(application, "mail_applicant"), effects, MAYBE, short)
    assert step.run_after == step.repeat_until


@pytest.mark.parametrize("window", [None, OTHER])
def test_unconfirmed_mail_is_not_sent_by_another_provider(
    application: Any, effects: Any, window: IdempotencyWindow | None
) -> None:
    step = send_and(queued(application, "mail_applicant"), effects, MAYBE)
    send_and(step, effects, None, window)
    assert (step.state, step.repeat_with) == ("uncertain", "resend:1")
    assert "settings have changed" in step.error_public


@pytest.mark.parametrize(("refusal", "state"), [(BUSY, "retrying"), (GONE, "failed")])
def test_refused_mail_fails_whatever_the_key(
    application: Any, effects: Any, refusal: Exception, state: str
) -> None:
    step = send_and(queued(application, "mail_applicant"), effects, refusal)
    assert (step.state, step.repeat_until) == (state, None)


@pytest.mark.parametrize(
    ("refusal", "state"), [(BUSY, "retrying"), (LOCKED_OUT, "retrying"), (GONE, "uncertain")]
)
def test_refused_repetition_leaves_the_first_attempt_unconfirmed(
    application: Any, effects: Any, refusal: Exception, state: str
) -> None:
    step = send_and(queued(application, "mail_applicant"), effects, MAYBE)
    first = step.repeat_until
    send_and(step, effects, refusal)
    assert (step.state, step.repeat_until) == (state, first)


def test_undecidable_answer_is_left_to_a_person(application: Any, effects: Any) -> None:
    silent = Undecidable("mail-unconfirmed", "The provider knows the key, not the mail.")
    step = send_and(queued(application, "mail_applicant"), effects, silent)
    assert (step.state, step.error_public) == ("uncertain", silent.public)


def test_mail_is_not_sent_by_a_worker_that_lost_the_step(application: Any, effects: Any) -> None:
    step = queued(application, "mail_applicant")
    sent = []

    def too_late(step: Step, before_send: Any) -> Outcome:
        move(step.pk, State.RETRYING, leaving=[State.STARTED], actor="sweeper")
        before_send()
        sent.append(step.pk)
        return Outcome()

    effects(mail_applicant=too_late)
    assert run(step.pk, owner="worker:1") == []
    assert sent == []
    step.refresh_from_db()
    assert (step.state, step.phase) == (State.RETRYING, Phase.NONE)


def test_interrupted_process_leaves_its_step_running(application: Any, effects: Any) -> None:
    step = queued(application)
    effects(archive=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        run(step.pk, owner="worker:1")
    step.refresh_from_db()
    assert step.state == State.STARTED


# ── Steps after a failed PDF ───────────────────────────────────────────────────────────


def test_failed_pdf_queues_the_mail_to_hr_and_not_the_archive(job: Any, effects: Any) -> None:
    application = apply_for(job)
    step = application.steps.get(kind=RENDER_PDF)
    effects(render_pdf=GONE)
    ready = run(step.pk, owner="worker:1")
    assert states(application) == {
        "render_pdf": "failed",
        "archive": "waiting",
        "mail_applicant": "sent",
        "mail_hr": "queued",
    }
    assert ready == [application.steps.get(kind=MAIL_HR).pk]


def test_pdf_that_is_retried_keeps_the_mail_to_hr_waiting(job: Any, effects: Any) -> None:
    application = apply_for(job)
    effects(render_pdf=BUSY)
    assert run(application.steps.get(kind=RENDER_PDF).pk, owner="worker:1") == []
    assert states(application)["mail_hr"] == "waiting"


def test_mails_about_a_quarantined_application_stay_waiting(job: Any, effects: Any) -> None:
    application = apply_for(job, suspicion="honeypot")
    assert states(application)["mail_applicant"] == "waiting"
    run(application.steps.get(kind=RENDER_PDF).pk, owner="worker:1")
    assert states(application) == {
        "render_pdf": "succeeded",
        "archive": "queued",
        "mail_applicant": "waiting",
        "mail_hr": "waiting",
    }


# ── No personal data ────────────────────────────────────────────────────────────────────


def test_history_and_logs_hold_no_personal_data(job: Any, effects: Any, caplog: Any) -> None:
    application = apply_for(job, answers={"name": "Canary Birdsong", "email": "canary@a.org"})

    def breaks(step: Step, before_send: Any) -> Outcome:
        name = step.application.name
        raise RuntimeError(f"no glyph for {name} <{step.application.email}>")

    effects(render_pdf=breaks, mail_applicant=breaks)
    for step in application.steps.all():
        run(step.pk, owner="worker:1")
    history = [
        f"{event.actor} {event.reason} {event.traceback}"
        for event in StepEvent.objects.filter(step__application=application)
    ]
    rows = [
        f"{step.error_public} {step.error_code} {step.result}" for step in application.steps.all()
    ]
    assert any("RuntimeError" in text for text in history)
    assert "anary" not in "".join([*history, *rows, caplog.text])
    assert "@a.org" not in "".join([*history, *rows, caplog.text])


def test_anonymous_traceback_holds_places_and_no_values() -> None:
    try:
        int("canary")
    except ValueError as error:
        text = anonymous_traceback(error)
    assert text.endswith("ValueError")
    assert "test_runner.py" in text
    assert "canary" not in text


@pytest.mark.django_db(transaction=True)
def test_concurrent_workers_and_sweeper_run_each_step_once(application: Any, effects: Any) -> None:
    made = [queued(application, "mail_hr", recipient=f"{n}@example.org") for n in range(6)]
    done: list[int] = []
    lock = threading.Lock()

    def count(step: Step, before_send: Any) -> Outcome:
        before_send()
        with lock:
            done.append(step.pk)
        return Outcome()

    effects(mail_hr=count)

    def work(index: int) -> None:
        for step in made:
            run(step.pk, owner=f"worker:{index}")

    at_once(work, 3)
    assert sorted(done) == [step.pk for step in made]
    assert set(Step.objects.values_list("state", flat=True)) == {"succeeded"}
