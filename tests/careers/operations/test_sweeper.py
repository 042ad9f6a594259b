"""The sweeper finds steps that were not dispatched, and takes back steps of lost workers."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from careers.applications.errors import Fenced
from careers.applications.models import Application
from careers.operations import health
from careers.operations import sweeper as sweeper_module
from careers.operations.models import Finding, Heartbeat
from careers.operations.sweeper import (
    Sweeper,
    due,
    forgotten,
    release_expired_leases,
    release_forgotten_waiters,
    requeue_unanswered,
)
from careers.pipeline import broker as broker_module
from careers.pipeline import dispatch, retries, runner
from careers.pipeline.kinds import ARCHIVE, MAIL_HR, RENDER_PDF
from careers.pipeline.models import Step
from careers.pipeline.registry import Outcome
from careers.pipeline.states import State
from careers.pipeline.transitions import move
from tests.support.applying import apply_for
from tests.support.broker import Broker
from tests.support.factories import ApplicationFactory, HeartbeatFactory, StepFactory
from tests.support.processes import until

pytestmark = pytest.mark.django_db


def ago(**span: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(**span)


@pytest.fixture
def sweeper(monkeypatch: pytest.MonkeyPatch, broker: Broker) -> Sweeper:
    """A sweeper whose broker answers unless a test makes it refuse."""
    monkeypatch.setattr(
        broker_module, "broker_error", lambda: "ConnectionError" if broker.refuses else ""
    )
    monkeypatch.setattr(broker_module, "queue_length", lambda queue: 0)
    return Sweeper()


def step_of(application: Any, kind: str = "archive", **more: Any) -> Step:
    recipient = "hr@example.org" if kind == "mail_hr" else ""
    given = {"application": application, "kind": kind, "recipient": recipient, "events": False}
    return StepFactory(**given | more)


def state_of(step: Step) -> str:
    step.refresh_from_db()
    return step.state


# ── Lost workers ────────────────────────────────────────────────────────────────────────


def test_step_with_expired_lease_is_retried_at_once(application: Any) -> None:
    step = step_of(application, started=True, lease_until=ago(seconds=1))
    release_expired_leases()
    assert state_of(step) == State.RETRYING
    assert step.run_after <= timezone.now()
    assert (step.error_class, step.error_code) == ("unknown", "worker-lost")
    event = step.events.get()
    assert (event.actor, event.reason) == ("sweeper", "The worker did not finish in time.")
    assert due() == [step.pk]


def test_step_with_valid_lease_is_not_changed(application: Any) -> None:
    step = step_of(application, started=True, lease_until=timezone.now() + dt.timedelta(seconds=5))
    release_expired_leases()
    assert state_of(step) == State.STARTED


def test_mail_of_a_lost_worker_past_the_point_of_no_return_is_unconfirmed(application: Any) -> None:
    step = step_of(
        application, "mail_applicant", started=True, phase="data", lease_until=ago(seconds=1)
    )
    release_expired_leases()
    assert state_of(step) == State.UNCERTAIN
    assert "may have arrived" in step.error_public


def keyed(application: Any, **more: Any) -> Step:
    return step_of(
        application,
        "mail_applicant",
        **{
            "started": True,
            "phase": "keyed",
            "lease_until": ago(seconds=1),
            "repeat_until": timezone.now() + dt.timedelta(hours=1),
            **more,
        },
    )


def test_mail_of_a_lost_worker_with_idempotency_key_is_repeated(application: Any) -> None:
    step = keyed(application)
    until = step.repeat_until
    release_expired_leases()
    assert (state_of(step), step.phase, step.repeat_until) == (State.RETRYING, "", until)


def test_mail_of_a_lost_worker_is_not_repeated_after_the_idempotency_window(
    application: Any,
) -> None:
    step = keyed(application, repeat_until=ago(seconds=1))
    release_expired_leases()
    assert state_of(step) == State.UNCERTAIN


def test_workers_lost_past_the_point_of_no_return_do_not_fail_the_step(
    application: Any,
) -> None:
    step = keyed(application, phase="", attempts=retries.UNKNOWN_ATTEMPTS)
    release_expired_leases()
    assert state_of(step) == State.UNCERTAIN


def test_lost_worker_that_returns_changes_nothing(application: Any, effects: Any) -> None:
    step = step_of(application, queued=True)
    written: list[int] = []

    def stalls(step: Step, before_send: Any) -> Outcome:
        Step.objects.filter(pk=step.pk).update(lease_until=ago(seconds=1))
        release_expired_leases()
        return Outcome({"late": True}, record=lambda: written.append(step.pk))

    effects(archive=stalls)
    runner.run(step.pk, owner="worker:1")
    assert state_of(step) == State.RETRYING
    assert step.result == {}
    assert written == []


def test_fifth_lost_worker_in_a_row_fails_the_step_and_queues_the_mail_to_hr(job: Any) -> None:
    application = apply_for(job)
    step = application.steps.get(kind=RENDER_PDF)
    Step.objects.filter(pk=step.pk).update(
        state="started", attempts=5, token=5, lease_until=ago(seconds=1)
    )
    release_expired_leases()
    assert state_of(step) == State.FAILED
    assert state_of(application.steps.get(kind=MAIL_HR)) == State.QUEUED
    assert state_of(application.steps.get(kind=ARCHIVE)) == State.WAITING


# ── Steps without a message ─────────────────────────────────────────────────────────────


def test_step_queued_seconds_ago_is_not_dispatched_again(application: Any) -> None:
    step_of(application, queued=True, state_since=ago(seconds=1))
    assert forgotten() == []


def test_forgotten_queued_step_is_dispatched(
    application: Any, sweeper: Sweeper, broker: Broker
) -> None:
    step = step_of(application, queued=True, state_since=ago(seconds=10))
    sweeper.once()
    assert broker.messages == [("careers.archive", "io", step.pk)]
    assert state_of(step) == State.SENT
    assert step.dispatches == 1


def test_step_is_retried_when_it_is_due(application: Any, sweeper: Sweeper, broker: Broker) -> None:
    ready = step_of(application, retrying=True, run_after=ago(seconds=1))
    later = step_of(application, "mail_applicant", retrying=True)
    sweeper.once()
    assert broker.dispatched == [ready.pk]
    assert state_of(later) == State.RETRYING


@pytest.mark.parametrize(
    ("dispatches", "age", "state"),
    [
        (1, 59, "sent"),
        (1, 61, "queued"),
        (2, 61, "sent"),
        (2, 121, "queued"),
        (4, 479, "sent"),
        (4, 481, "queued"),
        (5, 899, "sent"),
        (5, 901, "queued"),
        (500, 899, "sent"),
        (500, 901, "queued"),
        # A step that waits for a setting for months.
        (5000, 899, "sent"),
        (5000, 901, "queued"),
    ],
)
def test_unanswered_message_is_taken_back_after_growing_waits(
    application: Any, sweeper: Sweeper, settings: Any, dispatches: int, age: int, state: str
) -> None:
    settings.PIPELINE_REDISPATCH_AFTER = 60.0
    step = step_of(application, sent=True, dispatches=dispatches, dispatched_at=ago(seconds=age))
    requeue_unanswered()
    assert state_of(step) == state


def test_message_in_a_long_queue_is_not_taken_back_soon(
    application: Any, sweeper: Sweeper, monkeypatch: Any
) -> None:
    monkeypatch.setattr(broker_module, "queue_length", lambda queue: {"io": 51, "cpu": 0}[queue])
    waits = step_of(application, sent=True, dispatched_at=ago(minutes=14))
    lost = step_of(application, "render_pdf", sent=True, dispatched_at=ago(minutes=14))
    requeue_unanswered()
    assert (state_of(waits), state_of(lost)) == (State.SENT, State.QUEUED)


def test_message_in_a_long_queue_is_taken_back_after_the_longest_wait(
    application: Any, sweeper: Sweeper, monkeypatch: Any
) -> None:
    """It may never have been published, and the queue may stay long for days."""
    monkeypatch.setattr(broker_module, "queue_length", lambda queue: 5000)
    step = step_of(application, sent=True, dispatches=1, dispatched_at=ago(seconds=901))
    requeue_unanswered()
    assert state_of(step) == State.QUEUED


def test_long_queue_does_not_hide_lost_messages_of_another_queue(
    application: Any, sweeper: Sweeper, monkeypatch: Any
) -> None:
    monkeypatch.setattr(sweeper_module, "BATCH", 2)
    monkeypatch.setattr(broker_module, "queue_length", lambda queue: {"io": 51, "cpu": 0}[queue])
    for kind in ("archive", "mail_applicant", "mail_hr"):
        step_of(application, kind, sent=True, dispatched_at=ago(hours=2))
    lost = step_of(application, "render_pdf", sent=True, dispatched_at=ago(hours=1))
    requeue_unanswered()
    assert state_of(lost) == State.QUEUED


@pytest.mark.parametrize(
    ("pdf", "expected"),
    [
        ("succeeded", {"archive": "queued", "mail_hr": "queued", "mail_applicant": "queued"}),
        ("failed", {"archive": "waiting", "mail_hr": "queued", "mail_applicant": "queued"}),
        ("cancelled", {"archive": "waiting", "mail_hr": "queued", "mail_applicant": "queued"}),
        ("retrying", {"archive": "waiting", "mail_hr": "waiting", "mail_applicant": "queued"}),
    ],
)
def test_forgotten_waiting_step_is_queued_after_its_predecessor(
    application: Any, pdf: str, expected: dict[str, str]
) -> None:
    step_of(application, "render_pdf", state=pdf)
    for kind in expected:
        step_of(application, kind, state=State.WAITING)
    release_forgotten_waiters()
    rows = application.steps.exclude(kind="render_pdf")
    assert {step.kind: step.state for step in rows} == expected


def test_mails_of_quarantined_applications_are_not_released(application: Any) -> None:
    Application.objects.update(quarantined=True)
    application.refresh_from_db()
    step_of(application, "render_pdf", succeeded=True)
    mails = [step_of(application, kind) for kind in ("mail_applicant", "mail_hr")]
    release_forgotten_waiters()
    assert [state_of(step) for step in mails] == [State.WAITING, State.WAITING]


def test_pdf_of_another_application_releases_nothing(application: Any) -> None:
    step_of(ApplicationFactory(page=application.page), "render_pdf", succeeded=True)
    waiter = step_of(application, "archive")
    release_forgotten_waiters()
    assert state_of(waiter) == State.WAITING


# ── Many rows ───────────────────────────────────────────────────────────────────────────

MANY_STEPS = """
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 100000)
    INSERT INTO careers_step ({columns}) SELECT {values} FROM careers_step, numbers
"""


def plan_of(sql: str, params: Any) -> list[str]:
    """How the database reads the steps for a statement: one word for each table."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
            return [row[3].split()[0] for row in cursor if row[3].split()[0] in ("SCAN", "SEARCH")]
        cursor.execute(f"EXPLAIN {sql}", params)
        lines = [
            line for (line,) in cursor if " Scan" in line and "careers_application" not in line
        ]
        return ["SCAN" if "Seq Scan" in line else "SEARCH" for line in lines]


def test_sweeper_reads_only_open_steps_among_100_000_done_steps(
    application: Any, sweeper: Sweeper
) -> None:
    """The query plans show it, not the time: no statement reads the whole table."""
    step_of(application, "mail_hr", succeeded=True)
    columns = [field.column for field in Step._meta.concrete_fields if not field.primary_key]
    values = ["CAST(n AS varchar)" if name == "recipient" else name for name in columns]
    asked: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, *more: Any) -> Any:
        if 'FROM "careers_step"' in sql and not sql.startswith("EXPLAIN"):
            asked.append((sql, params))
        return execute(sql, params, *more)

    with connection.cursor() as cursor:
        cursor.execute(MANY_STEPS.format(columns=", ".join(columns), values=", ".join(values)))
        if connection.vendor == "postgresql":
            # PostgreSQL does so by itself sooner or later; SQLite never does.
            cursor.execute("ANALYZE careers_step")
    step_of(application, "render_pdf", queued=True)
    step_of(application, "mail_applicant", sent=True)
    with connection.execute_wrapper(note):
        sweeper_module.set_back_future_times()
        release_expired_leases()
        release_forgotten_waiters()
        requeue_unanswered()
        forgotten()
        due()
    assert len(asked) >= 9
    read_whole = [sql for sql, params in asked if "SCAN" in plan_of(sql, params)]
    assert read_whole == []


# ── A clock that jumps ──────────────────────────────────────────────────────────────────

TWO_HOURS = dt.timedelta(hours=2)


def set_clock(by: dt.timedelta) -> None:
    """Set the database's clock, by moving the times in its rows the other way."""
    for model, names in (
        (Step, [field.name for field in Step._meta.fields if "Date" in type(field).__name__]),
        (Heartbeat, ["started_at", "seen_at"]),
    ):
        for row in model._default_manager.all():
            moments = {name: getattr(row, name) for name in names}
            model._default_manager.filter(pk=row.pk).update(
                **{name: at - by for name, at in moments.items() if at is not None}
            )


@pytest.mark.parametrize(
    "may_have_been_sent", [False, True], ids=["not sent", "may have been sent"]
)
@pytest.mark.parametrize("by", [TWO_HOURS, -TWO_HOURS], ids=["ahead", "back"])
def test_mail_is_sent_once_when_the_clock_changes(
    job: Any, sweeper: Sweeper, monkeypatch: Any, by: dt.timedelta, may_have_been_sent: bool
) -> None:
    """The database uses the machine's clock. A clock set ahead ends every lease; one set back
    extends them. In both cases one mail is sent."""
    application = apply_for(job)
    sent: list[str] = []
    step = application.steps.get(kind="mail_applicant")
    claim = runner.take(step.pk, owner="worker:1")
    assert claim is not None
    if may_have_been_sent:
        claim.before_send()
        sent.append("worker:1")
    set_clock(by)
    sweeper.once()
    if not may_have_been_sent:
        with contextlib.suppress(Fenced):
            claim.before_send()
            sent.append("worker:1")
    if sent:
        runner.record(claim, Outcome({}))
    while (again := runner.take(step.pk, owner="worker:2")) is not None:
        again.before_send()
        sent.append("worker:2")
        runner.record(again, Outcome({}))
    assert len(sent) == 1
    # After the end of a lease it is unknown whether the mail was sent.
    unsure = may_have_been_sent and by > dt.timedelta(0)
    assert state_of(step) == (State.UNCERTAIN if unsure else State.SUCCEEDED)


def test_no_step_waits_longer_after_the_clock_was_set_back(
    application: Any, sweeper: Sweeper, broker: Broker
) -> None:
    now = timezone.now()
    begun = dict.fromkeys(("state_since", "ready_at"), now)
    soon = now + dt.timedelta(seconds=20)
    running = step_of(application, "render_pdf", started=True, **begun, lease_until=soon)
    again = step_of(application, "archive", retrying=True, **begun, run_after=soon)
    queued = step_of(application, "mail_hr", queued=True, **begun)
    dispatched = step_of(application, "mail_applicant", sent=True, **begun, dispatched_at=now)
    set_clock(-TWO_HOURS)
    sweeper.once()
    assert [state_of(step) for step in (running, again, queued, dispatched)] == [
        "started",
        "retrying",
        "queued",
        "sent",
    ]
    at_most = timezone.now() + dt.timedelta(seconds=20)
    assert now < running.lease_until <= at_most
    assert now < again.run_after <= at_most
    for step in (queued, dispatched):
        assert step.state_since <= timezone.now()
    assert dispatched.dispatched_at <= timezone.now()
    steps = (running, again, queued, dispatched)
    before = [step.state_since for step in steps]
    sweeper.once()
    assert [Step.objects.get(pk=step.pk).state_since for step in steps] == before


def test_worker_with_heartbeat_in_the_future_is_not_alive(db: None, sweeper: Sweeper) -> None:
    HeartbeatFactory(queues="io", seen_at=timezone.now() + TWO_HOURS)
    assert sweeper_module.is_served("io") is False
    assert health.check().workers == []


# ── A sweep ─────────────────────────────────────────────────────────────────────────────


def test_sweep_writes_a_heartbeat_and_reports_the_broker_error(
    db: None, sweeper: Sweeper, broker: Broker
) -> None:
    broker.refuses = True
    sweeper.once()
    beat = Heartbeat.objects.get()
    assert (beat.kind, beat.name) == ("sweeper", sweeper.name)
    (finding,) = Finding.objects.all()
    assert (finding.code, finding.source) == ("broker", f"sweeper:{sweeper.name}")
    assert finding.message == "ConnectionError"
    assert sweeper.broker_down_since is not None
    broker.refuses = False
    sweeper.once()
    assert Finding.objects.count() == 0
    assert sweeper.broker_down_since is None


def test_sweep_without_work_takes_few_queries(
    application: Any, sweeper: Sweeper, django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        step_of(application, "mail_hr", recipient=f"{number}@example.org", succeeded=True)
    sweeper.once()
    with django_assert_max_num_queries(37):
        sweeper.once()


def test_sweeper_waits_for_a_broker_within_the_grace_time(
    application: Any, sweeper: Sweeper, broker: Broker, monkeypatch: Any
) -> None:
    step = step_of(application, queued=True, state_since=ago(minutes=1))
    worked: list[bool] = []
    monkeypatch.setattr(sweeper, "_work", lambda: worked.append(True))
    broker.refuses = True
    sweeper.once()
    assert (worked, state_of(step)) == ([], State.QUEUED)
    assert sweeper.broker_down_since is not None
    sweeper.broker_down_since = ago(seconds=301)
    sweeper.once()
    assert worked == [True]


def test_due_returns_oldest_steps_first_without_the_excluded(application: Any) -> None:
    new, old = (
        step_of(
            application, "mail_hr", recipient=f"{age}@a.org", queued=True, state_since=ago(days=age)
        )
        for age in (1, 2)
    )
    assert due() == [old.pk, new.pk]
    assert due(exclude={old.pk}) == [new.pk]


@pytest.mark.django_db(transaction=True)
def test_sweeper_without_broker_and_workers_runs_every_step(
    job: Any, sweeper: Sweeper, broker: Broker, effects: Any, settings: Any
) -> None:
    settings.PIPELINE_BROKER_GRACE = 0
    broker.refuses = True
    applications = [apply_for(job, answers={"email": f"{n}@example.org"}) for n in range(2)]
    deadline = time.monotonic() + 40
    unfinished = Step.objects.exclude(state=State.SUCCEEDED)
    while unfinished.exists() and time.monotonic() < deadline:
        sweeper.once()
        time.sleep(0.05)
    for child in sweeper.children:
        child.join(5)
    assert list(unfinished) == []
    for application in applications:
        for step in application.steps.all():
            assert step.events.filter(to_state=State.STARTED).count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("queues", "mails"), [("cpu", True), ("cpu,io", False)])
def test_sweeper_mails_operators_while_no_worker_runs(
    application: Any, sweeper: Sweeper, effects: Any, queues: str, mails: bool
) -> None:
    HeartbeatFactory(queues=queues)
    mail = StepFactory(to_operators=True, queued=True, state_since=ago(minutes=1))
    other = step_of(application, queued=True, state_since=ago(minutes=1))
    sweeper.once()
    for child in sweeper.children:
        child.join(20)
    assert (state_of(mail) == State.SUCCEEDED) is mails
    assert state_of(other) == State.SENT


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("hangs", "state", "reason"),
    [
        (False, State.SUCCEEDED, ""),
        (True, State.QUEUED, "Given back: the worker was stopped."),
    ],
)
def test_stopping_sweeper_waits_for_its_children_or_returns_their_steps(
    application: Any,
    sweeper: Sweeper,
    effects: Any,
    monkeypatch: pytest.MonkeyPatch,
    hangs: bool,
    state: State,
    reason: str,
) -> None:
    """The steps need not wait for the lease to end, as after a sweeper that was killed."""
    monkeypatch.setattr(sweeper_module, "LET_FINISH", 0 if hangs else 60)
    step = step_of(application, queued=True, state_since=ago(minutes=1))

    def perform(step: Step, before_send: Any) -> Outcome:
        time.sleep(600 if hangs else 1)
        return Outcome()

    effects(archive=perform)
    sweeper._work()
    until(lambda: state_of(step) == State.STARTED, 60, "the child did not begin")
    sweeper._end_children()
    assert state_of(step) == state
    event = step.events.last()
    assert event is not None
    assert (event.to_state, event.reason) == (state, reason)
    assert not any(child.is_alive() for child in sweeper.children)


@pytest.mark.django_db(transaction=True)
def test_stopping_sweeper_with_a_database_error_ends_every_child(
    application: Any, sweeper: Sweeper, effects: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One step is handed back; the other can't be, and waits for its lease to end."""
    monkeypatch.setattr(sweeper_module, "LET_FINISH", 0)
    steps = [
        step_of(application, kind, queued=True, state_since=ago(minutes=minutes))
        for kind, minutes in (("archive", 2), ("render_pdf", 1))
    ]

    def perform(step: Step, before_send: Any) -> Outcome:
        time.sleep(600)
        return Outcome()

    effects(archive=perform, render_pdf=perform)
    sweeper._work()
    for step in steps:
        until(lambda step=step: state_of(step) == State.STARTED, 60, "a child did not begin")
    hand_back, alive = sweeper_module.hand_back, []

    def fails_once(owner: str) -> None:
        alive.append(sum(child.is_alive() for child in sweeper.children))
        if len(alive) == 1:
            raise OperationalError("the server closed the connection unexpectedly")
        hand_back(owner)

    monkeypatch.setattr(sweeper_module, "hand_back", fails_once)
    sweeper._end_children()
    assert alive == [0, 0]
    assert [state_of(step) for step in steps] == [State.STARTED, State.QUEUED]


@pytest.mark.django_db(transaction=True)
def test_child_that_runs_too_long_is_killed(
    application: Any, sweeper: Sweeper, effects: Any, settings: Any
) -> None:
    settings.PIPELINE_HARD_LIMIT = 0
    step = step_of(application, queued=True, state_since=ago(minutes=1))

    def hangs(step: Step, before_send: Any) -> Outcome:
        time.sleep(60)
        return Outcome()

    effects(archive=hangs)
    sweeper._work()
    assert len(sweeper.children) == 1
    deadline = time.monotonic() + 10
    while state_of(step) != State.STARTED and time.monotonic() < deadline:
        time.sleep(0.05)
    while sweeper.children and time.monotonic() < deadline:
        sweeper._reap()
        time.sleep(0.05)
    assert sweeper.children == {}
    Step.objects.filter(pk=step.pk).update(lease_until=ago(seconds=1))
    sweeper_module.release_expired_leases()
    assert state_of(step) == State.RETRYING


@pytest.mark.django_db(transaction=True)
def test_child_has_the_workers_own_limit(
    application: Any, sweeper: Sweeper, effects: Any, settings: Any
) -> None:
    """So a slow server is reported as slow, and not as a lost worker."""
    settings.PIPELINE_SOFT_LIMIT = 3
    step = step_of(application, queued=True, state_since=ago(minutes=1))

    def is_slow(step: Step, before_send: Any) -> Outcome:
        time.sleep(60)
        return Outcome()

    effects(archive=is_slow)
    sweeper._work()
    (child,) = sweeper.children
    child.join(60)
    assert state_of(step) == State.RETRYING
    assert Step.objects.get(pk=step.pk).error_code == "too-slow"


def test_two_sweepers_dispatch_once(application: Any, sweeper: Sweeper, broker: Broker) -> None:
    step_of(application, queued=True, state_since=ago(minutes=1))
    ids = forgotten()
    assert dispatch.dispatch_steps(ids, actor="sweeper") == 1
    assert dispatch.dispatch_steps(ids, actor="sweeper") == 0
    assert len(broker.messages) == 1


def test_sweeper_continues_after_an_error(
    db: None, sweeper: Sweeper, monkeypatch: Any, caplog: Any, settings: Any
) -> None:
    settings.PIPELINE_SWEEP_INTERVAL = 0
    sweeps: list[int] = []

    def once() -> None:
        sweeps.append(len(sweeps))
        if len(sweeps) == 1:
            raise OSError("bad moment")
        sweeper.stopping = True

    monkeypatch.setattr(sweeper, "once", once)
    monkeypatch.setattr(sweeper_module.signal, "signal", lambda *_args: None)
    monkeypatch.setattr(sweeper_module.connections, "close_all", lambda: None)
    sweeper.run()
    assert sweeps == [0, 1]
    assert "sweep failed" in caplog.text


def test_rows_from_a_newer_release_do_not_stop_the_sweep(
    application: Any, sweeper: Sweeper, broker: Broker
) -> None:
    strange = step_of(application, queued=True, state_since=ago(minutes=2))
    Step.objects.filter(pk=strange.pk).update(kind="newer")
    step = step_of(application, queued=True, state_since=ago(minutes=1))
    sweeper.once()
    assert broker.dispatched == [step.pk]
    assert health.check().steps["newer"] == {"queued": 1}


def test_rows_from_a_newer_release_are_not_run_without_a_broker(application: Any) -> None:
    strange = step_of(application, queued=True, state_since=ago(minutes=2))
    Step.objects.filter(pk=strange.pk).update(kind="newer")
    assert strange.pk not in sweeper_module.due()
    assert strange.pk not in sweeper_module.forgotten()


def test_mail_past_the_point_of_no_return_is_not_retried_when_its_lease_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker that wakes between the sweeper's read and its write has sent the mail."""
    mail = StepFactory(kind=MAIL_HR, started=True, lease_until=ago(seconds=1))

    def wakes_first(*args: Any, **kwargs: Any) -> bool:
        Step.objects.filter(pk=mail.pk).update(phase="data")
        return move(*args, **kwargs)

    monkeypatch.setattr(sweeper_module, "move", wakes_first)
    sweeper_module.release_expired_leases()
    mail.refresh_from_db()
    assert (mail.state, mail.phase) == ("started", "data")
    monkeypatch.undo()
    sweeper_module.release_expired_leases()
    mail.refresh_from_db()
    assert mail.state == "uncertain"
