"""Reports of the mail provider are recorded once, in any order."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from careers.applications.errors import Uncertain
from careers.notifications import Report
from careers.pipeline import delivery_reports, unconfirmed
from careers.pipeline.mail_reference import mail_reference, step_of_reference
from careers.pipeline.models import Step, StepEvent
from careers.pipeline.states import State
from tests.support.factories import StepFactory

pytestmark = pytest.mark.django_db

SECRET = "0123456789abcdef"
ADDRESS = "jane.miller@applicants.example"
NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def provider(settings: Any) -> None:
    settings.EMAIL_PROVIDER, settings.EMAIL_API_KEY = "resend", "key"
    settings.EMAIL_WEBHOOK_SECRET = SECRET


@pytest.fixture
def receipt(application: Any) -> Step:
    return StepFactory(application=application, kind="mail_applicant", succeeded=True, events=False)


def resend(kind: str, mark: str, at: dt.datetime = NOON, message: str = "") -> dict[str, Any]:
    """A report as Resend sends it."""
    data: dict[str, Any] = {
        "email_id": "56761188-7520-42d8-8898-ff6fc54ce618",
        "to": [ADDRESS],
        "headers": [{"name": "X-Metadata", "value": json.dumps({"mail": mark})}],
    }
    if message:
        data["bounce"] = {"message": message}
    return {"type": f"email.{kind}", "created_at": at.isoformat(), "data": data}


def postmark(kind: str, mark: str, details: str) -> dict[str, Any]:
    """A bounce as Postmark sends it."""
    return {
        "RecordType": "Bounce",
        "Type": kind,
        "Email": ADDRESS,
        "BouncedAt": NOON.isoformat(),
        "Details": details,
        "Metadata": {"mail": mark},
    }


BOUNCE = f"The recipient's email provider sent a hard bounce message, <{ADDRESS}> is unknown."


def post(client: Any, body: Any, *, secret: str = SECRET, **more: Any) -> int:
    given = base64.b64encode(f"careers:{secret}".encode()).decode()
    content = body if isinstance(body, str) else json.dumps(body)
    response = client.post(
        "/hooks/mail/",
        content,
        content_type="application/json",
        headers={"Authorization": f"Basic {given}", **more},
    )
    return int(response.status_code)


def bounced(step: Step) -> tuple[Any, str]:
    step.refresh_from_db()
    return step.bounced_at, step.bounce_reason


def events(step: Step) -> list[tuple[str, str, str]]:
    return list(step.events.values_list("to_state", "actor", "reason"))


def test_bounce_is_recorded_once(client: Any, receipt: Step, caplog: Any) -> None:
    report = resend("bounced", mail_reference(receipt), message=BOUNCE)
    assert [post(client, report) for _ in range(3)] == [200, 200, 200]
    at, reason = bounced(receipt)
    assert at == NOON
    assert reason.startswith("The recipient’s mail server refused it (The recipient's email")
    assert receipt.state == State.SUCCEEDED
    assert events(receipt) == [("succeeded", "provider", reason)]
    assert "jane" not in (reason + caplog.text).lower()


def test_report_writes_the_history_in_the_language_of_the_site(client: Any, receipt: Step) -> None:
    report = resend("bounced", mail_reference(receipt))
    assert post(client, report, **{"Accept-Language": "fr"}) == 200
    assert bounced(receipt)[1] == "The mail could not be delivered."


def test_complaint_counts_as_delivered(client: Any, receipt: Step) -> None:
    report = resend("complained", mail_reference(receipt))
    assert [post(client, report) for _ in range(3)] == [200, 200, 200]
    assert bounced(receipt) == (None, "")
    assert receipt.delivered_at == NOON
    assert events(receipt) == [
        ("succeeded", "provider", "The recipient reported the mail as spam.")
    ]


@pytest.mark.parametrize(
    ("kind", "more", "reason"),
    [
        (
            "failed",
            {"failed": {"reason": f"reached_daily_quota for {ADDRESS}"}},
            "The mail provider could not send it (reached_daily_quota for …).",
        ),
        ("failed", {"failed": None}, "The mail could not be delivered."),
        (
            "suppressed",
            {"suppressed": {"message": "On the list.", "type": "OnAccountSuppressionList"}},
            (
                "The mail provider no longer sends to this address. The address may be on the "
                "provider’s suppression list because earlier mails bounced."
            ),
        ),
    ],
)
def test_mail_that_the_provider_dropped_counts_as_bounced(
    client: Any, receipt: Step, kind: str, more: dict[str, Any], reason: str
) -> None:
    report = resend(kind, mail_reference(receipt))
    report["data"] |= more
    assert post(client, report) == 200
    assert bounced(receipt) == (NOON, reason)


@pytest.mark.parametrize("kind", ["sent", "delivered", "delivery_delayed", "opened", "bounced"])
def test_report_confirms_an_unconfirmed_mail(client: Any, application: Any, kind: str) -> None:
    step = StepFactory(application=application, uncertain=True, events=False)
    assert post(client, resend(kind, mail_reference(step), message=BOUNCE)) == 200
    step.refresh_from_db()
    assert (step.state, step.error_public, step.reported_at) == ("succeeded", "", NOON)
    assert events(step)[-1] == (
        "succeeded",
        "provider",
        "The mail provider reports that it has the mail.",
    )
    assert (step.bounced_at is not None) is (kind == "bounced")


def test_report_before_the_lost_answer_confirms_the_mail(client: Any, application: Any) -> None:
    """The provider delivers within a second, while the request waits twenty for its answer."""
    step = StepFactory(
        application=application, kind="mail_applicant", started=True, phase="data", events=False
    )
    assert post(client, resend("delivered", mail_reference(step))) == 200
    step.refresh_from_db()
    assert step.state == State.STARTED
    assert unconfirmed.leave_to_a_person(
        step, Uncertain("mail-unconfirmed", "No answer."), actor="worker:1"
    )
    step.refresh_from_db()
    assert step.state == State.SUCCEEDED
    assert [state for state, _actor, _reason in events(step)] == ["uncertain", "succeeded"]


@pytest.mark.parametrize("state", ["waiting", "retrying", "failed", "cancelled"])
def test_report_about_a_mail_in_another_state_keeps_the_state(
    client: Any, application: Any, state: str
) -> None:
    step = StepFactory(application=application, kind="mail_applicant", state=state, events=False)
    assert post(client, resend("delivered", mail_reference(step))) == 200
    step.refresh_from_db()
    assert (step.state, step.reported_at) == (state, NOON)


def test_delivery_after_a_soft_bounce_removes_the_bounce(client: Any, receipt: Step) -> None:
    mark, later = mail_reference(receipt), NOON + dt.timedelta(minutes=5)
    post(client, resend("bounced", mark, message=BOUNCE))
    post(client, resend("delivered", mark, NOON - dt.timedelta(minutes=5)))
    assert bounced(receipt)[0] == NOON
    post(client, resend("delivered", mark, later))
    assert bounced(receipt) == (None, "")
    assert events(receipt)[-1][2] == "It arrived later."


def test_bounce_after_a_delivery_counts(client: Any, receipt: Step) -> None:
    """Some mailboxes accept every mail first and check it afterwards."""
    mark, later = mail_reference(receipt), NOON + dt.timedelta(minutes=5)
    post(client, resend("delivered", mark))
    assert bounced(receipt) == (None, "")
    post(client, resend("bounced", mark, later, BOUNCE))
    post(client, resend("delivered", mark))
    assert bounced(receipt)[0] == later


@given(
    order=st.lists(
        st.tuples(st.sampled_from(["bounced", "delivered", "sent"]), st.integers(0, 4)),
        min_size=1,
        max_size=8,
    )
)
@examples(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_latest_event_counts_whatever_the_order_of_the_reports(
    receipt: Step, order: list[tuple[str, int]]
) -> None:
    """Reports come twice, late and in any order."""
    fresh = {"bounced_at": None, "delivered_at": None, "reported_at": None, "bounce_reason": ""}
    Step.objects.filter(pk=receipt.pk).update(**fresh)
    minutes: dict[str, list[int]] = {"bounced": [-1], "delivered": [-1], "sent": []}
    for kind, minute in order:
        minutes[kind].append(minute)
        at = NOON + dt.timedelta(minutes=minute)
        why = "It bounced." if kind == "bounced" else ""
        delivery_reports.record(
            Report(mail_reference(receipt), at, why, delivered=kind == "delivered")
        )
    back, there = max(minutes["bounced"]), max(minutes["delivered"])
    came_back = back >= 0 and back >= there
    expected = (NOON + dt.timedelta(minutes=back), "It bounced.") if came_back else (None, "")
    assert bounced(receipt) == expected


def test_delivery_of_a_cancelled_mail_is_noted_once(client: Any, application: Any) -> None:
    step = StepFactory(application=application, kind="mail_applicant", cancelled=True, events=False)
    for kind in ("sent", "delivered", "delivered", "bounced", "delivered"):
        post(
            client, resend(kind, mail_reference(step), message=BOUNCE if kind == "bounced" else "")
        )
    step.refresh_from_db()
    assert (step.state, step.delivered_at) == (State.CANCELLED, NOON)
    (arrived, back) = events(step)
    assert arrived == ("cancelled", "provider", "It arrived later.")
    assert (back[:2], step.bounced_at) == (("cancelled", "provider"), NOON)


def test_report_with_a_future_time_counts_as_now(client: Any, receipt: Step) -> None:
    ahead = timezone.now() + dt.timedelta(days=400)
    post(client, resend("bounced", mail_reference(receipt), ahead, BOUNCE))
    assert bounced(receipt)[0] <= timezone.now()


@pytest.mark.parametrize("mark", ["", "1", "1:forged", "x" * 5000, "１:2", "-1:a"])
def test_report_about_another_sites_mail_changes_nothing(
    client: Any, receipt: Step, mark: str
) -> None:
    assert post(client, resend("bounced", mark, message=BOUNCE)) == 200
    assert bounced(receipt) == (None, "")


def test_report_about_an_erased_mail_changes_nothing(client: Any, receipt: Step) -> None:
    mark = mail_reference(receipt)
    receipt.delete()
    assert post(client, resend("bounced", mark, message=BOUNCE)) == 200
    assert StepEvent.objects.count() == 0


def test_mail_reference_is_valid_on_this_site_only(receipt: Step, settings: Any) -> None:
    mark = mail_reference(receipt)
    assert step_of_reference(mark) == receipt.pk
    assert len(mark) <= 80  # what Postmark takes
    # In a restored database another mail may have the same id.
    Step.objects.update(created_at=receipt.created_at + dt.timedelta(microseconds=1))
    assert step_of_reference(mark) is None
    Step.objects.update(created_at=receipt.created_at)
    settings.SECRET_KEY = "another site's"
    assert step_of_reference(mark) is None


@pytest.mark.parametrize("secret", ["", "wrong", "0123456789abcdeF"])
def test_report_without_the_secret_is_refused(client: Any, receipt: Step, secret: str) -> None:
    assert (
        post(client, resend("bounced", mail_reference(receipt), message=BOUNCE), secret=secret)
        == 401
    )
    assert client.post("/hooks/mail/", "{}", content_type="application/json").status_code == 401
    garbage = {"Authorization": "Basic \xff\xfe"}
    assert client.post("/hooks/mail/", headers=garbage).status_code == 401
    assert bounced(receipt) == (None, "")


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "[1]", '"x"', "{}", '{"type": []}', '{"type": "email.bounced", "data": 3}'],
)
def test_unreadable_report_is_refused_and_not_logged(client: Any, body: str, caplog: Any) -> None:
    assert post(client, body) in (200, 400)
    assert body not in caplog.text or not body.strip("{")


@pytest.mark.parametrize("kind", ["delivery_delayed", "unheard_of", "clicked"])
def test_other_reports_are_accepted_and_change_no_bounce(
    client: Any, receipt: Step, kind: str
) -> None:
    assert post(client, resend(kind, mail_reference(receipt))) == 200
    assert bounced(receipt) == (None, "")
    assert events(receipt) == []


def test_hook_without_a_configured_secret_is_not_found(client: Any, settings: Any) -> None:
    settings.EMAIL_WEBHOOK_SECRET = ""
    assert post(client, resend("sent", "1"), secret="") == 404
    settings.EMAIL_WEBHOOK_SECRET, settings.EMAIL_PROVIDER = SECRET, ""
    assert post(client, resend("sent", "1")) == 404


def test_hook_answers_head(client: Any) -> None:
    assert client.head("/hooks/mail/").status_code == 200
    assert client.get("/hooks/mail/").status_code == 405


def test_report_of_brevo_records_the_bounce(client: Any, receipt: Step, settings: Any) -> None:
    settings.EMAIL_PROVIDER = "brevo"
    report = {
        "event": "hard_bounce",
        "email": ADDRESS,
        "ts_epoch": int(NOON.timestamp() * 1000),
        "reason": f"550 5.1.1 <{ADDRESS}>: no such user",
        "X-Mailin-custom": json.dumps({"mail": mail_reference(receipt)}),
    }
    assert post(client, report) == 200
    assert bounced(receipt) == (
        NOON,
        "The recipient’s mail server refused it (550 5.1.1 <…>: no such user).",
    )


def test_spam_filter_of_postmark_counts_as_bounce(
    client: Any, receipt: Step, settings: Any
) -> None:
    """Postmark calls it a bounce, and django-anymail a complaint."""
    settings.EMAIL_PROVIDER = "postmark"
    report = postmark("SpamNotification", mail_reference(receipt), "smtp;550 5.7.1 looks like spam")
    assert post(client, report) == 200
    assert bounced(receipt) == (NOON, "The recipient’s mail server rejected the mail as spam.")
    assert receipt.delivered_at is None


def test_report_of_postmark_records_the_bounce(client: Any, receipt: Step, settings: Any) -> None:
    settings.EMAIL_PROVIDER = "postmark"
    report = postmark("HardBounce", mail_reference(receipt), "smtp;550 5.1.1 unknown")
    assert post(client, report) == 200
    at, reason = bounced(receipt)
    assert at == NOON
    assert "550 5.1.1 unknown" in reason
