"""The decision about a form: its outcome for each state of the job, the form and the request."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import HttpRequest
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.models import PageViewRestriction

from careers.applications.models import Application
from careers.apply.decide import (
    Accepted,
    Changed,
    Closed,
    Duplicate,
    Hidden,
    Invalid,
    NeedsConfirmation,
    NotOpenYet,
    Outcome,
    decide,
)
from careers.apply.origin import CONFIRM, confirmation_token
from careers.apply.sender import SENDER
from careers.intake.submit import submit
from careers.jobs.models import JobPage
from home.models import SiteSettings
from tests.support.applying import ADDRESS, JANE, OTHER_KEY, OWN_KEY, bound, the_cv

pytestmark = pytest.mark.django_db

WHY = {"q-why": "Because of the tides"}


def request(
    *, origin: str = settings.SITE_URL, confirm: str = "", sender: str = OWN_KEY
) -> HttpRequest:
    data = {CONFIRM: confirm, SENDER: sender}
    made = RequestFactory().post("/", data, headers={"origin": origin})
    made.session = {}  # type: ignore[assignment]
    made.user = AnonymousUser()
    return made


def outcome(job: Any, **entered: Any) -> Outcome:
    """The decision about a form from our own page."""
    return decide(job, bound(job, **entered), request())


def make(job: Any, state: str) -> None:
    """Bring a job into a state in which it accepts no applications."""
    match state:
        case "closed":
            job.closes_at = timezone.now() - dt.timedelta(seconds=1)
        case "upcoming":
            job.opens_at = timezone.now() + dt.timedelta(days=1)
        case "closed just now":
            SiteSettings.objects.update(closing_grace=60)
            job.closes_at = timezone.now() - dt.timedelta(seconds=1)
        case "expired just now":
            SiteSettings.objects.update(closing_grace=60)
            job.expire_at = timezone.now() - dt.timedelta(seconds=1)
            job.live, job.expired = False, True
        case "unpublished":
            SiteSettings.objects.update(closing_grace=60)
            job.live = False
        case "restricted":
            PageViewRestriction.objects.create(page=job, restriction_type="login")
    job.save()


def accept(job: Any) -> Application:
    """Store the application that ``bound`` enters."""
    decided = outcome(job)
    assert isinstance(decided, Accepted)
    return submit(decided.submission)


def test_valid_form_is_accepted_with_its_submission(job: Any) -> None:
    decided = outcome(job, phone="+47 55 55 00 00")
    assert isinstance(decided, Accepted)
    submission = decided.submission
    assert (submission.page_id, submission.job_key) == (job.pk, job.job_key)
    assert submission.answers == {"name": JANE, "email": ADDRESS, "phone": "+47 55 55 00 00"}
    assert [upload.content for upload in submission.uploads] == [the_cv()]
    assert submission.recipients == tuple(job.recipients())
    assert submission.suspicion == ""


def test_filled_honeypot_is_accepted_as_suspicious(job: Any) -> None:
    decided = outcome(job, more="https://spam.example")
    assert isinstance(decided, Accepted)
    assert decided.submission.suspicion == "honeypot"


@pytest.mark.parametrize("state", ["closed", "upcoming", "unpublished", "restricted"])
def test_same_content_is_duplicate_when_job_no_longer_accepts(job: Any, state: str) -> None:
    application = accept(job)
    make(job, state)
    assert outcome(job) == Duplicate(application)
    assert not isinstance(outcome(job, name="Somebody Else"), Duplicate)
    assert not isinstance(outcome(job, **WHY), Duplicate)


@pytest.mark.parametrize("state", ["closed", "upcoming", "unpublished", "restricted"])
@pytest.mark.parametrize("sender", [OTHER_KEY, ""], ids=["other key", "no key"])
def test_same_content_of_another_sender_is_decided_as_if_it_were_new(
    job: Any, state: str, sender: str
) -> None:
    make(job, state)
    decide(job, bound(job), request(sender=sender))  # fills the caches of Django and Wagtail
    with CaptureQueriesContext(connection) as before:
        new = decide(job, bound(job), request(sender=sender))
    job.live = True
    job.closes_at = job.opens_at = None
    PageViewRestriction.objects.all().delete()
    job.save()
    accept(job)
    make(job, state)
    with CaptureQueriesContext(connection) as after:
        again = decide(job, bound(job), request(sender=sender))
    assert type(again) is type(new)
    assert len(after) == len(before)


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        (OWN_KEY, True),
        ("", False),
        (OWN_KEY.upper(), False),
        (OWN_KEY + "\n", False),
        (OWN_KEY[:-1], False),
        (OWN_KEY * 1000, False),
        ("é" * 32, False),
        ("\x00" * 32, False),
    ],
    ids=["valid", "none", "capitals", "line break", "short", "long", "letters", "zero bytes"],
)
def test_sender_key_counts_only_when_well_formed(job: Any, sent: str, known: bool) -> None:
    decided = decide(job, bound(job), request(sender=sent))
    assert isinstance(decided, Accepted)
    assert decided.submission.sender_key == (OWN_KEY if known else "")
    assert sent == "" or sent not in repr(decided)


@pytest.mark.parametrize("state", ["closed just now", "expired just now"])
def test_form_is_decided_as_before_until_the_grace_ends(
    job: Any, state: str, time_machine: Any
) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    foreign = request(origin="https://elsewhere.example")
    make(job, state)
    # The next request fetches the job and its company again.
    job = JobPage.objects.get(pk=job.pk)
    assert isinstance(outcome(job), Accepted)
    assert outcome(job, email="jane@") == Invalid()
    assert isinstance(outcome(job, edition="another"), Changed)
    assert decide(job, bound(job), foreign) == NeedsConfirmation()
    time_machine.shift(dt.timedelta(minutes=61))
    assert type(outcome(job)) is (Closed if job.live else Hidden)


@pytest.mark.parametrize("state", ["closed just now", "expired just now"])
def test_job_that_was_restricted_when_it_closed_stays_hidden(job: Any, state: str) -> None:
    make(job, "restricted")
    make(job, state)
    assert outcome(JobPage.objects.get(pk=job.pk)) == Hidden()


@pytest.mark.parametrize("name", [JANE, ""], ids=["valid", "with an error"])
def test_upcoming_job_is_not_open_yet_and_returns_what_was_entered(job: Any, name: str) -> None:
    make(job, "upcoming")
    decided = outcome(job, name=name, **WHY)
    assert isinstance(decided, NotOpenYet)
    texts = [text for _label, text in decided.entered]
    assert texts == [*([name] if name else []), ADDRESS, "cv.pdf", *WHY.values()]


def test_closed_job_returns_what_was_entered(job: Any) -> None:
    make(job, "closed")
    assert outcome(job) == Closed(
        [("Full name", JANE), ("E-mail address", ADDRESS), ("CV", "cv.pdf")]
    )


@pytest.mark.parametrize("state", ["unpublished", "restricted"])
def test_hidden_job_returns_nothing_about_itself(job: Any, state: str) -> None:
    make(job, state)
    assert outcome(job) == Hidden()
    assert outcome(job, name="") == Hidden()


def test_hidden_upcoming_job_is_hidden(job: Any) -> None:
    make(job, "upcoming")
    make(job, "unpublished")
    assert outcome(job) == Hidden()


@pytest.mark.parametrize("name", [JANE, ""], ids=["valid", "with an error"])
def test_answer_to_removed_question_is_changed(job: Any, name: str) -> None:
    assert outcome(job, name=name, **WHY) == Changed([("", "Because of the tides")])


def test_form_of_another_edition_is_changed(job: Any) -> None:
    assert outcome(job, edition="another") == Changed([])


def test_form_with_error_is_invalid(job: Any) -> None:
    assert outcome(job, email="jane@") == Invalid()


def test_form_without_origin_needs_confirmation(job: Any) -> None:
    foreign = request(origin="https://elsewhere.example")
    assert decide(job, bound(job), foreign) == NeedsConfirmation()
    # Errors come first: the applicant confirms only what can be accepted.
    assert decide(job, bound(job, name=""), foreign) == Invalid()


def test_form_with_confirmation_token_is_accepted(job: Any) -> None:
    confirmed = request(origin="https://elsewhere.example", confirm=confirmation_token(job.job_key))
    assert isinstance(decide(job, bound(job), confirmed), Accepted)


@pytest.mark.parametrize("state", ["open", "closed", "closed just now", "upcoming", "unpublished"])
def test_decision_only_reads_the_database(job: Any, state: str) -> None:
    accept(job)
    make(job, state)
    for entered in ({}, {"name": ""}, {"edition": "another"}, WHY):
        with CaptureQueriesContext(connection) as captured:
            outcome(job, **entered)
        assert all(query["sql"].startswith("SELECT") for query in captured)
