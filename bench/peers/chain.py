"""The usual flow: the view stores the form, then calls ``delay()`` on a chain of Celery tasks.

The form, its checks and the receipt are the site's own. Stored are only the application and its
files: no step, no history, no search terms, no detection of repetitions or floods. If the broker
is down, the applicant gets an error; if a message is lost, so is the application's work.
``gunicorn bench.peers.chain`` serves it. Only the time to the receipt is measured, so the tasks
have no content and no worker takes them.
"""

from __future__ import annotations

from typing import Any

from careersite.celery import app
from careersite.wsgi import application

# isort: split
# The line above loads Django.
from celery import chain
from django.db import transaction
from django.utils import timezone

from careers.applications.files import store_file
from careers.applications.models import Application, FileKind
from careers.apply import views
from careers.intake.submit import Submission

__all__ = ["application"]

QUEUE = "bench"


@app.task(name="bench.make_pdf", queue=QUEUE)
def make_pdf(application_id: int) -> None: ...


@app.task(name="bench.archive", queue=QUEUE)
def archive(application_id: int) -> None: ...


@app.task(name="bench.mail_hr", queue=QUEUE)
def mail_hr(application_id: int) -> None: ...


@app.task(name="bench.mail_applicant", queue=QUEUE)
def mail_applicant(application_id: int) -> None: ...


def submit_and_delay(submission: Submission, **_later: Any) -> Application:
    """Store an application with its files, and send its tasks to the broker."""
    answers = submission.answers
    with transaction.atomic():
        stored = Application.objects.create(
            page_id=submission.page_id,
            job_key=submission.job_key,
            revision_id=submission.revision_id,
            language=submission.form.language,
            form=submission.form.to_json(),
            answers=answers,
            name=answers["name"],
            email=answers["email"],
            phone=answers.get("phone") or "",
            fingerprint=f"{timezone.now().timestamp()}-{answers['email']}"[:64],
            received_at=timezone.now(),
        )
        for upload in submission.uploads:
            store_file(
                stored,
                kind=FileKind.CV,
                content=upload.content,
                filename=upload.filename,
                content_type=upload.content_type,
                question_key=upload.question_key,
            )
    chain(make_pdf.si(stored.pk), archive.si(stored.pk), mail_hr.si(stored.pk)).delay()
    mail_applicant.delay(stored.pk)
    return stored


views.submit = submit_and_delay
