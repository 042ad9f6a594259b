"""Numbers, polls and old history, exact and without reading whole tables."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import TruncHour
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from careers.applications.models import Application
from careers.backoffice import paging
from careers.operations import sweeper, tally, thinning
from careers.operations.models import FinishedWork
from careers.pipeline.kinds import ARCHIVE, MAIL_HR, MAIL_OPERATORS
from careers.pipeline.models import Alert, Step, StepEvent
from careers.pipeline.states import State
from careers.pipeline.transitions import db_now, move
from tests.support.factories import AlertFactory, ApplicationFactory, StepFactory

#: The tables that grow with the applications.
LARGE = ("careers_application", "careers_step", "careers_stepevent")


@pytest.fixture
def ended(db: None) -> dict[str, Step]:
    """Steps that ended at various moments, and some that have not."""
    now = db_now()

    def step(hours: float, **facts: Any) -> Step:
        at = now - dt.timedelta(hours=hours)
        made: Step = StepFactory(
            application=application, ended_at=at, state_since=at, events=False, **facts
        )
        return made

    application = ApplicationFactory(received_at=now - dt.timedelta(days=40))
    return {
        "old": step(900, kind=ARCHIVE, succeeded=True),
        "day": step(23.9, kind=MAIL_HR, recipient="a@example.com", succeeded=True),
        "hour": step(1.5, kind=MAIL_HR, recipient="b@example.com", succeeded=True),
        "now": step(0, kind=MAIL_HR, recipient="c@example.com", succeeded=True),
        "cancelled": step(30, kind=MAIL_HR, recipient="d@example.com", cancelled=True),
        "failed": step(30, kind=MAIL_HR, recipient="e@example.com", failed=True),
    }


def numbers() -> tuple[Any, ...]:
    found = tally.read(db_now())
    return found.applications, found.steps, found.needs_attention, found.done_last_day


EXPECTED = (
    1,
    {ARCHIVE: {"succeeded": 1}, MAIL_HR: {"succeeded": 3, "cancelled": 1, "failed": 1}},
    1,
    3,
)


def test_numbers_are_the_same_before_and_after_counting(ended: dict[str, Step]) -> None:
    assert numbers() == EXPECTED
    tally.fold()
    assert numbers() == EXPECTED
    stored = FinishedWork.objects.get()
    assert stored.steps == {ARCHIVE: {"succeeded": 1}, MAIL_HR: {"succeeded": 2, "cancelled": 1}}
    tally.fold(anew=True)
    assert numbers() == EXPECTED


def test_steps_that_end_after_counting_are_added(ended: dict[str, Step]) -> None:
    tally.fold()
    step = StepFactory(queued=True, application=ended["old"].application, kind="scan")
    move(step.pk, State.STARTED, leaving=[State.QUEUED], actor="worker:1")
    move(step.pk, State.SUCCEEDED, leaving=[State.STARTED], actor="worker:1")
    applications, steps, _attention, done = numbers()
    assert (applications, steps["scan"], done) == (1, {"succeeded": 1}, 4)


def test_rows_with_older_moments_than_were_counted_are_added(ended: dict[str, Step]) -> None:
    tally.fold()
    at = db_now() - dt.timedelta(hours=5)
    application = ApplicationFactory(received_at=at)
    StepFactory(application=application, succeeded=True, ended_at=at, events=False)
    for _counting in range(2):
        applications, steps, _attention, done = numbers()
        assert (applications, steps[ARCHIVE]["succeeded"], done) == (2, 2, 4)
        FinishedWork.objects.update(until=db_now() - dt.timedelta(minutes=30))
        tally.fold()


@pytest.mark.django_db(transaction=True)
def test_deleted_applications_are_not_counted(job: Any) -> None:
    StepFactory(application__page=job, succeeded=True, ended_at=db_now() - dt.timedelta(days=2))
    tally.fold()
    Application.objects.all().delete()
    assert numbers() == (0, {}, 0, 0)


def test_application_that_is_deleted_during_a_count_is_not_counted(
    ended: dict[str, Step],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    # Nothing is counted yet, as after another deletion.
    FinishedWork.objects.create(pk=1)

    def hour_of(*args: Any, **facts: Any) -> TruncHour:
        """The steps are counted and not yet stored."""
        with django_capture_on_commit_callbacks(execute=True):
            Application.objects.all().delete()
        return TruncHour(*args, **facts)

    with monkeypatch.context() as patched:
        patched.setattr(tally, "TruncHour", hour_of)
        tally.fold()
    assert numbers() == (0, {}, 0, 0)
    tally.fold()
    assert numbers() == (0, {}, 0, 0)


def test_only_the_deletion_of_counted_rows_drops_the_counts(
    ended: dict[str, Step], django_capture_on_commit_callbacks: Any
) -> None:
    tally.fold()
    unmailed, mailed = AlertFactory(key="one", code="a"), AlertFactory(key="two", code="b")
    StepFactory(application=None, alert=mailed, kind=MAIL_OPERATORS, succeeded=True)
    with django_capture_on_commit_callbacks(execute=True):
        unmailed.delete()
    assert FinishedWork.objects.get().until
    with django_capture_on_commit_callbacks(execute=True):
        mailed.delete()
    assert FinishedWork.objects.get().until is None


@pytest.mark.django_db(transaction=True)
def test_count_opens_no_transaction() -> None:
    """It would be the only one that may write, in SQLite."""
    FinishedWork.objects.create(pk=1)
    with CaptureQueriesContext(connection) as statements:
        tally.fold()
    assert FinishedWork.objects.get().until
    assert not any(one["sql"].startswith(("BEGIN", "SAVEPOINT")) for one in statements)


def test_numbers_from_the_future_are_counted_again(ended: dict[str, Step]) -> None:
    tally.fold()
    FinishedWork.objects.update(until=db_now() + dt.timedelta(days=365))
    assert numbers() == EXPECTED
    tally.fold()
    assert FinishedWork.objects.get().until < db_now()
    assert numbers() == EXPECTED


def test_numbers_take_three_statements(
    ended: dict[str, Step], django_assert_num_queries: Any
) -> None:
    now = db_now()
    with django_assert_num_queries(3):
        tally.read(now)


@pytest.mark.parametrize("work", ["numbers", "sweeper", "claim"])
def test_polled_statements_use_indexes(ended: dict[str, Step], work: str) -> None:
    """Where the planner may not read a whole table, it finds an index for each condition."""
    if connection.vendor != "postgresql":
        pytest.skip("the plans of PostgreSQL")
    tally.fold()
    with CaptureQueriesContext(connection) as statements:
        if work == "numbers":
            tally.read(db_now())
        elif work == "claim":
            sweeper.due()
        else:
            sweeper.set_back_future_times()
            sweeper.release_expired_leases()
            sweeper.forgotten()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for one in statements:
            if not one["sql"].startswith(("SELECT", "(SELECT")):
                continue
            cursor.execute("EXPLAIN " + one["sql"].replace("%", "%%"))
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert not any(f"Seq Scan on {table}" in plan for table in LARGE), plan


# ── Pages ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ordering", ["-received_at", "received_at", "name", "-review_stage"])
def test_pages_by_key_show_each_row_once(db: None, ordering: str) -> None:
    at, page = timezone.now(), None
    for number in range(7):
        made = ApplicationFactory(
            name=f"Name {number % 3}",
            review_stage=("new", "offer")[number % 2],
            received_at=at - dt.timedelta(hours=number // 2),
            **({"page": page} if page else {}),
        )
        page = made.page
    order = paging.directions(ordering, "received_at")
    rows = Application.objects.order_by(*order)
    expected = list(rows.values_list("pk", flat=True))
    seen: list[int] = []
    some = list(rows[:2])
    while some:
        seen += [row.pk for row in some]
        row = {name: getattr(some[-1], name) for name in (column.lstrip("-") for column in order)}
        some = list(rows.filter(paging.after(order, row))[:2])
    assert seen == expected


def test_count_stops_after_the_most(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST", 2)
    page = ApplicationFactory().page
    assert paging.number_of(paging.counted(Application.objects.all())) == "1"
    for _number in range(4):
        ApplicationFactory(page=page)
    assert paging.counted(Application.objects.all()) == 3
    assert paging.number_of(3) == "2+"


# ── Old history ─────────────────────────────────────────────────────────────────────────


def test_history_is_kept_without_the_setting(ended: dict[str, Step]) -> None:
    StepFactory(succeeded=True, application=ended["old"].application, kind="scan")
    before = StepEvent.objects.count()
    thinning.run()
    assert StepEvent.objects.count() == before


def test_old_history_of_finished_applications_is_deleted(db: None, settings: Any) -> None:
    settings.KEEP_HISTORY_DAYS = 1  # the shortest time is 30 days
    old, recent = (timezone.now() - dt.timedelta(days=days) for days in (50, 20))
    done, unfinished, new = (
        ApplicationFactory(received_at=at) for at in (old, old - dt.timedelta(days=1), recent)
    )
    for application in (done, unfinished, new):
        StepFactory(application=application, kind=ARCHIVE, succeeded=True)
    StepFactory(application=unfinished, kind=MAIL_HR, failed=True)
    with_error = StepFactory(
        application=done, kind=MAIL_HR, succeeded=True, failing_since=old, error_code=""
    )
    by_person = done.steps.first().events.first()
    StepEvent.objects.filter(pk=by_person.pk).update(actor="user:1")
    closed = AlertFactory(created_at=old, closed_at=old)
    AlertFactory(created_at=old, key="open")
    thinning.run()
    kept = {
        application.pk: StepEvent.objects.filter(step__application=application, step__kind=ARCHIVE)
        for application in (done, unfinished, new)
    }
    assert [event.actor for event in kept[done.pk]] == ["user:1", "worker:1a2b3c4d"]
    assert [kept[one.pk].count() for one in (unfinished, new)] == [5, 5]
    assert with_error.events.count() == 5
    assert not Alert.objects.filter(pk=closed.pk).exists()
    assert (Alert.objects.count(), Step.objects.count()) == (1, 5)


@pytest.mark.parametrize("error", ["retrying", "failed", "uncertain", "traceback", "attempts"])
def test_history_of_errors_is_kept_longer(db: None, settings: Any, error: str) -> None:
    settings.KEEP_HISTORY_DAYS = 30
    old = timezone.now() - dt.timedelta(days=50)
    step = StepFactory(
        application=ApplicationFactory(received_at=old),
        kind=ARCHIVE,
        succeeded=True,
        ended_at=old,
        **({"attempts": 2} if error == "attempts" else {}),
    )
    second = step.events.all()[1]
    if error == "traceback":
        second.traceback = "Traceback"
    elif error != "attempts":
        second.to_state = error
    second.save()
    before = step.events.count()
    thinning.run()
    assert step.events.count() == before
    very_old = timezone.now() - dt.timedelta(days=121)
    Step.objects.update(ended_at=very_old)
    thinning.run()
    assert step.events.count() == 1


@pytest.mark.parametrize("actor", ["user:1", "operator", "applicant"])
def test_what_a_person_did_is_kept(db: None, settings: Any, actor: str) -> None:
    settings.KEEP_HISTORY_DAYS = 30
    old = timezone.now() - dt.timedelta(days=500)
    application = ApplicationFactory(received_at=old)
    step = StepFactory(application=application, kind=ARCHIVE, succeeded=True, ended_at=old)
    StepEvent.objects.filter(pk=step.events.all()[0].pk).update(actor=actor)
    thinning.run()
    assert [event.actor for event in step.events.all()] == [actor, "worker:1a2b3c4d"]
