"""The applications for a job, in one line above its editor."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from wagtail.admin import messages
from wagtail.models import Page

from careers.backoffice import paging
from careers.backoffice.permissions import (
    READ,
    SEE_TASKS,
    Held,
    visible_applications,
)
from careers.backoffice.state_groups import ATTENTION
from careers.jobs.models import JobPage
from careers.languages.sharing import is_translated
from careers.pipeline.models import Step


def job_summary(request: HttpRequest, page: JobPage) -> str:
    """The number of applications for a job, in all languages, and how many need attention.

    "" for a user who may not read the applications. It takes few queries.
    """
    facts = _facts(request, page)
    return render_to_string("careers/backoffice/job_summary.html", facts) if facts else ""


def show_translator(request: HttpRequest, page: Page) -> None:
    """Show the same numbers as a message, for Wagtail's hook ``before_edit_page``.

    The editor of wagtail-localize, where translations are edited, shows no panels.
    """
    if request.method != "GET" or not isinstance(page, JobPage) or not is_translated(page):
        return
    facts = _facts(request, page)
    if facts and facts["applications"]:
        say = messages.warning if facts["attention"] else messages.info
        line = render_to_string("careers/backoffice/job_summary_line.html", facts)
        ways = {facts["applications_url"]: _("Applications")}
        if facts["attention"] and facts["attention_url"]:
            ways[facts["attention_url"]] = _("Task status")
        # On the colours of Wagtail's messages, links within a sentence are hard to read.
        buttons = [messages.button(url, label) for url, label in ways.items()]
        say(request, strip_tags(line).strip(), buttons=buttons)


def _facts(request: HttpRequest, page: JobPage) -> dict[str, Any]:
    """The context of the templates; empty for a user who may not read the applications."""
    held = Held(request.user, page.job_key)
    if READ not in held:
        return {}
    of_job = visible_applications(request.user).for_job(page.job_key).filter(is_test=False)
    in_need = Step.objects.needing_a_person().values("application")
    numbers = {
        "applications": paging.counted(of_job),
        "quarantined": paging.counted(of_job.filter(quarantined=True)),
        "attention": paging.counted(of_job.filter(pk__in=in_need)),
    }
    shown = {f"{name}_number": paging.number_of(number) for name, number in numbers.items()}
    job = {"job": page.pk}
    applications = reverse("careers_applications:index")
    tasks = reverse("careers_tasks:index")
    return {
        **numbers,
        **shown,
        "applications_url": f"{applications}?{urlencode(job)}",
        "attention_url": f"{tasks}?{urlencode({'state': ATTENTION, **job})}"
        if SEE_TASKS in held
        else "",
    }
