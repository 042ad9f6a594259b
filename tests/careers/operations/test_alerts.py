"""Which problems are mailed to operators, when, and when they are resolved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, connection, transaction
from django.db.models import Value
from django.db.models.functions import Concat
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.models import Site

from careers import notifications
from careers.backoffice.presentation import alert_title
from careers.operations import alerts
from careers.operations.models import Heartbeat
from careers.operations.words import clock
from careers.pipeline.actions import cancel, retry
from careers.pipeline.enqueue import create_mails
from careers.pipeline.kinds import ARCHIVE, MAIL_HR
from careers.pipeline.models import Alert, AlertKind, Step, StepEvent
from careers.pipeline.runner import run
from careers.pipeline.states import CLAIMABLE, ErrorClass, State
from careers.pipeline.transitions import move
from home.models import SiteSettings
from tests.support import people
from tests.support.broker import Broker
from tests.support.factories import (
    AlertFactory,
    ApplicationFactory,
    HeartbeatFactory,
    StepFactory,
)

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[dt.datetime], None]:
    """Sets the clock of the alerts."""

    def set_clock(moment: dt.datetime) -> None:
        monkeypatch.setattr(alerts, "db_now", lambda: moment)

    return set_clock


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch, at: Any, home: Any) -> Callable[..., None]:
    """``wrong(minutes, *codes)``: a check so many minutes past noon that finds these problems."""
    SiteSettings.objects.update(operators="Ops@example.com\nsecond@example.com")

    def check(minutes: float, *codes: str) -> None:
        found = [alerts.Problem(code, f"{code} is wrong.", "Mend it.", "/x/") for code in codes]
        monkeypatch.setattr(alerts, "current_problems", lambda: found)
        at(NOON + dt.timedelta(minutes=minutes))
        alerts.update_alerts("sweeper")

    return check


def mailed() -> list[str]:
    """The kind of each alert that has mails, in order, with how many."""
    sent = Alert.objects.exclude(steps=None).order_by("pk")
    return [f"{alert.kind} {alert.steps.count()}" for alert in sent]


def alive() -> None:
    HeartbeatFactory()
    HeartbeatFactory(sweeper=True)
    HeartbeatFactory(scheduler=True)


# ── Problems ──────────────────────────────────────────────────────────────────────────────


def test_problem_that_lasts_is_mailed_once_and_again_when_resolved(wrong: Any) -> None:
    wrong(0, "broker")
    wrong(1.9, "broker")
    assert mailed() == []
    wrong(2, "broker")
    wrong(300, "broker")
    assert mailed() == ["alert 2"]
    wrong(301)
    wrong(302)
    assert mailed() == ["alert 2", "recovered 2"]
    alert, end = Alert.objects.order_by("pk")
    assert alert.facts["since"] == NOON.isoformat()
    assert (end.facts["message"], end.facts["until"]) == (
        "broker is wrong.",
        (NOON + dt.timedelta(minutes=301)).isoformat(),
    )


@pytest.mark.parametrize("state", [State.STARTED, State.RETRYING])
def test_words_of_a_mail_stay_the_same_while_it_may_have_been_sent(
    wrong: Any, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """A provider refuses another text under the idempotency key of the first attempt."""
    now = "broker is wrong."

    def problems() -> list[alerts.Problem]:
        return [alerts.Problem("broker", now, "Mend it.", "/x/")]

    wrong(0, "broker")
    wrong(2, "broker")
    monkeypatch.setattr(alerts, "current_problems", problems)
    Step.objects.update(state=state, repeat_until=NOON if state == State.RETRYING else None)
    now = "broker is wrong for an hour."
    alerts.update_alerts("sweeper")
    assert Alert.objects.get().facts["message"] == "broker is wrong."
    Step.objects.update(state=State.SUCCEEDED, repeat_until=None)
    alerts.update_alerts("sweeper")
    assert Alert.objects.get().facts["message"] == now


def test_short_problem_leaves_no_alert(wrong: Any) -> None:
    wrong(0, "broker")
    wrong(1)
    assert Alert.objects.count() == 0


def test_problem_that_returns_after_resolved_is_mailed_again(wrong: Any) -> None:
    wrong(0, "broker")
    wrong(2, "broker")
    wrong(3)
    wrong(4, "broker")
    wrong(6, "broker")
    assert mailed() == ["alert 2", "recovered 2", "alert 2"]


def test_recurring_problem_is_reported_as_resolved_once_an_hour(wrong: Any) -> None:
    for minute in range(0, 60, 4):
        wrong(minute, "broker")
        wrong(minute + 2, "broker")
        wrong(minute + 3)
    assert mailed() == ["alert 2", "recovered 2", "alert 2"]
    wrong(62.9)
    assert mailed() == ["alert 2", "recovered 2", "alert 2"]
    wrong(63)
    wrong(64)
    assert mailed() == ["alert 2", "recovered 2", "alert 2", "recovered 2"]


def test_short_problem_after_resolved_leaves_no_alert(wrong: Any) -> None:
    wrong(0, "broker")
    wrong(2, "broker")
    wrong(3)
    wrong(4, "broker")
    wrong(5)
    assert Alert.objects.filter(closed_at=None, kind=AlertKind.PROBLEM).count() == 0
    assert mailed() == ["alert 2", "recovered 2"]


def test_open_alert_has_the_numbers_of_now(wrong: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong(0, "broker")
    wrong(2, "broker")
    now = alerts.Problem("broker", "620 steps wait.", "Mend it.", "/x/")
    monkeypatch.setattr(alerts, "current_problems", lambda: [now])
    alerts.update_alerts("sweeper")
    alert = Alert.objects.get()
    assert (alert.facts["message"], alert.steps.count()) == ("620 steps wait.", 2)
    wrong(10)
    closed = Alert.objects.get(pk=alert.pk)
    assert alert_title(closed) == f"Problem until {clock(closed.closed_at)}: 620 steps wait."


def test_two_problems_are_two_alerts(wrong: Any) -> None:
    wrong(0, "broker", "no-worker")
    wrong(3, "broker", "no-worker")
    assert mailed() == ["alert 2", "alert 2"]
    wrong(4, "broker")
    assert mailed() == ["alert 2", "alert 2", "recovered 2"]


def test_second_process_at_the_same_moment_opens_no_alert(wrong: Any, at: Any) -> None:
    wrong(0, "broker")
    problem = alerts.Problem("broker", "x", "y", "/x/")
    # Another sweeper has read the table before the first one writes.
    assert alerts._open(problem, NOON) is None
    assert alerts._open(problem, NOON + dt.timedelta(seconds=7)) is None
    assert Alert.objects.count() == 1


def test_second_process_that_mails_or_closes_changes_nothing(wrong: Any) -> None:
    wrong(0, "broker")
    stale = Alert.objects.get()
    wrong(2, "broker")
    problem = alerts.Problem("broker", "x", "y", "/x/")
    alerts._mail_problem(stale, problem, NOON, "sweeper")
    assert mailed() == ["alert 2"]
    sent = Alert.objects.get()
    wrong(3)
    alerts._close(sent, NOON, "sweeper")
    assert mailed() == ["alert 2", "recovered 2"]


def test_mails_of_an_alert_are_dispatched(
    wrong: Any, broker: Broker, django_capture_on_commit_callbacks: Any
) -> None:
    wrong(0, "broker")
    with django_capture_on_commit_callbacks(execute=True):
        wrong(2, "broker")
    assert [message[0] for message in broker.messages] == ["careers.mail_operators"] * 2
    assert list(Step.objects.values_list("recipient", "state")) == [
        ("ops@example.com", "sent"),
        ("second@example.com", "sent"),
    ]


def test_step_that_needs_attention_is_mailed_at_once_by_cause(application: Any, at: Any) -> None:
    people.ada()
    alive()
    StepFactory(application=application, kind=MAIL_HR, failed=True)
    StepFactory(application=application, kind=ARCHIVE, failed=True)
    StepFactory(application=ApplicationFactory(page=application.page), failed=True)
    now = timezone.now()
    at(now)
    alerts.update_alerts("sweeper")
    assert sorted(Alert.objects.values_list("code", "facts__message", "facts__path")) == [
        (
            "needs-attention.archive.ValueError",
            "Archive: 2 steps need attention.",
            "/admin/tasks/?state=attention&kind=archive",
        ),
        (
            "needs-attention.mail_hr.ValueError",
            "Mail to HR: 1 step needs attention.",
            "/admin/tasks/?state=attention&kind=mail_hr",
        ),
    ]
    assert mailed() == ["alert 1", "alert 1"]
    # Another step with the same cause is no new problem.
    StepFactory(application=ApplicationFactory(page=application.page), failed=True)
    at(now + dt.timedelta(hours=5))
    alerts.update_alerts("sweeper")
    assert mailed() == ["alert 1", "alert 1"]


@pytest.fixture
def ada(home: Any) -> User:
    """The recipient of the alerts, who also retries; the site has no other problem."""
    alive()
    return people.ada()


def now_is(step: Step, state: State, cause: str = "") -> None:
    """Set the result of the next attempt."""
    words = {"error_code": cause, "error_class": ErrorClass.TRANSIENT if cause else ""}
    if state != State.STARTED:
        move(step.pk, State.STARTED, leaving=CLAIMABLE, actor="worker:1")
        move(step.pk, state, leaving=[State.STARTED], actor="worker:1", **words)
    else:
        move(step.pk, state, leaving=CLAIMABLE, actor="worker:1")


def test_retried_step_is_resolved_only_when_it_succeeds(ada: User) -> None:
    step = StepFactory(failed=True)
    alerts.update_alerts("sweeper")
    assert mailed() == ["alert 1"]
    assert retry(step, ada)
    alerts.update_alerts("sweeper")
    # Meanwhile it may fail for another cause.
    now_is(step, State.RETRYING, "archive-unavailable")
    alerts.update_alerts("sweeper")
    now_is(step, State.STARTED)
    alerts.update_alerts("sweeper")
    assert mailed() == ["alert 1"]
    move(step.pk, State.SUCCEEDED, leaving=[State.STARTED], actor="worker:1", error_code="")
    alerts.update_alerts("sweeper")
    alerts.update_alerts("sweeper")
    assert mailed() == ["alert 1", "recovered 1"]


def test_step_that_fails_again_keeps_its_alert(ada: User) -> None:
    step = StepFactory(failed=True)
    alerts.update_alerts("sweeper")
    assert retry(step, ada)
    alerts.update_alerts("sweeper")
    now_is(step, State.FAILED, "ValueError")
    alerts.update_alerts("sweeper")
    assert mailed() == ["alert 1"]
    assert Alert.objects.get(kind=AlertKind.PROBLEM).closed_at is None


def test_step_that_fails_for_another_cause_is_mailed_at_once(ada: User) -> None:
    step = StepFactory(failed=True)
    alerts.update_alerts("sweeper")
    assert retry(step, ada)
    alerts.update_alerts("sweeper")
    now_is(step, State.FAILED, "archive-full")
    alerts.update_alerts("sweeper")
    # The first problem is not resolved either: its step is not done.
    assert mailed() == ["alert 1", "alert 1"]
    assert list(Alert.objects.order_by("pk").values_list("code", "closed_at")) == [
        ("needs-attention.archive.ValueError", None),
        ("needs-attention.archive.archive-full", None),
    ]
    assert cancel(step, ada)
    alerts.update_alerts("sweeper")
    assert mailed() == ["alert 1", "alert 1", "recovered 1", "recovered 1"]


def test_step_that_fails_soon_after_resolved_is_mailed_at_once(ada: User) -> None:
    step = StepFactory(failed=True)
    alerts.update_alerts("sweeper")
    assert retry(step, ada)
    now_is(step, State.SUCCEEDED)
    alerts.update_alerts("sweeper")
    StepFactory(failed=True)
    # Two in one second would be the same alert.
    Alert.objects.update(key=Concat("key", Value(" before")))
    alerts.update_alerts("sweeper")
    assert mailed() == ["alert 1", "recovered 1", "alert 1"]


def test_configuration_error_is_not_resolved_while_the_step_runs(ada: User) -> None:
    step = StepFactory(misconfigured=True, run_after=None)
    alerts.update_alerts("sweeper")
    now_is(step, State.STARTED)
    alerts.update_alerts("sweeper")
    assert mailed() == ["alert 1"]


def test_alert_is_closed_although_other_steps_are_under_way(ada: User) -> None:
    step = StepFactory(failed=True)
    StepFactory(retrying=True)
    StepFactory(started=True)
    now_is(StepFactory(queued=True), State.FAILED, "archive-full")
    StepFactory(kind=MAIL_HR, retrying=True, error_code="ValueError")
    alerts.update_alerts("sweeper")
    earlier = mailed()
    assert cancel(step, ada)
    alerts.update_alerts("sweeper")
    assert mailed() == [*earlier, "recovered 1"]


def test_check_of_a_retried_step_takes_one_more_query(
    ada: User, django_assert_num_queries: Any
) -> None:
    step = StepFactory(failed=True)
    alerts.update_alerts("sweeper")
    with CaptureQueriesContext(connection) as before:
        alerts.update_alerts("sweeper")
    assert retry(step, ada)
    with django_assert_num_queries(len(before) + 1):
        alerts.update_alerts("sweeper")


@pytest.mark.parametrize("trait", ["failed", "misconfigured"])
def test_failed_mail_to_operators_causes_no_other_mail(db: None, trait: str) -> None:
    people.ada()
    alive()
    StepFactory(to_operators=True, **{trait: True})
    before = Alert.objects.count()
    alerts.update_alerts("sweeper")
    assert [problem.code for problem in alerts.current_problems()] == []
    # A problem that could not be mailed is closed all the same.
    assert Alert.objects.filter(kind=AlertKind.PROBLEM).count() == before


def test_advice_is_not_mailed(home: Any) -> None:
    alive()
    assert alerts.current_problems() == []
    Heartbeat.objects.all().delete()
    assert "no-worker" in [problem.code for problem in alerts.current_problems()]


# ── Recipients ──────────────────────────────────────────────────────────────────────────


def test_administrators_are_mailed_without_named_operators(home: Any) -> None:
    people.ada()
    people.otto()
    assert SiteSettings.operator_addresses() == ["ada@example.com"]
    SiteSettings.objects.update(operators="Ops@example.com, ops@example.com")
    assert SiteSettings.operator_addresses() == ["ops@example.com"]


@pytest.mark.parametrize("change", [{"is_active": False}, {"email": ""}])
def test_alert_without_any_address_makes_no_mail(db: None, change: dict[str, Any]) -> None:
    Site.objects.all().delete()
    ada = people.ada()
    for name, value in change.items():
        setattr(ada, name, value)
    ada.save()
    assert SiteSettings.operator_addresses() == []


# ── Summary ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def digest(at: Any) -> Callable[[str], Alert | None]:
    """Creates the summary at a time of 22 November in UTC; the company is in Oslo (UTC+1)."""

    def ask(time: str) -> Alert | None:
        at(dt.datetime.fromisoformat(f"2026-11-22T{time}:00+00:00"))
        alerts.daily_digest("worker:1")
        return Alert.objects.filter(kind=AlertKind.SUMMARY).first()

    return ask


def test_summary_is_sent_once_in_the_companys_morning(home: Any, digest: Any) -> None:
    people.ada()
    assert digest("05:59") is None
    alert = digest("06:00")
    assert alert.key == "digest.20261121"
    digest("06:05")
    digest("15:05")
    assert mailed() == ["digest 1"]


def test_summary_is_not_sent_when_turned_off(home: Any, digest: Any) -> None:
    SiteSettings.objects.update(daily_digest=False)
    assert digest("12:00") is None


def test_summary_counts_yesterday_in_the_companys_zone(job: Any, digest: Any) -> None:
    people.ada()
    alive()
    for moment, more in (
        ("2026-11-20T22:59:59+00:00", {}),
        ("2026-11-20T23:00:00+00:00", {}),
        ("2026-11-21T22:59:59+00:00", {"in_quarantine": True}),
        ("2026-11-21T12:00:00+00:00", {"test": True}),
        ("2026-11-21T23:00:00+00:00", {}),
    ):
        received = dt.datetime.fromisoformat(moment)
        application = ApplicationFactory(page=job, received_at=received, **more)
        StepFactory(application=application, succeeded=True, state_since=received)
    StepFactory(
        application=application,
        kind=MAIL_HR,
        failed=True,
        state_since=dt.datetime.fromisoformat("2026-11-21T12:00:00+00:00"),
    )
    facts = digest("12:00").facts
    assert facts["jobs"] == [["Gauge keeper", 2]]
    assert facts["held_back"] == 1
    assert facts["steps"] == [
        ["Make the PDF", 0, 0],
        ["Archive", 3, 0],
        ["Receipt to the applicant", 0, 0],
        ["Mail to HR", 0, 1],
        ["Mail to operators", 0, 0],
    ]
    assert facts["attention"] == [
        {
            "step": "Mail to HR",
            "count": 1,
            "cause": "An unexpected error occurred (ValueError).",
            "path": "/admin/tasks/?state=attention&kind=mail_hr",
        }
    ]
    assert application.name not in str(facts)


def test_summary_lists_mails_reported_as_bounced_that_day(job: Any, digest: Any) -> None:
    people.ada()
    alive()
    application = ApplicationFactory(page=job)

    def bounced(heard: str, recipient: str, **more: Any) -> None:
        at = dt.datetime.fromisoformat(heard)
        step = StepFactory(
            application=application,
            kind=MAIL_HR,
            recipient=recipient,
            succeeded=True,
            events=False,
            # Providers report late.
            bounced_at=at - dt.timedelta(hours=9),
            bounce_reason="There is no such mailbox.",
            **more,
        )
        StepEvent.objects.create(
            step=step,
            at=at,
            from_state=State.SUCCEEDED,
            to_state=State.SUCCEEDED,
            attempt=1,
            actor="provider",
            reason=step.bounce_reason,
        )

    bounced("2026-11-20T22:59:59Z", "the-day-before@example.com")
    bounced("2026-11-20T23:00:00Z", "gone@example.com")
    bounced("2026-11-21T12:00:00Z", "sent-again@example.com", result={"instead": 1})
    bounced("2026-11-21T23:00:00Z", "today@example.com")
    assert digest("12:00").facts["attention"] == [
        {
            "step": "Mail to HR, bounced",
            "count": 1,
            "cause": "There is no such mailbox.",
            "path": "/admin/tasks/?state=came-back&kind=mail_hr",
        }
    ]


@pytest.mark.parametrize(
    ("day", "first", "after"),
    [
        ("2027-03-28", "2027-03-27T23:00:00Z", "2027-03-28T22:00:00Z"),
        ("2027-10-31", "2027-10-30T22:00:00Z", "2027-10-31T23:00:00Z"),
        ("2028-02-29", "2028-02-28T23:00:00Z", "2028-02-29T23:00:00Z"),
    ],
    ids=["of 23 hours", "of 25 hours", "leap day"],
)
def test_summary_of_a_day_with_a_clock_change_counts_from_midnight_to_midnight(
    job: Any, at: Any, day: str, first: str, after: str
) -> None:
    begin, end = dt.datetime.fromisoformat(first), dt.datetime.fromisoformat(after)
    second = dt.timedelta(seconds=1)
    for moment in (begin - second, begin, end - second, end):
        ApplicationFactory(page=job, received_at=moment)
    at(end + dt.timedelta(hours=12))
    alerts.daily_digest("worker:1")
    alert = Alert.objects.get(kind=AlertKind.SUMMARY)
    assert (alert.facts["date"], alert.facts["jobs"]) == (day, [["Gauge keeper", 2]])


# ── The step ────────────────────────────────────────────────────────────────────────────


def test_mail_to_operators_is_a_step(home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[EmailMultiAlternatives] = []

    def deliver(message: EmailMultiAlternatives, before_send: Any) -> notifications.Delivery:
        before_send()
        sent.append(message)
        return notifications.Delivery(str(message.extra_headers["Message-ID"]), "250 ok")

    monkeypatch.setattr(notifications, "deliver", deliver)
    step = StepFactory(to_operators=True, queued=True)
    assert run(step.pk, owner="worker:1", kind="mail_operators") == []
    step.refresh_from_db()
    assert (step.state, sent[0].to) == (State.SUCCEEDED, ["ops@example.com"])
    assert sent[0].subject.startswith("Problem: No worker is running. ")
    assert sent[0].from_email.startswith("Tidewater Instruments <")


def test_step_belongs_to_an_application_or_an_alert(application: Any) -> None:
    for about in ({}, {"application": application, "alert": AlertFactory()}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Step.objects.create(
                kind="archive",
                state="queued",
                state_since=NOON,
                created_at=NOON,
                **about,
            )


def test_operator_gets_one_mail_for_each_alert(db: None) -> None:
    alert = AlertFactory()
    create_mails(alert, ["ops@example.com"], at=NOON, actor="sweeper")
    with pytest.raises(IntegrityError):
        create_mails(alert, ["ops@example.com"], at=NOON, actor="sweeper")
