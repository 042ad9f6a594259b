"""The only code that creates applications.

One transaction writes the application, its files, its consents and its steps. So the receipt is
true even if the broker, the archive, the mail server or a worker fails later.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from careers import scanning
from careers.applications.files import Upload, files_of
from careers.applications.frozen import EMAIL, NAME, PHONE, FrozenForm
from careers.applications.inserting import insert
from careers.applications.mailboxes import mailbox_of
from careers.applications.models import Application, ConsentRecord, FileBytes, ScanVerdict
from careers.applications.question_types import QuestionType, is_empty, type_of
from careers.applications.references import new_secret
from careers.intake import repetitions
from careers.intake.repetitions import Identity
from careers.intake.velocity import too_many
from careers.pipeline import dispatch
from careers.pipeline.dispatch import Message
from careers.pipeline.enqueue import create_steps
from careers.pipeline.kinds import MAIL_HR
from careers.pipeline.repetitions import hr_knows, hr_was_mailed
from careers.search.applications import terms_of_person
from home.models import SiteSettings
from home.values import mail_address

#: How often ``submit`` tries to store an application under a reference that is free.
TRIES = 5


@dataclass(frozen=True)
class Submission:
    """A valid form, as plain data.

    Attributes:
        sender_key: the key that the sender's browser made; "" for none.
        network: a hash of the sender's network, from ``network_of``; "" when it is unknown.
        suspicion: why it looks like spam; "" when it does not.
        nonce: makes a test application differ from all others.
    """

    page_id: int
    job_key: UUID
    revision_id: int | None
    form: FrozenForm
    answers: dict[str, Any]
    uploads: tuple[Upload, ...]
    recipients: tuple[str, ...]
    sender_key: str = field(default="", repr=False)
    network: str = ""
    suspicion: str = ""
    is_test: bool = False
    nonce: str = ""


def submit(submission: Submission, *, dispatch_later: list[Message] | None = None) -> Application:
    """Accept an application, once from each sender.

    The same content from the same sender gives the application that exists already, even if it is
    sent many times or twice at the same moment. The same content from anybody else becomes an
    application of its own, by the same statements as any other. Only HR learns of the repetition.

    Args:
        dispatch_later: gets the messages of the steps that may start. The caller publishes them
            when the applicant has the answer. Without it they are published after COMMIT.

    Returns:
        The application, committed.

    Raises:
        django.db.Error: the database did not store it; then nothing of it is stored.
    """
    identity = identity_of(submission)
    for number in range(TRIES):
        known = repetitions.sent_by_same_sender(identity)
        if known is not None:
            return known
        try:
            with transaction.atomic():
                application, messages = _write(submission, identity, is_retry=number > 0)
                # It runs after COMMIT. An error in it must not look to the applicant as if the
                # application were not stored.
                transaction.on_commit(_dispatching(messages, dispatch_later), robust=True)
        except IntegrityError:
            # The same content was sent at the same moment, the reference is taken, or an old key
            # of the sender is in the way.
            if number == TRIES - 1:
                raise
        else:
            return application
    raise AssertionError("the last try returns or raises")


def sent_before(submission: Submission) -> Application | None:
    """The application that the same sender made with the same content; None when there is none."""
    return repetitions.sent_by_same_sender(identity_of(submission))


def _dispatching(messages: list[Message], later: list[Message] | None) -> Callable[[], None]:
    # Django logs the name of a robust callback, and a partial has none.
    def dispatch_ready() -> None:
        if later is None:
            dispatch.publish(messages)
        else:
            later.extend(messages)

    return dispatch_ready


def _write(
    submission: Submission, identity: Identity, *, is_retry: bool
) -> tuple[Application, list[Message]]:
    now = timezone.now()
    answers = submission.answers
    email = answers[EMAIL]
    suspicion = submission.suspicion or too_many(
        network=submission.network, job_key=submission.job_key
    )
    first = repetitions.lock_first_with_same_content(identity)
    if is_retry:
        # After the lock: otherwise two forms with the same content wait for each other.
        repetitions.forget_outdated(identity)
    # A person decides about a quarantined application. HR's mail is decided then, too.
    known_to_hr = hr_knows(first) and not suspicion
    application = Application(
        page_id=submission.page_id,
        job_key=submission.job_key,
        revision_id=submission.revision_id,
        language=submission.form.language,
        form=submission.form.to_json(),
        answers=answers,
        name=answers[NAME],
        email=mail_address.stored(email, limit=254),
        phone=answers.get(PHONE) or "",
        fingerprint=new_secret() if first else identity.fingerprints[0],
        repeats_id=first or None,
        mails_hr=not known_to_hr,
        receipt_issued_at=now,
        network=submission.network,
        mailbox=mailbox_of(email),
        received_at=now,
        is_test=submission.is_test,
        quarantined=bool(suspicion),
        quarantine_reason=suspicion,
    )
    insert([application])
    # The step “scan” unlocks the files; see careers.pipeline.effects.scan.
    verdict = ScanVerdict.WAITING if scanning.is_configured() else ScanVerdict.NOT_SCANNED
    files = files_of(application, submission.uploads, scan_verdict=verdict)
    insert(
        repetitions.keys_of(identity, application),
        [terms_of_person(application)],
        _consents(application, submission, now),
        [file for file, _content in files],
    )
    insert([FileBytes(file=file, content=content) for file, content in files])
    # Operators get the mail when a job has no recipients.
    recipients = submission.recipients or SiteSettings.operator_addresses()
    not_needed = {MAIL_HR: hr_was_mailed()} if known_to_hr else {}
    # While the broker does not answer, the steps wait for the sweeper.
    sent = not dispatch.is_resting()
    messages = create_steps(application, recipients, at=now, not_needed=not_needed, sent=sent)
    return application, messages if sent else []


def _consents(
    application: Application, submission: Submission, now: dt.datetime
) -> list[ConsentRecord]:
    shown = [("privacy_notice", submission.form.privacy_notice, True)]
    shown += [
        (
            question.key,
            f"{question.label}\n{question.help}".strip(),
            bool(submission.answers.get(question.key)),
        )
        for question in submission.form.questions
        if type_of(question).is_consent
    ]
    return [
        ConsentRecord(application=application, purpose=purpose, text=text, given=given, at=now)
        for purpose, text, given in shown
        if text
    ]


def identity_of(submission: Submission) -> Identity:
    """Who sent what. The content is everything that makes an application differ from all others."""
    content = {
        "job": str(submission.job_key),
        "answers": _normalised(submission.form, submission.answers),
        "files": sorted([upload.question_key, upload.sha256] for upload in submission.uploads),
        "nonce": submission.nonce,
    }
    return repetitions.identify(
        json.dumps(content, sort_keys=True, ensure_ascii=False),
        sender_key=submission.sender_key,
        network=submission.network,
    )


def _normalised(form: FrozenForm, answers: dict[str, Any]) -> dict[str, Any]:
    """The answers without differences that do not matter, such as capitals in an address."""
    types = {question.key: type_of(question) for question in form.questions}
    text = QuestionType()
    return {
        key: normalised
        for key, value in answers.items()
        if not is_empty(normalised := types.get(key, text).normalise(value))
    }
