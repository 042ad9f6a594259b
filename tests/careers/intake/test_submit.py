"""``submit`` runs one transaction, and creates one application for the same sender and content."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from typing import Any

import pytest
from celery import current_app
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from careers.applications.files import Upload
from careers.applications.models import (
    Application,
    ApplicationFile,
    ConsentRecord,
    FileBytes,
)
from careers.intake import repetitions
from careers.intake.repetitions import Identity
from careers.intake.submit import Submission, identity_of, submit
from careers.pipeline import broker, dispatch
from careers.pipeline.kinds import MAIL_HR
from careers.pipeline.models import Step, StepEvent
from tests.support.applying import (
    ADDRESS,
    JANE,
    apply_for,
    ask,
    send,
    submission,
    the_cv,
)
from tests.support.broker import Broker
from tests.support.concurrently import at_once
from tests.support.factories import JobPageFactory
from tests.support.processes import until
from tests.support.servers import reserve_port
from tests.support.speed import patient

pytestmark = pytest.mark.django_db

TABLES = [Application, ApplicationFile, FileBytes, ConsentRecord, Step, StepEvent]


def fingerprint_of(given: Submission) -> str:
    return identity_of(given).fingerprints[0]


def counts() -> list[int]:
    return [model.objects.count() for model in TABLES]


def other_file(content: bytes = b"%PDF-other") -> Upload:
    return Upload(
        "cv", "other.pdf", "application/pdf", content, hashlib.sha256(content).hexdigest()
    )


# ── What is stored ──────────────────────────────────────────────────────────────────────


def test_submit_stores_the_application_with_files_and_steps(job: Any) -> None:
    application = apply_for(job)
    assert counts() == [1, 1, 1, 1, 4, 6]
    application.refresh_from_db()
    assert (application.name, application.email, application.phone) == (JANE, ADDRESS, "")
    assert application.job_key == job.translation_key
    assert application.frozen_form == job.frozen_form()
    assert application.quarantined is False
    (file,) = application.files.all()
    assert (file.kind, file.size, bytes(file.stored.content)) == ("cv", len(the_cv()), the_cv())
    assert file.sha256 == hashlib.sha256(the_cv()).hexdigest()


def test_submit_records_the_privacy_notice_as_shown(job: Any) -> None:
    application = apply_for(job)
    (record,) = application.consents.all()
    assert (record.purpose, record.given) == ("privacy_notice", True)
    assert record.text == "We read it and tell nobody."
    assert record.at == application.received_at


@pytest.mark.parametrize("ticked", [True, False])
def test_submit_records_each_consent_given_or_not(job: Any, ticked: bool) -> None:
    job.questions = [ask("consent", "Keep it for a year", key="keep", help_text="Revocable.")]
    job.save()
    application = apply_for(job, answers={"keep": ticked})
    record = application.consents.get(purpose="keep")
    assert (record.text, record.given) == ("Keep it for a year\nRevocable.", ticked)


def test_submit_freezes_the_form(job: Any) -> None:
    application = apply_for(job)
    job.title, job.ask_cv = "Something else", "off"
    job.save()
    application.refresh_from_db()
    assert application.job_title == "Gauge keeper"
    assert application.frozen_form.question("cv") is not None


def test_submit_dispatches_after_the_commit(
    job: Any, broker: Broker, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        application = apply_for(job)
        assert broker.messages == []
    for callback in callbacks:
        callback()
    queued = application.steps.filter(kind__in=["render_pdf", "mail_applicant"])
    assert sorted(broker.dispatched) == sorted(queued.values_list("pk", flat=True))


@pytest.mark.django_db(transaction=True)
def test_submit_rolled_back_dispatches_nothing(job: Any, broker: Broker) -> None:
    with transaction.atomic():
        apply_for(job)
        transaction.set_rollback(True)
    assert broker.messages == []
    assert counts() == [0] * 6


@pytest.mark.parametrize(
    "table",
    [
        "careers_application",
        "careers_applicationfile",
        "careers_filebytes",
        "careers_consentrecord",
        "careers_step",
        "careers_stepevent",
    ],
)
def test_submit_that_fails_stores_nothing(job: Any, table: str) -> None:
    def broken(execute: Any, sql: str, *args: Any) -> Any:
        if f'INSERT INTO "{table}"' in sql:
            raise OperationalError("disk full")
        return execute(sql, *args)

    with connection.execute_wrapper(broken), pytest.raises(OperationalError):
        apply_for(job)
    assert counts() == [0] * 6
    apply_for(job)
    assert counts() == [1, 1, 1, 1, 4, 6]


def test_submit_succeeds_when_dispatch_fails(
    job: Any, monkeypatch: Any, django_capture_on_commit_callbacks: Any
) -> None:
    def breaks(*_args: Any, **_more: Any) -> int:
        raise OperationalError("gone between commit and dispatch")

    monkeypatch.setattr(dispatch, "dispatch_steps", breaks)
    with django_capture_on_commit_callbacks(execute=True):
        apply_for(job)
    assert Application.objects.count() == 1


# ── Same sender, same content ──────────────────────────────────────────────────────────────────


def test_submit_with_same_content_returns_the_same_application(job: Any) -> None:
    assert apply_for(job).pk == apply_for(job).pk
    assert counts() == [1, 1, 1, 1, 4, 6]


@pytest.mark.parametrize(
    "answers",
    [
        {"email": "JANE@Example.org"},
        {"name": "  Jane   Miller "},
        {"phone": None},
        {"q": ""},
        {"q": None},
        {"q": []},
    ],
)
def test_submit_ignores_spaces_and_capitals_of_the_address(job: Any, answers: Any) -> None:
    same = submission(job, answers=answers)
    assert fingerprint_of(same) == fingerprint_of(submission(job))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"name": "Jane Miller"}, {"name": "Joan Miller"}),
        ({"name": "Jane Miller"}, {"name": "jane miller"}),
        ({"q": False}, {"q": None}),
        ({"q": False}, {"q": True}),
        ({"q": "0"}, {"q": None}),
        ({"q": "a"}, {"r": "a"}),
        ({"q": ["a"]}, {"q": ["a", "b"]}),
        ({"q": "1"}, {"q": "01"}),
    ],
)
def test_submit_with_any_other_answer_creates_another_application(
    job: Any, one: Any, other: Any
) -> None:
    first, second = submission(job, answers=one), submission(job, answers=other)
    assert fingerprint_of(first) != fingerprint_of(second)


def test_submit_ignores_the_order_of_choices(job: Any) -> None:
    first = submission(job, answers={"q": ["a", "b"]})
    second = submission(job, answers={"q": ["b", "a"]})
    assert fingerprint_of(first) == fingerprint_of(second)


def test_submit_with_other_file_job_or_nonce_creates_another_application(
    job: Any, job_index: Any
) -> None:
    base = submission(job)
    others = [
        dataclasses.replace(base, uploads=(other_file(),)),
        dataclasses.replace(base, uploads=()),
        dataclasses.replace(base, uploads=(*base.uploads, other_file())),
        dataclasses.replace(base, job_key=JobPageFactory(parent=job_index).job_key),
        dataclasses.replace(base, nonce="1"),
    ]
    fingerprints = {fingerprint_of(each) for each in (base, *others)}
    assert len(fingerprints) == 6


def test_submit_ignores_file_names_and_suspicion(job: Any) -> None:
    base = submission(job)
    renamed = dataclasses.replace(base.uploads[0], filename="final.pdf")
    same = dataclasses.replace(base, uploads=(renamed,), suspicion="honeypot", recipients=())
    assert fingerprint_of(base) == fingerprint_of(same)


def test_fingerprint_depends_on_the_secret_key(job: Any, settings: Any) -> None:
    before = fingerprint_of(submission(job))
    settings.SECRET_KEY = "another"
    assert fingerprint_of(submission(job)) != before


def test_submit_of_the_same_content_at_once_returns_one_application(
    job: Any, monkeypatch: Any
) -> None:
    first = apply_for(job)
    real, looks = repetitions.sent_by_same_sender, []

    def blind_once(identity: Identity) -> Application | None:
        looks.append(identity)
        return None if len(looks) == 1 else real(identity)

    monkeypatch.setattr(repetitions, "sent_by_same_sender", blind_once)
    second = apply_for(job)
    assert len(looks) == 2
    assert second.pk == first.pk
    assert counts() == [1, 1, 1, 1, 4, 6]


def test_submit_with_a_taken_reference_draws_another(job: Any, monkeypatch: Any) -> None:
    first = apply_for(job)
    drawn = iter([first.reference, first.reference, "ZZZZ-0001"])
    field = Application._meta.get_field("reference")
    monkeypatch.setattr(field, "default", lambda: next(drawn))
    field.__dict__.pop("_get_default", None)
    second = apply_for(job, answers={"name": "Joan Miller"})
    field.__dict__.pop("_get_default", None)
    assert second.reference == "ZZZZ-0001"


def test_submit_for_a_deleted_page_raises_a_database_error(job: Any) -> None:
    lost = dataclasses.replace(submission(job), page_id=None)  # type: ignore[arg-type]
    with pytest.raises(IntegrityError):
        submit(lost)
    assert issubclass(IntegrityError, DatabaseError)
    assert counts() == [0] * 6


@pytest.mark.django_db(transaction=True)
def test_same_form_from_many_threads_at_once_is_one_application(job: Any) -> None:
    form = submission(job)
    got: list[int] = []
    at_once(lambda _index: got.append(submit(form).pk), 6)
    assert len(got) == 6
    assert len(set(got)) == 1
    assert counts() == [1, 1, 1, 1, 4, 6]  # two steps were dispatched once


@pytest.mark.django_db(transaction=True)
def test_same_post_from_many_browsers_at_once_has_one_receipt(job: Any, client: Any) -> None:
    receipts: list[tuple[int, str]] = []

    def post(_index: int) -> None:
        response = send(Client(), job)
        receipts.append((response.status_code, response["Location"]))

    at_once(post, 5)
    assert len(receipts) == 5
    assert len(set(receipts)) == 1
    assert receipts[0][0] == 303
    assert Application.objects.count() == 1


# ── Quarantine ──────────────────────────────────────────────────────────────────────────


def test_suspicious_application_is_quarantined_and_sends_no_mail(job: Any) -> None:
    application = apply_for(job, suspicion="honeypot")
    assert (application.quarantined, application.quarantine_reason) == (True, "honeypot")
    mails = application.steps.filter(kind__startswith="mail_")
    assert set(mails.values_list("state", flat=True)) == {"waiting"}


def test_every_application_of_one_person_in_a_day_reaches_hr(job: Any, job_index: Any) -> None:
    jobs = [job, *(JobPageFactory(parent=job_index) for _ in range(11))]
    made = [apply_for(each) for each in jobs]
    assert not any(each.quarantined for each in made)
    assert Step.objects.filter(kind=MAIL_HR).count() >= len(jobs)


# ── With everything else down ───────────────────────────────────────────────────────────


def states() -> set[str]:
    return set(Step.objects.values_list("state", flat=True))


@pytest.mark.django_db(transaction=True)
def test_receipt_is_fast_when_the_broker_is_down(client: Any, job: Any, monkeypatch: Any) -> None:
    monkeypatch.undo()  # the real dispatch, in its thread
    monkeypatch.setattr(current_app.conf, "broker_url", f"redis://127.0.0.1:{reserve_port()}/0")
    monkeypatch.setattr(broker, "_connection", None)
    monkeypatch.setattr(dispatch, "_resting_until", 0.0)
    begun = time.monotonic()
    response = send(client, job)
    assert response.status_code == 303
    assert time.monotonic() - begun < patient(5)
    until(dispatch.is_resting, 30, "nothing was published")
    assert send(client, job, name="Joan Miller").status_code == 303
    # The steps of the first wait again, and those of the second were not sent at all.
    until(lambda: states() == {"queued", "waiting"}, 30, "the steps are not queued again")


@pytest.mark.django_db(transaction=True)
def test_post_takes_fifteen_statements(client: Client, job: Any) -> None:
    """All of them count, BEGIN and COMMIT included."""
    send(client, job, name="Joan Miller")  # the process gets to know the job
    with CaptureQueriesContext(connection) as statements:
        assert send(client, job).status_code == 303
    assert len(statements) <= 15, [each["sql"][:80] for each in statements]
    assert states() == {"sent", "waiting"}
