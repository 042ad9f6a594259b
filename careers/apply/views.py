"""The address that a job's form is sent to.

Applicants have no account and no cookie that another site could abuse. ``origin`` replaces
Django's CSRF token.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import Error as DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from careers.applications.errors import is_disk_full
from careers.applications.models import Application
from careers.applications.networks import network_of
from careers.apply import known_jobs
from careers.apply.body import BadBody, read_body, texts_of
from careers.apply.decide import (
    Accepted,
    Changed,
    Closed,
    Duplicate,
    Hidden,
    Invalid,
    NeedsConfirmation,
    NotOpenYet,
    decide,
)
from careers.apply.origin import confirmation_token
from careers.forms.builder import ApplicationForm
from careers.forms.uploads import claim
from careers.inspection import Busy, Slots
from careers.intake.submit import submit
from careers.jobs.models import JobPage
from careers.pipeline import publisher
from careers.pipeline.dispatch import Message

log = logging.getLogger(__name__)

#: How many forms one web process handles. A form costs more than a page, and anybody can send many.
#: Two run at once, at most one of each network; 13 run or wait, at most 11 of one network. So three
#: of the 16 threads (``careersite.gunicorn``) stay free for pages. A form counts only after its
#: whole body has arrived, so a slow phone keeps no other form waiting.
FORMS = Slots(running=2, places=13, of_one_sender=11)
#: Seconds that a form waits. Then its sender sees their answers and is asked to try again.
PATIENCE = 30


class HttpResponseSeeOther(HttpResponseRedirect):
    """303: the browser gets the receipt with GET, so that a reload sends nothing again."""

    status_code = 303


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def apply(request: HttpRequest, job_key: UUID) -> HttpResponse:
    """Receive an application for a job; GET redirects to the form on the job's page."""
    if request.method != "POST":
        return _form_of_job(job_key)
    try:
        read_body(request)
    except BadBody as bad:
        return _problem(request, bad.status, bad.title, bad.advice)
    network = network_of(request.META.get("REMOTE_ADDR", ""))
    try:
        with FORMS.taken_by(network, patience=PATIENCE):
            return _receive(request, job_key, network)
    except Busy:
        return _unavailable(request, "too many forms at the same time")
    except DatabaseError as error:
        full = is_disk_full(error)
        cause = "the database's disk is full" if full else type(error).__name__
        return _unavailable(request, cause)


def _form_of_job(job_key: UUID) -> HttpResponse:
    job: JobPage | None = JobPage.objects.by_key(job_key)
    if job is None or not job.live:
        raise Http404
    return HttpResponseRedirect(f"{job.url or ''}#apply")


def _receive(request: HttpRequest, job_key: UUID, network: str) -> HttpResponse:
    """Answer a form whose body arrived."""
    known = known_jobs.find(job_key)
    if known is None:
        return _gone(request, 404)
    job = known.page
    # If the job has no page in the language of the address, the answer is in the job's language.
    with translation.override(job.locale.language_code):
        form = ApplicationForm(
            known.form(),
            job_key=job.job_key,
            network=network,
            data=request.POST,
            files=request.FILES,
        )
        match decide(job, form, request):
            case Accepted(submission):
                messages: list[Message] = []
                application = submit(submission, dispatch_later=messages)
                _release_kept_files(form)
                return _receipt(application, messages)
            case Duplicate(application):
                return _receipt(application)
            case NotOpenYet(entered):
                return _job_page(request, job, None, 409, early=True, kept=entered)
            case Closed(entered):
                return _job_page(request, job, None, 410, closed=True, kept=entered)
            case Changed(no_longer_asked):
                form.keep_files()
                return _job_page(request, job, form, 422, changed=True, kept=no_longer_asked)
            case Invalid():
                form.keep_files()
                return _job_page(request, job, form, 503 if form.unchecked else 422)
            case NeedsConfirmation():
                form.keep_files()
                status = 422 if form.errors else 200
                token = confirmation_token(job.job_key)
                return _job_page(request, job, form, status, confirm_token=token)
            case Hidden():
                pass
    # In the language of the address: nothing here comes from the job.
    return _gone(request, 410)


def _release_kept_files(form: ApplicationForm) -> None:
    if not form.kept:
        return
    try:
        claim(form.kept.values())
    except DatabaseError as error:
        # The application is committed. The copies expire by themselves within a day.
        log.warning("kept uploads are not released yet: %s", type(error).__name__)


def _receipt(application: Application, messages: Sequence[Message] = ()) -> HttpResponse:
    """Send the browser to the receipt; then publish the messages."""
    response = HttpResponseSeeOther(reverse("receipt", args=[application.receipt_secret]))
    # The server closes the response after its last byte.
    response._resource_closers.append(  # type: ignore[attr-defined]
        lambda: publisher.PUBLISHER.put(messages)
    )
    return response


def _job_page(
    request: HttpRequest, job: JobPage, form: ApplicationForm | None, status: int, **notice: Any
) -> HttpResponse:
    """The job's page with the form as it was sent, and a notice about it.

    Args:
        job: a page that other requests read, too. It is read anew to be shown.
    """
    job = JobPage.objects.by_key(job.job_key) or job
    context = job.get_context(request, form=form) | notice
    if form is not None:
        context["error_summary"] = [
            (field.id_for_label or field.auto_id, message)
            for field in form
            for message in field.named_errors  # type: ignore[attr-defined]
        ]
    return render(request, job.get_template(request), context, status=status)


def _gone(request: HttpRequest, status: int) -> HttpResponse:
    return _problem(
        request,
        status,
        _("This job is no longer here"),
        _("It was taken down while you were writing. You can copy what you entered."),
        kept=texts_of(request),
    )


def _unavailable(request: HttpRequest, cause: str) -> HttpResponse:
    log.error("an application could not be stored: %s", cause)
    context = {"kept": texts_of(request)}
    response = render(request, "careers/apply/unavailable.html", context, status=503)
    response["Retry-After"] = "30"
    return response


def _problem(
    request: HttpRequest,
    status: int,
    title: str,
    advice: str,
    kept: list[tuple[str, str]] | None = None,
) -> HttpResponse:
    """A page about a problem that concerns no single field."""
    context = {"title": title, "paragraphs": [advice], "kept": kept or []}
    return render(request, "careers/apply/problem.html", context, status=status)
