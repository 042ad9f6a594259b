"""What jobs add to Wagtail: guards, warnings about closed jobs, and jobs on the home page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail import hooks
from wagtail.admin import messages as wagtail_messages
from wagtail.models import Page

from careers.applications.models import Application
from careers.jobs.listing import facets_of
from careers.jobs.models import JobIndexPage, JobPage
from careers.jobs.moving import reason_against
from careers.jobs.openings import DEPARTMENT, LOCATION, openings_below
from careers.jobs.panels import DATES_PANEL
from careers.jobs.recipients import inherited_recipients
from careers.jobs.usage import jobs_that_use
from careers.languages.sharing import is_translated, original_of
from careers.operations.models import Finding, Severity
from home.bidi import isolated, listed
from home.content_cache import cached
from home.models import split_addresses

JOBS_ON_HOME = 6


def jobs_with_applications(pages: list[Page]) -> list[JobPage]:
    """The jobs at or below ``pages``, or translations of them, that have applications."""
    below = [
        key
        for page in pages
        for key in Page.objects.descendant_of(page, inclusive=True).values_list(
            "translation_key", flat=True
        )
    ]
    keys = Application.objects.filter(job_key__in=below).order_by().values("job_key").distinct()
    return list(JobPage.objects.filter(translation_key__in=keys).order_by("title"))


@hooks.register("before_move_page")
def keep_applications_with_their_readers(
    request: HttpRequest, page: Page, destination: Page
) -> HttpResponse | None:
    """Say why a person may not move a page, before they are asked to confirm it."""
    # The reason says that a page has applications, which is for its editors only.
    if not page.permissions_for_user(request.user).can_move():
        raise PermissionDenied
    why = reason_against(page, destination, request.user)
    if not why:
        return None
    messages.error(request, why)
    return redirect("wagtailadmin_explore", page.get_parent().pk)


@hooks.register("after_copy_page")
def name_recipients_left_out(request: HttpRequest, page: Page, new_page: Page) -> None:
    """Say which recipients a copy lost, because the person may not choose them."""
    before, after = (
        split_addresses(getattr(one.specific, "hr_recipients", "")) for one in (page, new_page)
    )
    lost = [address for address in before if address not in after]
    if lost:
        messages.warning(
            request,
            _("The copy does not notify %(addresses)s: you may not choose these recipients.")
            % {"addresses": listed(lost)},
        )


@hooks.register("after_copy_page")
def name_dates_left_out(request: HttpRequest, page: Page, new_page: Page) -> None:
    """Say that a copy has no closing time, because that of the original has passed."""
    before, after = (one.specific.get_latest_revision_as_object() for one in (page, new_page))
    if getattr(before, "closes_at", None) and not after.closes_at:
        messages.info(
            request,
            _("The copy has no closing time, because that of the original has passed."),
        )


# ── Published jobs for which nobody can apply ───────────────────────────────────────────


def nobody_can_apply(page: JobPage) -> str:
    """Why nobody can apply for a job that is published, or will be; "" if people can."""
    scheduled = page.get_scheduled_revision_as_object()
    job = scheduled or page
    published_at = max(timezone.now(), job.go_live_at or timezone.now())
    if not (scheduled or page.live) or not job.deadline or not job.never_opens(published_at):
        return ""
    facts = {"job": isolated(job.title), "moment": job.moment(job.deadline)}
    if job.is_over:
        return _("Nobody can apply for “%(job)s”: it closed on %(moment)s.") % facts
    return _("Nobody can apply for “%(job)s”: it closes on %(moment)s, before it opens.") % facts


def warn_of_closed_job(request: HttpRequest, page: Page) -> None:
    """Say in a message that nobody can apply for a job, with a link to its dates."""
    if not isinstance(page, JobPage) or not (why := nobody_can_apply(page)):
        return
    # A translation has the dates of its original.
    original = original_of(page)
    buttons = []
    if original.permissions_for_user(request.user).can_edit():
        address = reverse("wagtailadmin_pages:edit", args=[original.pk])
        buttons = [wagtail_messages.button(f"{address}#{DATES_PANEL}", _("Change the dates"))]
    wagtail_messages.warning(request, why, buttons=buttons)


hooks.register("after_publish_page", warn_of_closed_job)


@hooks.register("after_edit_page")
def warn_after_approval(request: HttpRequest, page: Page) -> None:
    """Warn when the approval of a colleague published a closed job."""
    if "action-workflow-action" in request.POST:
        warn_of_closed_job(request, type(page)._default_manager.get(pk=page.pk))


# Before wagtail-localize, which answers with its own editor: no later hook runs.
@hooks.register("before_edit_page", order=-1)
def warn_in_translation(request: HttpRequest, page: Page) -> None:
    """Warn in the editor of translations, which shows no panels and runs no other hook."""
    if request.method == "GET" and isinstance(page, JobPage) and is_translated(page):
        warn_of_closed_job(request, JobPage.objects.get(pk=page.pk))


@hooks.register("after_copy_page")
def warn_of_closed_copy(request: HttpRequest, page: Page, new_page: Page) -> None:
    """Warn when a copy was published and is closed."""
    warn_of_closed_job(request, new_page.specific)


@hooks.register("after_bulk_action")
def warn_of_closed_jobs(
    request: HttpRequest, action_type: str, objects: list[Any], action: Any
) -> None:
    """Warn when closed jobs were published in bulk."""
    if action_type == "publish":
        pages = [item.pk for item in objects if isinstance(item, Page)]
        for job in JobPage.objects.filter(pk__in=pages):
            warn_of_closed_job(request, job)


@hooks.register("job_summary")
def closed_job_in_editor(request: HttpRequest, page: JobPage) -> str:
    """The same in the editor, for jobs that were published in any other way."""
    why = nobody_can_apply(JobPage.objects.get(pk=page.pk))
    return render_to_string("careers/jobs/admin/nobody_can_apply.html", {"why": why}) if why else ""


# ── Guards on deleting, publishing and moving ───────────────────────────────────────────


@hooks.register("before_delete_page")
def keep_pages_with_applications(request: HttpRequest, page: Page) -> HttpResponse | None:
    """Refuse to delete a page with applications at or below it, and say what to do instead."""
    return _refuse_deletion(request, [page])


@hooks.register("before_delete_snippet")
def keep_what_jobs_use(request: HttpRequest, items: list[Any]) -> HttpResponse | None:
    """Refuse to delete departments and locations of jobs, one or several, and name the jobs."""
    used = jobs_that_use(items)
    if not used:
        return None
    # A title of a draft is for its editors.
    jobs = [job for job in used if job.live or job.permissions_for_user(request.user).can_edit()]
    context = {
        "items": items,
        "jobs": jobs,
        "others": len(used) - len(jobs),
        "back": reverse(items[0].snippet_viewset.get_url_name("list")),
    }
    return render(request, "careers/jobs/admin/in_use.html", context, status=409)


@hooks.register("before_bulk_action")
def keep_pages_in_bulk(
    request: HttpRequest, action_type: str, objects: list[Any], action: Any
) -> HttpResponse | None:
    """Refuse the same in bulk, and refuse to publish jobs without recipients."""
    pages = [item for item in objects if isinstance(item, Page)]
    if not pages:
        return None
    if action_type == "delete":
        return _refuse_deletion(request, pages)
    if action_type == "publish":
        return _refuse_jobs_without_recipients(request, pages)
    if action_type == "move" and request.method == "POST":
        return _refuse_moves(request, pages)
    return None


def _refuse_deletion(request: HttpRequest, pages: list[Page]) -> HttpResponse | None:
    jobs = jobs_with_applications(pages)
    if not jobs:
        return None
    context = {"pages": pages, "jobs": jobs, "parent": pages[0].get_parent()}
    return render(request, "careers/jobs/admin/delete_refused.html", context, status=409)


def _refuse_moves(request: HttpRequest, pages: list[Page]) -> HttpResponse | None:
    chosen = request.POST.get("chooser", "")
    destination = Page.objects.filter(pk=chosen).first() if chosen.isdecimal() else None
    reasons = destination and [
        reason_against(page, destination, request.user)
        for page in pages
        if page.permissions_for_user(request.user).can_move()
    ]
    why = next((reason for reason in reasons or [] if reason), "")
    if not why:
        return None
    messages.error(request, why)
    return redirect("wagtailadmin_explore", pages[0].get_parent().pk)


def _refuse_jobs_without_recipients(request: HttpRequest, pages: list[Page]) -> HttpResponse | None:
    jobs = JobPage.objects.filter(pk__in=[page.pk for page in pages])
    # Publishing in bulk publishes the drafts.
    without_recipients = [
        job for job in jobs if not job.get_latest_revision_as_object().recipients()
    ]
    if not without_recipients:
        return None
    messages.error(
        request,
        _(
            "Not published: no recipient would be notified of applications for %(jobs)s. "
            "Enter recipients."
        )
        % {"jobs": listed(job.title for job in without_recipients)},
    )
    return redirect("wagtailadmin_explore", without_recipients[0].get_parent().pk)


@hooks.register("health_findings")
def jobs_without_recipients() -> list[Finding]:
    """Open jobs whose applications would only reach the operators.

    The editor refuses to publish such a job, but an address may be removed later.
    """
    unnamed = list(JobPage.objects.open().filter(hr_recipients="").only("path", "title"))
    if not unnamed:
        return []
    named = set(JobIndexPage.objects.exclude(hr_recipients="").values_list("path", flat=True))
    above = {parent_path(job) for job in unnamed} - named
    without = {
        page.path for page in Page.objects.filter(path__in=above) if not inherited_recipients(page)
    }
    jobs = [job.title for job in unnamed if parent_path(job) in without]
    if not jobs:
        return []
    facts = {"count": len(jobs), "jobs": jobs[:5]}
    return [Finding(code="nobody-told", severity=Severity.WARNING, facts=facts)]


def parent_path(page: Page) -> str:
    """The path in the page tree of the page above."""
    return page.path[: -Page.steplen]


@hooks.register("home_page_context")
def open_jobs_for_home(request: HttpRequest, page: Page) -> dict[str, Any]:
    """The jobs below the home page, and the search for them."""
    openings = openings_below(page, JobPage)
    job_index = cached(
        ("first list", page.pk), lambda: JobIndexPage.objects.descendant_of(page).live().first()
    )
    facets = {facet.name: facet for facet in facets_of(openings)}
    return {
        "search_action": job_index.get_url(request) if job_index else "",
        "jobs": openings.rows(openings.keys(openings.all, most=JOBS_ON_HOME)),
        "open_count": len(openings),
        "departments": facets[DEPARTMENT],
        "locations": facets[LOCATION],
    }
