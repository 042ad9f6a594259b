"""What is kept of each mail, so that a person finds it in the log of the mail server."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import pytest

from careers.applications.errors import Permanent, Transient, Uncertain
from careers.applications.sentences import sentence
from careers.notifications import message_ids
from careers.pipeline.effects import mails
from careers.pipeline.kinds import MAIL_APPLICANT, MAIL_HR
from careers.pipeline.models import Step
from careers.pipeline.runner import run
from careers.pipeline.states import State
from careers.pipeline.transitions import db_now
from tests.support.factories import AlertFactory, StepFactory

pytestmark = pytest.mark.django_db
ANSWER = "550 5.1.1 no such user"
REFUSED = Permanent("mail-recipient", sentence("Refused (%(answer)s).") % {"answer": ANSWER})
LATER = Transient("mail-later", sentence("Later (%(answer)s).") % {"answer": "451 later"})
SILENT = Uncertain("no-answer", "No answer came.")


def mailed(application: Any, monkeypatch: pytest.MonkeyPatch, error: Exception, sent: bool) -> Step:
    """A receipt whose mail server answers with an error, before or after the mail was sent."""

    def deliver(message: Any, *, before_send: Any) -> Any:
        if sent:
            before_send()
        raise error

    monkeypatch.setattr(mails.notifications, "deliver", deliver)
    step: Step = StepFactory(
        application=application, kind=MAIL_APPLICANT, queued=True, events=False
    )
    run(step.pk, owner="worker:1")
    step.refresh_from_db()
    return step


@pytest.mark.parametrize(
    ("error", "sent", "state", "answer"),
    [
        (REFUSED, False, State.FAILED, ANSWER),
        (REFUSED, True, State.FAILED, ANSWER),
        (LATER, True, State.RETRYING, "451 later"),
        (SILENT, True, State.UNCERTAIN, None),
    ],
)
def test_mail_that_was_not_accepted_keeps_id_moment_and_answer(
    application: Any,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    sent: bool,
    state: str,
    answer: str | None,
) -> None:
    before = db_now() - dt.timedelta(seconds=2)
    step = mailed(application, monkeypatch, error, sent)
    assert step.state == state
    assert step.result["message_id"] == message_ids.of_receipt(application, 0)
    assert step.result.get("response") == answer
    if sent:
        assert before <= dt.datetime.fromisoformat(step.result["sent_at"]) <= db_now()
    else:
        assert "sent_at" not in step.result


def test_new_attempt_forgets_the_answer_of_the_one_before(
    application: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = mailed(application, monkeypatch, LATER, True)
    Step.objects.filter(pk=step.pk).delete()
    step.state, step.run_after = State.RETRYING, None
    step.save(force_insert=True)

    def silent(message: Any, *, before_send: Any) -> Any:
        before_send()
        raise SILENT

    monkeypatch.setattr(mails.notifications, "deliver", silent)
    run(step.pk, owner="worker:1")
    step.refresh_from_db()
    assert (step.state, step.result.get("response")) == (State.UNCERTAIN, None)


def test_mail_that_was_never_tried_has_the_id_that_it_would_have(application: Any) -> None:
    step = StepFactory(application=application, kind=MAIL_HR, recipient="hr@example.org")
    about = message_ids.of_hr_application(application, "hr@example.org", 0)
    assert mails.message_id_of(step) == about


def test_message_id_names_its_application() -> None:
    public_id = "0b3f3a2e-7a0c-4c55-9d9f-1f2e3d4c5b6a"
    for left in ("receipt.{}.0", "hr.{}.0123456789abcdef.1", "infected-hr.{}.00.0"):
        for written in ("<{}@example.com>", "{}@example.com"):
            typed = written.format(left.format(public_id))
            assert message_ids.application_of(typed) == UUID(public_id)
    assert message_ids.application_of("<someone@example.com>") is None
    assert message_ids.application_of("receipt." + "-" * 36 + ".0@x") is None


def test_message_id_names_its_alert() -> None:
    alert = AlertFactory()
    made = message_ids.of_operator_alert(alert.key, "ops@example.com", 0)
    assert message_ids.alert_of(made) == alert.key
    assert message_ids.alert_of("<someone@example.com>") == ""
