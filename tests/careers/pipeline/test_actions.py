"""What a person may do to a step or an application, and what they may not."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from careers.applications.models import Application
from careers.pipeline import actions
from careers.pipeline.attention import MAY_HAVE_BEEN_SENT, OPEN_BOUNCE, REPLACED
from careers.pipeline.kinds import ARCHIVE, MAIL_APPLICANT, MAIL_HR, RENDER_PDF
from careers.pipeline.models import Step, StepEvent
from careers.pipeline.receipt_again import mail_receipt_again
from careers.pipeline.runner import run
from careers.pipeline.states import Phase, State
from tests.support import people
from tests.support.applying import apply_for
from tests.support.broker import Broker
from tests.support.factories import StepFactory

pytestmark = pytest.mark.django_db

ACTS = [act for act in actions.STEP_ACTS if act is not actions.send_to]


@pytest.fixture
def otto(db: None) -> Any:
    return people.otto()


def step_of(application: Any, **more: Any) -> Step:
    return StepFactory(**{"application": application, "events": False} | more)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("who", ["bob", "hanna", "charlie"])
def test_act_without_permission_is_denied(
    application: Any, job_index: Any, act: Any, who: str
) -> None:
    user = people.charlie() if who == "charlie" else getattr(people, who)(job_index)
    step = step_of(application, failed=True)
    with pytest.raises(PermissionDenied):
        act(step, user)
    step.refresh_from_db()
    assert step.state == State.FAILED
    assert StepEvent.objects.count() == 0


def test_release_without_permission_is_denied(application: Any, job_index: Any) -> None:
    Application.objects.update(quarantined=True)
    application.refresh_from_db()
    with pytest.raises(PermissionDenied):
        actions.release_from_quarantine(application, people.hanna(job_index))
    application.refresh_from_db()
    assert application.quarantined is True


# ── Retry ───────────────────────────────────────────────────────────────────────────────


def test_retry_of_failed_step_resets_attempts_and_dispatches(
    application: Any, otto: Any, broker: Broker, django_capture_on_commit_callbacks: Any
) -> None:
    step = step_of(application, failed=True)
    with django_capture_on_commit_callbacks(execute=True):
        assert actions.retry(step, otto, "The mailbox works again.") is True
    step.refresh_from_db()
    assert (step.state, step.attempts, step.failing_since) == (State.SENT, 0, None)
    first = step.events.get(to_state=State.QUEUED)
    assert (first.actor, first.reason) == (f"user:{otto.pk}:otto", "The mailbox works again.")
    assert broker.dispatched == [step.pk]


def test_second_retry_does_nothing(
    application: Any, otto: Any, broker: Broker, django_capture_on_commit_callbacks: Any
) -> None:
    step = step_of(application, failed=True)
    with django_capture_on_commit_callbacks(execute=True):
        assert [actions.retry(step, otto), actions.retry(step, otto)] == [True, False]
    assert broker.dispatched == [step.pk]
    assert step.events.filter(to_state=State.QUEUED).count() == 1


def test_retry_of_later_attempt_makes_it_due_now(
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
def test_retry_in_other_states_changes_nothing(application: Any, otto: Any, state: str) -> None:
    step = step_of(application, state=state)
    assert actions.retry(step, otto) is False
    assert StepEvent.objects.count() == 0


def test_retry_without_broker_leaves_step_queued(
    application: Any, otto: Any, broker: Broker, django_capture_on_commit_callbacks: Any
) -> None:
    broker.refuses = True
    step = step_of(application, failed=True)
    with django_capture_on_commit_callbacks(execute=True):
        actions.retry(step, otto)
    step.refresh_from_db()
    assert step.state == State.QUEUED


# ── Unconfirmed mails ───────────────────────────────────────────────────────────────────


def test_confirmed_arrival_ends_step(application: Any, otto: Any) -> None:
    step = step_of(application, uncertain=True)
    assert actions.confirm_arrival(step, otto) is True
    assert actions.confirm_arrival(step, otto) is False
    step.refresh_from_db()
    assert (step.state, step.phase) == (State.SUCCEEDED, Phase.NONE)
    assert step.events.get().reason == "Confirmed: it arrived."


def test_send_again_creates_step_with_next_sequence(
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


def test_mail_that_was_sent_again_cannot_go_to_another_address(application: Any, otto: Any) -> None:
    step = step_of(application, kind="mail_hr", recipient="old@example.com", uncertain=True)
    again = actions.send_again(step, otto)
    assert again is not None
    step.refresh_from_db()
    assert (step.state, step.replaced_by_id) == (State.CANCELLED, again.pk)
    # The previous release reads this key.
    assert step.result == {"instead": again.pk}
    assert actions.send_to.allowed(step) is False
    assert actions.send_to(step, otto, address="new@example.com") is None
    assert Step.objects.filter(application=application).count() == 2


def test_bounced_mail_is_sent_again_once(application: Any, otto: Any) -> None:
    step = step_of(application, kind="mail_applicant", succeeded=True, bounced_at=timezone.now())
    again = actions.send_again(step, otto)
    assert again is not None
    assert (again.state, again.sequence) == (State.QUEUED, 1)
    assert actions.send_again(step, otto) is None
    step.refresh_from_db()
    # The mail was sent, so the state stays.
    assert (step.state, step.replaced_by_id) == (State.SUCCEEDED, again.pk)


def test_bounced_mail_to_hr_goes_to_another_address_once(application: Any, otto: Any) -> None:
    step = step_of(application, kind="mail_hr", recipient="old@example.com", succeeded=True)
    assert actions.send_to.allowed(step) is False
    assert actions.send_to(step, otto, address="new@example.com") is None
    step.bounced_at = timezone.now()
    step.save()
    assert actions.send_to.allowed(step) is True
    new_step = actions.send_to(step, otto, address="new@example.com")
    assert new_step is not None
    assert new_step.recipient == "new@example.com"
    step.refresh_from_db()
    assert (step.state, actions.send_to.allowed(step)) == (State.SUCCEEDED, False)
    assert actions.send_to(step, otto, address="third@example.com") is None


def test_receipt_is_sent_again_although_the_applicant_got_another_one(
    application: Any, otto: Any
) -> None:
    step = step_of(application, kind="mail_applicant", succeeded=True, bounced_at=timezone.now())
    mail_receipt_again(application.email, application.reference)
    again = actions.send_again(step, otto)
    assert again is not None
    assert again.sequence == 2
    assert actions.send_again(step, otto) is None


@pytest.mark.parametrize("state", [state for state in State if state != State.UNCERTAIN])
def test_confirm_and_send_again_take_an_unconfirmed_mail(
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
def test_cancel_ends_step(application: Any, otto: Any, state: str) -> None:
    step = step_of(application, state=state)
    assert actions.cancel(step, otto, "Not wanted.") is True
    assert actions.cancel(step, otto) is False
    step.refresh_from_db()
    assert step.state == State.CANCELLED
    assert run(step.pk, owner="worker:1") == []
    event = step.events.get()
    assert (event.actor, event.reason) == (f"user:{otto.pk}:otto", "Not wanted.")


@pytest.mark.parametrize("state", ["succeeded", "cancelled"])
def test_cancel_of_ended_step_changes_nothing(application: Any, otto: Any, state: str) -> None:
    assert actions.cancel(step_of(application, state=state), otto) is False
    assert StepEvent.objects.count() == 0


def test_mail_past_the_point_of_no_return_cannot_be_cancelled(application: Any, otto: Any) -> None:
    step = step_of(application, kind="mail_applicant", started=True, phase=Phase.DATA)
    assert actions.cancel(step, otto) is False
    step.refresh_from_db()
    assert step.state == State.STARTED


#: Columns of a mail that its provider may have sent and is asked about again.
ASKED_AGAIN: dict[str, Any] = {
    "repeat_until": timezone.now() + dt.timedelta(hours=20),
    "repeat_with": "resend:1a2b",
}


@pytest.mark.parametrize("state", ["queued", "sent", "started", "retrying"])
def test_mail_with_open_idempotency_window_cannot_be_cancelled(
    application: Any, otto: Any, state: str
) -> None:
    step = step_of(application, kind="mail_applicant", state=state, **ASKED_AGAIN)
    assert MAY_HAVE_BEEN_SENT(step) is True
    assert actions.cancel(step, otto) is False
    step.refresh_from_db()
    assert (step.state, step.repeat_until) == (state, ASKED_AGAIN["repeat_until"])
    assert StepEvent.objects.count() == 0


def test_cancelled_pdf_releases_mail_to_hr(
    job: Any, otto: Any, broker: Broker, django_capture_on_commit_callbacks: Any
) -> None:
    application = apply_for(job)
    hr = application.steps.get(kind=MAIL_HR)
    with django_capture_on_commit_callbacks(execute=True):
        actions.cancel(application.steps.get(kind=RENDER_PDF), otto)
    hr.refresh_from_db()
    assert hr.state == State.SENT
    assert broker.dispatched == [hr.pk]


# ── Quarantine ──────────────────────────────────────────────────────────────────────────


def test_release_queues_each_mail_after_its_predecessor(
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
    assert broker.dispatched == [application.steps.get(kind=MAIL_APPLICANT).pk]
    assert application.steps.get(kind=MAIL_HR).state == State.WAITING
    ready = run(application.steps.get(kind=RENDER_PDF).pk, owner="worker:1")
    assert application.steps.get(kind=MAIL_HR).pk in ready


def test_cancelled_pdf_leaves_no_step_waiting(application: Application) -> None:
    steps = {
        kind: step_of(application, kind=kind, state=state)
        for kind, state in (
            (RENDER_PDF, State.FAILED),
            (ARCHIVE, State.WAITING),
            (MAIL_HR, State.WAITING),
        )
    }
    assert actions.cancel(steps[RENDER_PDF], people.ada()) is True
    assert dict(Step.objects.values_list("kind", "state")) == {
        "render_pdf": "cancelled",
        "archive": "cancelled",
        "mail_hr": "queued",
    }


# ── Mails to operators ──────────────────────────────────────────────────────────────────


def test_mail_to_operators_can_be_retried_cancelled_and_sent_again(otto: Any) -> None:
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
    step_of(application, kind=RENDER_PDF, state=State.SUCCEEDED)
    return step_of(application, kind=MAIL_HR, failed=True, recipient="wrong@example.com")


def test_send_to_replaces_failed_mail(
    to_hr: Any, otto: Any, broker: Broker, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        new_step = actions.send_to(to_hr, otto, address="Right@example.com ")
    to_hr.refresh_from_db()
    assert (to_hr.state, to_hr.replaced_by_id) == (State.CANCELLED, new_step.pk)
    assert to_hr.events.get().actor == f"user:{otto.pk}:otto"
    assert (new_step.kind, new_step.recipient, new_step.sequence) == (
        MAIL_HR,
        "right@example.com",
        0,
    )
    assert broker.dispatched == [new_step.pk]
    reasons = set(new_step.events.exclude(reason="").values_list("reason", flat=True))
    assert reasons == {"The address was wrong: sent to right@example.com."}


def test_second_change_of_address_is_refused(to_hr: Any, otto: Any) -> None:
    assert actions.send_to(to_hr, otto, address="right@example.com") is not None
    # A second person still sees the page on which it had failed.
    assert actions.send_to(to_hr, otto, address="other@example.com") is None
    assert not Step.objects.filter(recipient="other@example.com").exists()


@pytest.mark.parametrize("state", ["failed", "uncertain", "retrying", "cancelled"])
def test_send_to_is_allowed_for_undelivered_mail(to_hr: Any, otto: Any, state: str) -> None:
    Step.objects.filter(pk=to_hr.pk).update(state=state)
    assert actions.send_to(to_hr, otto, address="right@example.com") is not None


def test_send_to_is_refused_within_open_idempotency_window(to_hr: Any, otto: Any) -> None:
    Step.objects.filter(pk=to_hr.pk).update(state=State.RETRYING, **ASKED_AGAIN)
    to_hr.refresh_from_db()
    assert actions.send_to.allowed(to_hr) is False
    assert actions.send_to(to_hr, otto, address="right@example.com") is None
    assert Step.objects.filter(kind=MAIL_HR).count() == 1
    # Once it is unconfirmed, the person decides.
    Step.objects.filter(pk=to_hr.pk).update(state=State.UNCERTAIN)
    to_hr.refresh_from_db()
    assert actions.send_to.allowed(to_hr) is True
    assert actions.send_to(to_hr, otto, address="right@example.com") is not None


@pytest.mark.parametrize("state", ["waiting", "queued", "sent", "started", "succeeded"])
def test_send_to_is_refused_for_mail_under_way(to_hr: Any, otto: Any, state: str) -> None:
    Step.objects.filter(pk=to_hr.pk).update(state=state)
    assert actions.send_to(to_hr, otto, address="right@example.com") is None
    assert Step.objects.filter(kind=MAIL_HR).count() == 1


@pytest.mark.parametrize("address", ["wrong@example.com", "other@example.com", "OTHER@example.com"])
def test_send_to_address_with_a_mail_raises(to_hr: Any, otto: Any, address: str) -> None:
    step_of(to_hr.application, kind=MAIL_HR, succeeded=True, recipient="other@example.com")
    with pytest.raises(actions.AlreadyMailed):
        actions.send_to(to_hr, otto, address=address)
    to_hr.refresh_from_db()
    assert to_hr.state == State.FAILED


def test_address_can_be_changed_back(to_hr: Any, otto: Any) -> None:
    away = actions.send_to(to_hr, otto, address="right@example.com")
    Step.objects.filter(pk=away.pk).update(state=State.FAILED)
    back = actions.send_to(away, otto, address="wrong@example.com")
    assert (back.recipient, back.sequence, back.state) == ("wrong@example.com", 1, State.QUEUED)


def test_send_to_while_pdf_is_made_waits(application: Any, otto: Any) -> None:
    step_of(application, kind=RENDER_PDF, started=True)
    hr = step_of(application, kind=MAIL_HR, cancelled=True, recipient="w@example.com")
    assert actions.send_to(hr, otto, address="right@example.com").state == State.WAITING


def test_send_to_without_permission_is_denied(to_hr: Any) -> None:
    with pytest.raises(PermissionDenied):
        actions.send_to(to_hr, people.charlie(), address="right@example.com")


# ── Replaced ────────────────────────────────────────────────────────────────────────────


def test_row_that_old_code_wrote_counts_as_replaced(application: Any, otto: Any) -> None:
    """The previous release runs beside this one during an upgrade and writes only the key."""
    step = step_of(
        application,
        kind=MAIL_HR,
        recipient="old@example.com",
        succeeded=True,
        bounced_at=timezone.now(),
    )
    assert OPEN_BOUNCE(step) is True
    Step.objects.filter(pk=step.pk).update(result={"message_id": "<1@x>", "instead": 7})
    step.refresh_from_db()
    assert step.replaced_by_id is None
    assert REPLACED(step) is True
    assert list(Step.objects.filter(REPLACED.query)) == [step]
    assert list(Step.objects.filter(OPEN_BOUNCE.query)) == []
    assert actions.send_again(step, otto) is None
    assert actions.send_to(step, otto, address="new@example.com") is None
