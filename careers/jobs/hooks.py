"""What jobs add to Wagtail: guards, and jobs on the home page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from wagtail import hooks
from wagtail.models import Page

from careers.applications.models import Application
from careers.jobs.listing import facets_of
from careers.jobs.models import JobIndexPage, JobPage
from careers.jobs.moving import reason_against
from careers.jobs.openings import DEPARTMENT, LOCATION, openings_below
from careers.jobs.recipients import inherited_recipients
from careers.jobs.usage import jobs_that_use
from careers.operations.models import Finding, Severity
from home.bidi import listed
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
