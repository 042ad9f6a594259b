"""One applicant's mailbox gets a limited number of mails a day; HR hears of every application."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from careers.applications.mailboxes import mailbox_of
from careers.applications.models import Application
from careers.pipeline import actions, registry, steps
from careers.pipeline.attention import NEEDS_ATTENTION, NOT_SENT
from careers.pipeline.enqueue import create_step, create_steps
from careers.pipeline.kinds import MAIL_APPLICANT, MAIL_HR, RENDER_PDF
from careers.pipeline.models import Step
from careers.pipeline.runner import run
from careers.pipeline.states import State
from careers.pipeline.transitions import db_now
from tests.support import people
from tests.support.concurrently import at_once
from tests.support.factories import ApplicationFactory

pytestmark = pytest.mark.django_db

ADA = "ada@example.org"


@pytest.fixture(autouse=True)
def two_a_day(settings: Any, effects: Any) -> None:
    settings.MAILS_PER_MAILBOX = 2


def receipts(job: Any, number: int, email: str = ADA) -> list[Step]:
    """The receipts of applications from one address, ready to run."""
    made = []
    for _ in range(number):
        application = ApplicationFactory(page=job, email=email, mailbox=mailbox_of(email))
        create_steps(application, ["hr@example.org"], at=db_now())
        made.append(Step.objects.get(application=application, kind=MAIL_APPLICANT))
    return made


def run_all(found: list[Step]) -> list[str]:
    """Run each step once; returns their states."""
    for step in found:
        run(step.pk, owner="worker:1")
        step.refresh_from_db()
    return [step.state for step in found]


def test_mail_above_the_limit_is_cancelled_with_a_reason(bare_job: Any) -> None:
    found = receipts(bare_job, 3)
    assert run_all(found) == ["succeeded", "succeeded", "cancelled"]
    refused = found[2]
    assert NOT_SENT(refused)
    assert not NEEDS_ATTENTION(refused)
    assert "this mailbox already got 2 mails within 24 hours" in refused.error_public
    assert refused.events.last().reason == refused.error_public
    assert (refused.attempts, refused.error_class) == (0, "")


def test_mail_above_the_limit_does_not_stop_the_mail_to_hr(bare_job: Any) -> None:
    found = receipts(bare_job, 3)
    run_all(found)
    refused = Step.objects.filter(application=found[2].application_id)
    assert run_all([refused.get(kind=RENDER_PDF)]) == ["succeeded"]
    assert run_all([refused.get(kind=MAIL_HR)]) == ["succeeded"]


def test_limit_counts_variants_of_one_mailbox(bare_job: Any) -> None:
    found = [
        *receipts(bare_job, 1, "ada+one@gmail.com"),
        *receipts(bare_job, 1, "a.d.a@googlemail.com"),
        *receipts(bare_job, 1, "ada+three@gmail.com"),
        *receipts(bare_job, 1, "adam@gmail.com"),
    ]
    assert run_all(found) == ["succeeded", "succeeded", "cancelled", "succeeded"]


def test_limit_counts_every_kind_of_mail_to_the_applicant(bare_job: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(registry, "REGISTERED", dict(registry.REGISTERED))
    steps.register(
        steps.StepDefinition(
            kind="farewell",
            label="",
            short_label="",
            effect=registry.REGISTERED[MAIL_APPLICANT].effect,
            is_mail=True,
            to_applicant=True,
        )
    )
    found = receipts(bare_job, 2)
    farewell = Step.objects.filter(application=found[0].application_id, kind="farewell").get()
    assert run_all([*found, farewell]) == ["succeeded", "succeeded", "cancelled"]


def test_limit_allows_another_mail_after_a_day(bare_job: Any) -> None:
    found = receipts(bare_job, 3)
    run_all(found[:2])
    Step.objects.filter(pk=found[0].pk).update(started_at=timezone.now() - dt.timedelta(hours=25))
    assert run_all(found[2:]) == ["succeeded"]


def test_mail_that_is_retried_keeps_its_place(bare_job: Any, effects: Any) -> None:
    effects(mail_applicant=RuntimeError("once"))
    found = receipts(bare_job, 3)
    assert run_all(found[:2]) == ["retrying", "retrying"]
    effects()
    Step.objects.update(run_after=None)
    assert run_all(found[2:]) == ["cancelled"]
    assert run_all(found[:2]) == ["succeeded", "succeeded"]


def test_mail_that_may_have_been_sent_is_not_cancelled(bare_job: Any) -> None:
    found = receipts(bare_job, 3)
    run_all(found[:2])
    Step.objects.filter(pk=found[2].pk).update(
        state=State.RETRYING, repeat_until=timezone.now() + dt.timedelta(hours=1)
    )
    assert run_all(found[2:]) == ["succeeded"]


def test_limit_counts_applications_of_an_earlier_release(bare_job: Any) -> None:
    found = receipts(bare_job, 3)
    Application.objects.update(mailbox="")
    assert run_all(found) == ["succeeded", "succeeded", "cancelled"]


def test_quarantined_application_that_is_released_keeps_to_the_limit(
    bare_job: Any, otto: Any
) -> None:
    run_all(receipts(bare_job, 2))
    spam = ApplicationFactory(page=bare_job, email=ADA, in_quarantine=True)
    create_steps(spam, [], at=db_now())
    actions.release_from_quarantine(spam, otto)
    receipt = Step.objects.get(application=spam, kind=MAIL_APPLICANT)
    assert run_all([receipt]) == ["cancelled"]


def test_send_after_all_sends_one_mail_above_the_limit(bare_job: Any, otto: Any) -> None:
    found = receipts(bare_job, 3)
    run_all(found)
    assert actions.send_after_all.offered(found[2], otto)
    assert not actions.send_after_all.offered(found[0], otto)
    again = actions.send_after_all(found[2], otto)
    assert run_all([again]) == ["succeeded"]
    found[2].refresh_from_db()
    assert not actions.send_after_all(found[2], otto)
    assert Step.objects.filter(kind=MAIL_APPLICANT).count() == 4


def test_mail_that_the_site_repeats_by_itself_keeps_to_the_limit(bare_job: Any) -> None:
    found = receipts(bare_job, 2)
    run_all(found)
    renewed = create_step(
        found[0].about,
        MAIL_APPLICANT,
        "",
        state=State.QUEUED,
        at=db_now(),
        sequence=1,
        actor="applicant",
    )
    assert run_all([renewed]) == ["cancelled"]


def test_refused_mail_queues_the_steps_that_waited_for_its_end(
    bare_job: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(registry, "REGISTERED", dict(registry.REGISTERED))
    steps.register(
        steps.StepDefinition(
            kind="note",
            label="",
            short_label="",
            effect=registry.REGISTERED[MAIL_APPLICANT].effect,
            after=(steps.ended(MAIL_APPLICANT),),
        )
    )
    found = receipts(bare_job, 3)
    run_all(found)
    note = Step.objects.get(application=found[2].application_id, kind="note")
    assert note.state == State.QUEUED


@pytest.mark.django_db(transaction=True)
def test_mails_that_are_due_at_once_do_not_exceed_the_limit_together(bare_job: Any) -> None:
    found = receipts(bare_job, 6)
    at_once(lambda index: run(found[index].pk, owner=f"worker:{index}"), 6)
    states = Step.objects.filter(kind=MAIL_APPLICANT).values_list("state", flat=True)
    assert sorted(states) == ["cancelled"] * 4 + ["succeeded"] * 2


def test_register_refuses_a_step_to_the_applicant_that_is_no_mail() -> None:
    with pytest.raises(ValueError, match="is a mail about an application"):
        steps.register(
            steps.StepDefinition(
                kind="odd",
                label="",
                short_label="",
                effect=registry.REGISTERED[MAIL_APPLICANT].effect,
                to_applicant=True,
            )
        )


@pytest.fixture
def otto(db: None) -> Any:
    return people.otto()
