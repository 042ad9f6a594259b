"""Where a job's form posts.

The page with the form comes from caches, so it holds no token. There is no account and no
cookie that a foreign site could abuse; still, a post that does not provably come from our
own page is shown to the applicant once more before it counts.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import Error as DatabaseError
from django.db.models import F, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from careers.applications.errors import is_disk_full
from careers.applications.models import Application
from careers.forms.builder import EDITION, HONEYPOT, ApplicationForm
from careers.forms.uploads import BoundedUploadHandler, claim, network_of
from careers.intake.submit import Submission, sent_before, submit
from careers.jobs.models import JobPage

log = logging.getLogger(__name__)

CONFIRM = "confirm"
CONFIRM_SALT = "careers.jobs.apply.confirm"
CONFIRM_MAX_AGE = 24 * 60 * 60  # seconds


class HttpResponseSeeOther(HttpResponseRedirect):
    """303: the browser is to GET the receipt, so that a reload sends nothing again."""

    status_code = 303


class Body:
    """Counts the bytes of a request that its parser reads.

    When a connection breaks, the server hands on what has come, and Django's parser takes a
    body that breaks off in the middle of a CV for a whole one.
    """

    def __init__(self, request: HttpRequest) -> None:
        self._announced = request.META.get("CONTENT_LENGTH", "")
        self._seen = 0
        self._read = request.read
        request.read = self._count  # type: ignore[method-assign]

    def _count(self, *args: Any, **kwargs: Any) -> bytes:
        part: bytes = self._read(*args, **kwargs)
        self._seen += len(part)
        return part

    @property
    def is_whole(self) -> bool:
        """Whether as much has come as was announced, or nothing was announced or read."""
        return not self._seen or self._announced in ("", str(self._seen))


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def apply(request: HttpRequest, job_key: UUID) -> HttpResponse:
    """Take an application for a job; a GET leads to the job's page."""
    if request.method != "POST":
        job = find_job(job_key)
        if job is None or not job.live:
            raise Http404
        return HttpResponseRedirect(f"{job.url or ''}#apply")
    if not request.META.get("CONTENT_LENGTH") and request.META.get("HTTP_TRANSFER_ENCODING"):
        # Django reads no body whose length was not announced, so all would look left out.
        return problem(
            request,
            411,
            _("The form arrived without its length"),
            _(
                "Nothing was received. The program or proxy that sent it must say how long it is "
                "(Content-Length). Try another browser or another network."
            ),
        )
    # Other charsets can smuggle in what no database takes, such as half a surrogate pair.
    request.encoding = "utf-8"
    request.upload_handlers = [BoundedUploadHandler(request)]
    body = Body(request)
    try:
        request.POST  # noqa: B018 -- parses the body, which is where bad requests show
        if not body.is_whole:
            raise UnreadablePostError
    except (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent):
        return problem(
            request,
            413,
            _("That is more than this form can take"),
            _(
                "Go back: what you entered is still in the form. Shorten the longest answers or "
                "attach them as a file, then send it again."
            ),
        )
    except (MultiPartParserError, UnreadablePostError):
        return problem(
            request,
            400,
            _("The form did not arrive whole"),
            _("The connection broke while it was sent. Go back and send it again."),
        )
    try:
        return _take(request, job_key)
    except DatabaseError as error:
        full = is_disk_full(error)
        cause = "the database's disk is full" if full else type(error).__name__
        log.error("an application could not be stored: %s", cause)
        response = render(
            request,
            "careers/apply/unavailable.html",
            {"kept": plainly_typed(request)},
            status=503,
        )
        response["Retry-After"] = "30"
        return response


def _take(request: HttpRequest, job_key: UUID) -> HttpResponse:
    job = find_job(job_key)
    if job is not None:
        # The job may have no page in the language of the address; then all is in its own.
        with translation.override(job.locale.language_code):
            if may_read(request, job):
                return _take_for(request, job)
            if known := _known(job, _form(request, job)):
                return _receipt(known)
    return problem(
        request,
        404 if job is None else 410,
        _("This job is no longer here"),
        _("It was taken down while you were writing. Here is what you entered, to copy."),
        kept=plainly_typed(request),
    )


def _form(request: HttpRequest, job: JobPage) -> ApplicationForm:
    return ApplicationForm(
        job.frozen_form(),
        job_key=job.job_key,
        network=network_of(request.META.get("REMOTE_ADDR", "")),
        data=request.POST,
        files=request.FILES,
    )


def _submission(job: JobPage, form: ApplicationForm) -> Submission:
    return Submission(
        page_id=job.pk,
        job_key=job.job_key,
        revision_id=job.live_revision_id,
        form=form.frozen,
        answers=form.answers,
        uploads=form.uploads,
        recipients=tuple(job.recipients()),
        suspicion="honeypot" if form.looks_automatic else "",
    )


def _known(job: JobPage, form: ApplicationForm) -> Application | None:
    """What somebody sends again whose answer was lost: it counts, whatever became of the job."""
    # A receipt says that we have it all, also what nobody asks for any more.
    if not form.is_valid() or form.no_longer_asked():
        return None
    return sent_before(_submission(job, form))


def _receipt(application: Application) -> HttpResponse:
    return HttpResponseSeeOther(reverse("receipt", args=[application.receipt_secret]))


def _take_for(request: HttpRequest, job: JobPage) -> HttpResponse:
    job_key = job.job_key
    form = _form(request, job)
    valid = form.is_valid()
    if not job.is_open and (known := _known(job, form)):
        return _receipt(known)
    # A receipt says that we have it all: what nobody asks for any more is given back instead.
    gone = [("", text) for text in form.no_longer_asked()]
    if job.is_upcoming:
        return _page(request, job, None, 409, early=True, kept=form.typed() + gone)
    if not job.is_open:
        return _page(request, job, None, 410, closed=True, kept=form.typed() + gone)
    changed = bool(gone) or not form.is_of_today
    if not valid or changed:
        form.keep_files()
        return _page(request, job, form, 422, changed=changed, kept=gone)
    if not (comes_from_our_page(request) or is_confirmed(request, job_key)):
        form.keep_files()
        token = signing.TimestampSigner(salt=CONFIRM_SALT).sign(str(job_key))
        return _page(request, job, form, 422 if form.errors else 200, confirm_token=token)
    application = submit(_submission(job, form))
    try:
        claim(form.kept.values())
    except DatabaseError as error:
        # The application is committed; the copies that the form kept go when their day is over.
        log.warning("what the form kept stays for now: %s", type(error).__name__)
    return _receipt(application)


def find_job(job_key: UUID) -> JobPage | None:
    """The job in the active language, or in any other when there is no such page."""
    language = translation.get_language()
    pages = list(
        # An alias in another language has no words of its own.
        JobPage.objects.filter(Q(alias_of=None) | Q(alias_of__locale=F("locale")))
        .filter(translation_key=job_key)
        .select_related("locale")
        .order_by("pk")
    )
    pages.sort(key=lambda page: (page.locale.language_code != language, not page.live))
    return pages[0] if pages else None


def may_read(request: HttpRequest, job: JobPage) -> bool:
    """Whether Wagtail would show this visitor the job's page, whose words an answer repeats."""
    return job.live and all(
        restriction.accept_request(request) for restriction in job.get_view_restrictions()
    )


def comes_from_our_page(request: HttpRequest) -> bool:
    """Whether the browser vouches that the form was sent from a page of this site."""
    if request.headers.get("Sec-Fetch-Site") == "same-origin":
        return True
    sent, own = (urlsplit(url) for url in (request.headers.get("Origin", ""), settings.SITE_URL))
    return bool(sent.scheme) and (sent.scheme, sent.netloc) == (own.scheme, own.netloc)


def is_confirmed(request: HttpRequest, job_key: UUID) -> bool:
    """Whether the applicant has seen the confirmation page for this job, within a day."""
    signer = signing.TimestampSigner(salt=CONFIRM_SALT)
    try:
        return signer.unsign(request.POST.get(CONFIRM, ""), max_age=CONFIRM_MAX_AGE) == str(job_key)
    except signing.BadSignature:
        return False


def plainly_typed(request: HttpRequest) -> list[tuple[str, str]]:
    """What was typed, without the questions' words, for when these can't be had."""
    hidden = ("csrfmiddlewaretoken", CONFIRM, EDITION, HONEYPOT)
    return [
        ("", text)
        for name, values in request.POST.lists()
        if name not in hidden and not name.startswith(("kept-", "drop-"))
        for text in values
        if text.strip()
    ]


def problem(
    request: HttpRequest,
    status: int,
    title: str,
    *paragraphs: str,
    kept: list[tuple[str, str]] | None = None,
) -> HttpResponse:
    """A page in plain words about something that is no field's fault."""
    context = {"title": title, "paragraphs": paragraphs, "kept": kept or []}
    return render(request, "careers/apply/problem.html", context, status=status)


def _page(
    request: HttpRequest, job: JobPage, form: ApplicationForm | None, status: int, **more: Any
) -> HttpResponse:
    """The job's page again, with what the applicant entered."""
    context = job.get_context(request, form=form) | more
    if form is not None:
        context["error_summary"] = [
            (field.id_for_label or field.auto_id, message)
            for field in form
            for message in field.errors
        ]
    return render(request, job.get_template(request), context, status=status)
