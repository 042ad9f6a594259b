"""Decide what happens to a form that was sent for a job.

``decide`` reads and judges; it stores nothing and renders nothing. The view acts on its result.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from careers.applications.models import Application
from careers.apply.origin import comes_from_our_page, is_confirmed
from careers.apply.sender import sender_key
from careers.forms.builder import ApplicationForm
from careers.intake.submit import Submission, sent_before
from careers.jobs.models import JobPage

#: What the applicant entered, as label and text; labels may be empty.
Entered = list[tuple[str, str]]


@dataclass(frozen=True)
class Accepted:
    """The form is valid and goes to intake."""

    submission: Submission


@dataclass(frozen=True)
class Duplicate:
    """The job accepts no applications now, but the same sender's application was stored earlier."""

    application: Application


@dataclass(frozen=True)
class NotOpenYet:
    """The job will accept applications later; the applicant gets back what they entered."""

    entered: Entered


@dataclass(frozen=True)
class Closed:
    """The job no longer accepts applications; the applicant gets back what they entered.

    For a while after a job closes, forms are still accepted (``JobPage.grace_until``): people who
    opened the form in time may finish it.
    """

    entered: Entered


@dataclass(frozen=True)
class Hidden:
    """The visitor may not read the job's page, so the answer must not repeat its words."""


@dataclass(frozen=True)
class Changed:
    """The questions or the privacy notice changed since the applicant opened the form.

    ``no_longer_asked`` holds answers to questions that no longer exist. The form may have errors.
    """

    no_longer_asked: Entered


@dataclass(frozen=True)
class Invalid:
    """The form has errors."""


@dataclass(frozen=True)
class NeedsConfirmation:
    """The form is valid, but nothing proves that it comes from our own page."""


Outcome = (
    Accepted | Duplicate | NotOpenYet | Closed | Hidden | Changed | Invalid | NeedsConfirmation
)


def decide(job: JobPage, form: ApplicationForm, request: HttpRequest) -> Outcome:
    """What happens to a form that was sent.

    Args:
        job: the job that the form was sent for.
        form: the form of this job with what was sent, not validated yet.
        request: shows what the visitor may read and where the form comes from.

    Raises:
        django.db.Error: the database could not be read.
    """
    is_valid = form.is_valid()
    # A receipt confirms every answer, so a form that answers a removed question gets
    # no receipt.
    gone = [("", text) for text in form.no_longer_asked()]
    is_readable = job.is_readable_by(request)
    # Read in this order: a job that opens at this moment is open, and one that closes is in the
    # time of grace.
    is_upcoming = job.is_upcoming
    is_accepted = job.is_open or job.grace_until is not None
    if is_upcoming or not is_accepted or not is_readable:
        # The applicant may have lost the first response, so they get the receipt again.
        if is_valid and not gone and (known := sent_before(submission_of(job, form, request))):
            return Duplicate(known)
        if not is_readable:
            return Hidden()
        entered = form.typed() + gone
        return NotOpenYet(entered) if is_upcoming else Closed(entered)
    if gone or not form.is_current:
        return Changed(gone)
    if not is_valid:
        return Invalid()
    if not (comes_from_our_page(request) or is_confirmed(request, job.job_key)):
        return NeedsConfirmation()
    return Accepted(submission_of(job, form, request))


def submission_of(job: JobPage, form: ApplicationForm, request: HttpRequest) -> Submission:
    """A valid form as intake takes it."""
    return Submission(
        page_id=job.pk,
        job_key=job.job_key,
        revision_id=job.live_revision_id,
        form=form.frozen,
        answers=form.answers,
        uploads=form.uploads,
        recipients=tuple(job.recipients()),
        sender_key=sender_key(request),
        network=form.network,
        suspicion="honeypot" if form.looks_automatic else "",
    )
