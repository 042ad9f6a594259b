"""What a person may do to a step, and what he may not."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from careers.applications.models import Application
from careers.pipeline import actions
from careers.pipeline.models import Step, StepEvent, StepKind
from careers.pipeline.runner import run
from careers.pipeline.states import Phase, State
from tests.support import people
from tests.support.applying import apply_for
from tests.support.broker import Broker
from tests.support.factories import StepFactory

pytestmark = pytest.mark.django_db

ACTS = [actions.retry, actions.confirm_arrival, actions.send_again, actions.cancel]


@pytest.fixture
def otto(db: None) -> Any:
    return people.otto()


def step_of(application: Any, **more: Any) -> Step:
    return StepFactory(**{"application": application, "events": False} | more)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("who", ["bob", "hanna", "charlie"])
def test_nobody_acts_without_the_permission(
    application: Any, job_index: Any, act: Any, who: str
) -> None:
    user = people.charlie() if who == "charlie" else getattr(people, who)(job_index)
    step = step_of(application, failed=True)
    with pytest.raises(PermissionDenied):
        act(step, user)
    step.refresh_from_db()
    assert step.state == State.FAILED
    assert StepEvent.objects.count() == 0


def test_release_without_the_permission_is_refused(application: Any, job_index: Any) -> None:
    Application.objects.update(quarantined=True)
    application.refresh_from_db()
    with pytest.raises(PermissionDenied):
        actions.release_from_quarantine(application, people.hanna(job_index))
    application.refresh_from_db()
    assert application.quarantined is True


# ── Retry ───────────────────────────────────────────────────────────────────────────────


def test_retry_of_a_failed_step_counts_afresh_and_rings(
    application: Any, otto: Any, broker: Broker, django_capture_on_commit_callbacks: Any
) -> None:
    step = step_of(application, failed=True)
    with django_capture_on_commit_callbacks(execute=True):
        assert actions.retry(step, otto, "The mailbox works again.") is True
    step.refresh_from_db()
    assert (step.state, step.attempts, step.failing_since) == (State.SENT, 0, None)
    first = step.events.get(to_state=State.QUEUED)
    assert (first.actor, first.reason) == (f"user:{otto.pk}", "The mailbox works again.")
    assert broker.dispatched == [step.pk]


def test_retry_twice_is_one_retry(
    application: Any, otto: Any, broker: Broker, django_capture_on_commit_callbacks: Any
) -> None:
    step = step_of(application, failed=True)
    with django_capture_on_commit_callbacks(execute=True):
        assert [actions.retry(step, otto), actions.retry(step, otto)] == [True, False]
    assert broker.dispatched == [step.pk]
    assert step.events.filter(to_state=State.QUEUED).count() == 1


def test_retry_of_a_waiting_attempt_makes_it_due_now(
    application: Any, otto: Any, broker: Broker, django_capture_on_commit_callbacks: Any
) -> None:
    step = step_of(application, misconfigured=True)
    with django_capture_on_commit_callbacks(execute=True):
        assert actions.retry(step, otto) is True
    step.refresh_from_db()
    assert (step.state, step.attempts) == (State.SENT, 0)
    assert step.run_after <= timezone.now()
    assert broker.dispatched == [step.pk]


@pytest.mark.parametrize(
    "state", ["waiting", "queued", "sent", "started", "succeeded", "uncertain", "cancelled"]
)
def test_retry_in_any_other_state_changes_nothing(application: Any, otto: Any, state: str) -> None:
    step = step_of(application, state=state)
    assert actions.retry(step, otto) is False
    assert StepEvent.objects.count() == 0


def test_retry_with_the_broker_down_is_found_by_the_sweeper(
    application: Any, otto: Any, broker: Broker, django_capture_on_commit_callbacks: Any
) -> None:
    broker.refuses = True
    step = step_of(application, failed=True)
    with django_capture_on_commit_callbacks(execute=True):
        actions.retry(step, otto)
    step.refresh_from_db()
    assert step.state == State.QUEUED


# ── Unconfirmed mails ───────────────────────────────────────────────────────────────────


def test_confirmed_arrival_ends_the_step(application: Any, otto: Any) -> None:
    step = step_of(application, uncertain=True)
    assert actions.confirm_arrival(step, otto) is True
    assert actions.confirm_arrival(step, otto) is False
    step.refresh_from_db()
    assert (step.state, step.phase) == (State.SUCCEEDED, Phase.NONE)
    assert step.events.get().reason == "Confirmed: it arrived."


def test_sent_again_is_a_new_step_with_the_next_number(
    application: Any, otto: Any, broker: Broker, django_capture_on_commit_callbacks: Any
) -> None:
    step = step_of(application, uncertain=True)
    with django_capture_on_commit_callbacks(execute=True):
        again = actions.send_again(step, otto)
        assert actions.send_again(step, otto) is None
    step.refresh_from_db()
    assert step.state == State.CANCELLED
    assert (again.kind, again.recipient, again.sequence) == (step.kind, step.recipient, 1)
    assert broker.dispatched == [again.pk]
    assert Step.objects.filter(application=application).count() == 2


def test_mail_to_hr_that_was_sent_again_goes_nowhere_else_besides(
    application: Any, otto: Any
) -> None:
    step = step_of(application, kind="mail_hr", recipient="old@example.com", uncertain=True)
    again = actions.send_again(step, otto)
    assert again is not None
    step.refresh_from_db()
    assert (step.state, step.result) == (State.CANCELLED, {"instead": again.pk})
    assert actions.may_be_readdressed(step) is False
    assert actions.send_to(step, "new@example.com", otto) is None
    assert Step.objects.filter(application=application).count() == 2


def test_mail_that_came_back_is_sent_again_once(application: Any, otto: Any) -> None:
    step = step_of(application, kind="mail_applicant", succeeded=True, bounced_at=timezone.now())
    again = actions.send_again(step, otto)
    assert again is not None
    assert (again.state, again.sequence) == (State.QUEUED, 1)
    assert actions.send_again(step, otto) is None
    step.refresh_from_db()
    # It was sent: that stays true.
    assert (step.state, step.result["instead"]) == (State.SUCCEEDED, again.pk)


def test_mail_to_hr_that_came_back_goes_to_another_address_once(
    application: Any, otto: Any
) -> None:
    step = step_of(application, kind="mail_hr", recipient="old@example.com", succeeded=True)
    assert actions.may_be_readdressed(step) is False
    assert actions.send_to(step, "new@example.com", otto) is None
    step.bounced_at = timezone.now()
    step.save()
    assert actions.may_be_readdressed(step) is True
    instead = actions.send_to(step, "new@example.com", otto)
    assert instead is not None
    assert instead.recipient == "new@example.com"
    step.refresh_from_db()
    assert (step.state, actions.may_be_readdressed(step)) == (State.SUCCEEDED, False)
    assert actions.send_to(step, "third@example.com", otto) is None


@pytest.mark.parametrize("state", [state for state in State if state != State.UNCERTAIN])
def test_only_unconfirmed_mails_are_confirmed_or_sent_again(
    application: Any, otto: Any, state: str
) -> None:
    step = step_of(application, kind="mail_applicant", state=state)
    assert actions.confirm_arrival(step, otto) is False
    assert actions.send_again(step, otto) is None
    assert StepEvent.objects.count() == 0


# ── Cancel ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "state", ["waiting", "queued", "sent", "started", "retrying", "failed", "uncertain"]
)
def test_cancel_stops_a_step_for_good(application: Any, otto: Any, state: str) -> None:
    step = step_of(application, state=state)
    assert actions.cancel(step, otto, "Not wanted.") is True
    assert actions.cancel(step, otto) is False
    step.refresh_from_db()
    assert step.state == State.CANCELLED
    assert run(step.pk, owner="worker:1") == []
    event = step.events.get()
    assert (event.actor, event.reason) == (f"user:{otto.pk}", "Not wanted.")


@pytest.mark.parametrize("state", ["succeeded", "cancelled"])
def test_cancel_of_what_is_over_changes_nothing(application: Any, otto: Any, state: str) -> None:
    assert actions.cancel(step_of(application, state=state), otto) is False
    assert StepEvent.objects.count() == 0


def test_mail_already_handed_over_can_not_be_cancelled(application: Any, otto: Any) -> None:
    step = step_of(application, kind="mail_applicant", started=True, phase=Phase.DATA)
    assert actions.cancel(step, otto) is False
    step.refresh_from_db()
    assert step.state == State.STARTED


#: What a mail's row holds that its provider may have sent, and is asked about again.
ASKED_AGAIN: dict[str, Any] = {
    "repeat_until": timezone.now() + dt.timedelta(hours=20),
    "repeat_with": "resend:1a2b",
}


@pytest.mark.parametrize("state", ["queued", "sent", "started", "retrying"])
def test_mail_that_its_provider_is_asked_about_again_can_not_be_cancelled(
    application: Any, otto: Any, state: str
) -> None:
    step = step_of(application, kind="mail_applicant", state=state, **ASKED_AGAIN)
    assert actions.may_have_been_sent(step) is True
    assert actions.cancel(step, otto) is False
    step.refresh_from_db()
    assert (step.state, step.repeat_until) == (state, ASKED_AGAIN["repeat_until"])
    assert StepEvent.objects.count() == 0


def test_cancelled_pdf_lets_hr_know(
    job: Any, otto: Any, broker: Broker, django_capture_on_commit_callbacks: Any
) -> None:
    application = apply_for(job)
    hr = application.steps.get(kind=StepKind.MAIL_HR)
    with django_capture_on_commit_callbacks(execute=True):
        actions.cancel(application.steps.get(kind=StepKind.RENDER_PDF), otto)
    hr.refresh_from_db()
    assert hr.state == State.SENT
    assert broker.dispatched == [hr.pk]


# ── Quarantine ──────────────────────────────────────────────────────────────────────────


def test_release_sends_what_may_go_and_the_rest_in_its_turn(
    job: Any,
    otto: Any,
    effects: Any,
    broker: Broker,
    django_capture_on_commit_callbacks: Any,
) -> None:
    application = apply_for(job, suspicion="honeypot")
    with django_capture_on_commit_callbacks(execute=True):
        assert actions.release_from_quarantine(application, otto) is True
        assert actions.release_from_quarantine(application, otto) is False
    assert broker.dispatched == [application.steps.get(kind=StepKind.MAIL_APPLICANT).pk]
    assert application.steps.get(kind=StepKind.MAIL_HR).state == State.WAITING
    ready = run(application.steps.get(kind=StepKind.RENDER_PDF).pk, owner="worker:1")
    assert application.steps.get(kind=StepKind.MAIL_HR).pk in ready


def test_cancelling_the_pdf_leaves_nothing_waiting_for_it(application: Application) -> None:
    steps = {
        kind: step_of(application, kind=kind, state=state)
        for kind, state in (
            (StepKind.RENDER_PDF, State.FAILED),
            (StepKind.ARCHIVE, State.WAITING),
            (StepKind.MAIL_HR, State.WAITING),
        )
    }
    assert actions.cancel(steps[StepKind.RENDER_PDF], people.ada()) is True
    assert dict(Step.objects.values_list("kind", "state")) == {
        "render_pdf": "cancelled",
        "archive": "cancelled",
        "mail_hr": "queued",
    }


# ── Mails to operators ──────────────────────────────────────────────────────────────────


def test_mail_to_operators_is_retried_cancelled_and_sent_again(otto: Any) -> None:
    failed = StepFactory(to_operators=True, failed=True)
    assert actions.retry(failed, otto) is True
    assert actions.cancel(failed, otto) is True
    unsure = StepFactory(
        to_operators=True,
        state=State.UNCERTAIN,
        alert=failed.alert,
        recipient="second@example.com",
    )
    again = actions.send_again(unsure, otto)
    assert (again.alert, again.application, again.sequence) == (failed.alert, None, 1)


# ── Another address ─────────────────────────────────────────────────────────────────────


@pytest.fixture
def to_hr(application: Any) -> Any:
    """A mail to HR that failed for good; the PDF before it is there."""
    step_of(application, kind=StepKind.RENDER_PDF, state=State.SUCCEEDED)
    return step_of(application, kind=StepKind.MAIL_HR, failed=True, recipient="wrong@example.com")


def test_mail_goes_to_the_right_address_instead(
    to_hr: Any, otto: Any, broker: Broker, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        instead = actions.send_to(to_hr, "Right@example.com ", otto)
    to_hr.refresh_from_db()
    assert (to_hr.state, to_hr.result) == (State.CANCELLED, {"instead": instead.pk})
    assert to_hr.events.get().actor == f"user:{otto.pk}"
    assert (instead.kind, instead.recipient, instead.sequence) == (
        StepKind.MAIL_HR,
        "right@example.com",
        0,
    )
    assert broker.dispatched == [instead.pk]
    reasons = set(instead.events.exclude(reason="").values_list("reason", flat=True))
    assert reasons == {"The address was wrong: sent to right@example.com."}


def test_two_people_who_change_an_address_at_once_write_to_one(to_hr: Any, otto: Any) -> None:
    assert actions.send_to(to_hr, "right@example.com", otto) is not None
    # Somebody else still has the page on which it had failed.
    assert actions.send_to(to_hr, "other@example.com", otto) is None
    assert not Step.objects.filter(recipient="other@example.com").exists()


@pytest.mark.parametrize("state", ["failed", "uncertain", "retrying", "cancelled"])
def test_address_is_changed_where_the_mail_did_not_get_through(
    to_hr: Any, otto: Any, state: str
) -> None:
    Step.objects.filter(pk=to_hr.pk).update(state=state)
    assert actions.send_to(to_hr, "right@example.com", otto) is not None


def test_mail_that_its_provider_is_asked_about_again_goes_nowhere_else(
    to_hr: Any, otto: Any
) -> None:
    Step.objects.filter(pk=to_hr.pk).update(state=State.RETRYING, **ASKED_AGAIN)
    to_hr.refresh_from_db()
    assert actions.may_be_readdressed(to_hr) is False
    assert actions.send_to(to_hr, "right@example.com", otto) is None
    assert Step.objects.filter(kind=StepKind.MAIL_HR).count() == 1
    # Once nobody can know any more, the person decides.
    Step.objects.filter(pk=to_hr.pk).update(state=State.UNCERTAIN)
    to_hr.refresh_from_db()
    assert actions.may_be_readdressed(to_hr) is True
    assert actions.send_to(to_hr, "right@example.com", otto) is not None


@pytest.mark.parametrize("state", ["waiting", "queued", "sent", "started", "succeeded"])
def test_address_of_a_mail_on_its_way_is_not_changed(to_hr: Any, otto: Any, state: str) -> None:
    Step.objects.filter(pk=to_hr.pk).update(state=state)
    assert actions.send_to(to_hr, "right@example.com", otto) is None
    assert Step.objects.filter(kind=StepKind.MAIL_HR).count() == 1


@pytest.mark.parametrize("address", ["wrong@example.com", "other@example.com", "OTHER@example.com"])
def test_nobody_is_told_twice_by_a_changed_address(to_hr: Any, otto: Any, address: str) -> None:
    step_of(to_hr.application, kind=StepKind.MAIL_HR, succeeded=True, recipient="other@example.com")
    with pytest.raises(actions.AlreadyTold):
        actions.send_to(to_hr, address, otto)
    to_hr.refresh_from_db()
    assert to_hr.state == State.FAILED


def test_address_may_be_changed_back(to_hr: Any, otto: Any) -> None:
    away = actions.send_to(to_hr, "right@example.com", otto)
    Step.objects.filter(pk=away.pk).update(state=State.FAILED)
    back = actions.send_to(away, "wrong@example.com", otto)
    assert (back.recipient, back.sequence, back.state) == ("wrong@example.com", 1, State.QUEUED)


def test_mail_that_waits_for_the_pdf_goes_on_waiting(application: Any, otto: Any) -> None:
    step_of(application, kind=StepKind.RENDER_PDF, started=True)
    hr = step_of(application, kind=StepKind.MAIL_HR, cancelled=True, recipient="w@example.com")
    assert actions.send_to(hr, "right@example.com", otto).state == State.WAITING


def test_changing_the_address_takes_the_right(to_hr: Any) -> None:
    with pytest.raises(PermissionDenied):
        actions.send_to(to_hr, "right@example.com", people.charlie())
