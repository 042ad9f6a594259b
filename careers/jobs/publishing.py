"""Warnings about published jobs that nobody can apply for, or whose applications reach nobody.

Jobs are published in the editor, by a colleague's approval, in bulk, as copies, with a translation
and through Wagtail's API. Each of these ways writes Wagtail's log. So a request is followed by a
look at the jobs that its log entries name. The schedule has no request: it leaves a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any

from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail import hooks
from wagtail.admin import messages
from wagtail.models import PageLogEntry

from careers.jobs.models import JobPage
from careers.jobs.panels import DATES_PANEL, RECIPIENTS_PANEL
from careers.languages.sharing import is_translated, original_of
from careers.operations.models import Finding, Severity
from home.bidi import isolated, listed

GetResponse = Callable[[HttpRequest], HttpResponseBase]

#: Wagtail's log entries after which a page may be published, or will be by its schedule.
_BY_SCHEDULE = "wagtail.publish.scheduled"
_PUBLICATIONS = ("wagtail.publish", "wagtail.publish.schedule", _BY_SCHEDULE, "wagtail.copy")
#: How many jobs a message or a finding names.
NAMED = 5

#: The keys of the pages that the present request publishes; None outside of requests.
_published: ContextVar[list[int] | None] = ContextVar("published", default=None)


# ── What is wrong with a job ────────────────────────────────────────────────────────────


def nobody_can_apply(page: JobPage) -> str:
    """Why nobody can apply for a job that is published, or will be; "" if people can."""
    job = _as_published(page)
    if job is None or not _never_opens(job):
        return ""
    facts = {"job": isolated(job.title), "moment": job.moment(job.deadline)}
    if job.is_over:
        return _("Nobody can apply for “%(job)s”: it closed on %(moment)s.") % facts
    return _("Nobody can apply for “%(job)s”: it closes on %(moment)s, before it opens.") % facts


def nobody_is_notified(page: JobPage) -> str:
    """The same for a job for which people can apply, but that has no recipients."""
    job = _as_published(page)
    if job is None or _never_opens(job) or job.recipients():
        return ""
    return _("Nobody gets a mail about applications for “%(job)s”.") % {"job": isolated(job.title)}


def _as_published(page: JobPage) -> Any:
    """The job as it is published, or will be by its schedule; None if it is neither."""
    return page.get_scheduled_revision_as_object() or (page if page.live else None)


def _never_opens(job: JobPage) -> bool:
    now = timezone.now()
    return bool(job.deadline and job.never_opens(max(now, job.go_live_at or now)))


# ── Messages after a request ────────────────────────────────────────────────────────────


def published_jobs_are_checked(get_response: GetResponse) -> GetResponse:
    """Middleware that warns a person of the jobs that their request has published."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        token = _published.set([])
        try:
            response = get_response(request)
            if keys := _published.get():
                warn(request, _to_warn_of(keys, response))
            return response
        finally:
            _published.reset(token)

    return middleware


@receiver(post_save, sender=PageLogEntry)
def note_publication(instance: PageLogEntry, created: bool, **_more: Any) -> None:
    """Keep which pages a request publishes, until it ends."""
    keys = _published.get()
    if keys is not None and created and instance.action in _PUBLICATIONS:
        keys.append(instance.page_id)


def _to_warn_of(keys: Iterable[int], response: HttpResponseBase) -> list[JobPage]:
    """One page for each job: the last one, because an original is published after the others."""
    found = JobPage.objects.in_bulk(set(keys))
    jobs = {found[key].job_key: found[key] for key in keys if key in found}
    # The editor of a translation, if it is the next page, warns by itself.
    next_page = response.headers.get("Location", "")
    return [
        job
        for job in jobs.values()
        if next_page != reverse("wagtailadmin_pages:edit", args=[job.pk]) or not is_translated(job)
    ]


def warn(request: HttpRequest, jobs: Iterable[JobPage]) -> None:
    """Say which of the jobs nobody can apply for or is notified of, with a link to correct it."""
    jobs = list(jobs)
    for says, panel, button, several in (
        (
            nobody_can_apply,
            DATES_PANEL,
            _("Change the dates"),
            _("Nobody can apply for these jobs, because of their dates: %(jobs)s."),
        ),
        (
            nobody_is_notified,
            RECIPIENTS_PANEL,
            _("Enter recipients"),
            _("Nobody gets a mail about applications for these jobs: %(jobs)s."),
        ),
    ):
        warned = [(job, why) for job in jobs if (why := says(job))]
        if len(warned) > 1:
            names = listed([job.title for job, _why in warned[:NAMED]], len(warned))
            messages.warning(request, several % {"jobs": names})
        for job, why in warned if len(warned) == 1 else []:
            messages.warning(request, why, buttons=_buttons(request, job, panel, button))


def _buttons(request: HttpRequest, job: JobPage, panel: str, text: str) -> list[Any]:
    # A translation has the dates and recipients of its original.
    original = original_of(job)
    if not original.permissions_for_user(request.user).can_edit():
        return []
    address = reverse("wagtailadmin_pages:edit", args=[original.pk])
    return [messages.button(f"{address}#{panel}", text)]


# ── The editor ──────────────────────────────────────────────────────────────────────────


# Before wagtail-localize, which answers with its own editor: no later hook runs.
@hooks.register("before_edit_page", order=-1)
def warn_in_translation(request: HttpRequest, page: Any) -> None:
    """Warn in the editor of translations, which shows no panels and runs no other hook."""
    if request.method == "GET" and isinstance(page, JobPage) and is_translated(page):
        warn(request, [JobPage.objects.get(pk=page.pk)])


@hooks.register("job_summary")
def warn_in_editor(request: HttpRequest, page: JobPage) -> str:
    """The same in the editor, as long as it is so."""
    stored = JobPage.objects.get(pk=page.pk)
    reasons = [why for why in (nobody_can_apply(stored), nobody_is_notified(stored)) if why]
    if not reasons:
        return ""
    return render_to_string("careers/jobs/admin/nobody_can_apply.html", {"reasons": reasons})


# ── The schedule ────────────────────────────────────────────────────────────────────────


@hooks.register("health_findings")
def jobs_scheduled_too_late() -> list[Finding]:
    """Jobs that the schedule has published after they closed. Nobody was there to be warned."""
    last = PageLogEntry.objects.filter(page=OuterRef("pk"), action__startswith="wagtail.publish")
    too_late = (
        Q(closes_at__lte=F("last_published_at"))
        | Q(expire_at__lte=F("last_published_at"))
        | Q(expire_at__lte=F("opens_at"))
    )
    titles = list(
        JobPage.objects.live()
        .filter(too_late)
        .annotate(way=Subquery(last.order_by("-timestamp", "-pk").values("action")[:1]))
        .filter(way=_BY_SCHEDULE)
        .order_by("title")
        .values_list("title", flat=True)
    )
    if not titles:
        return []
    facts = {"count": len(titles), "jobs": titles[:NAMED]}
    return [Finding(code="published-too-late", severity=Severity.WARNING, facts=facts)]
