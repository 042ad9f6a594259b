"""The applications for a job, in one line above its editor."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Exists, OuterRef, Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from wagtail.admin import messages
from wagtail.models import Page

from careers.backoffice.permissions import SEE_TASKS, visible_applications, visible_jobs
from careers.backoffice.state_groups import ATTENTION
from careers.jobs.models import JobPage
from careers.languages.sharing import is_translated
from careers.pipeline.models import Step


def job_summary(request: HttpRequest, page: JobPage) -> str:
    """How many applied for a job, in whatever language, and what needs attention; two queries.

    "" for those who may not read its applications.
    """
    facts = _facts(request, page)
    return render_to_string("careers/backoffice/job_summary.html", facts) if facts else ""


def tell_translator(request: HttpRequest, page: Page) -> None:
    """The same as a message, for Wagtail's hook ``before_edit_page``.

    A translation is edited in wagtail-localize's own editor, which shows no panels.
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
        # Links in a sentence can't be read on the colours that Wagtail gives messages.
        buttons = [messages.button(url, label) for url, label in ways.items()]
        say(request, strip_tags(line).strip(), buttons=buttons)


def _facts(request: HttpRequest, page: JobPage) -> dict[str, Any]:
    """What the templates say; nothing for those who may not read the applications."""
    if not visible_jobs(request.user).filter(translation_key=page.job_key).exists():
        return {}
    in_need = Step.objects.needing_a_person().filter(application=OuterRef("pk"))
    numbers = (
        visible_applications(request.user)
        .for_job(page.job_key)
        .filter(is_test=False)
        .aggregate(
            applications=Count("pk"),
            held_back=Count("pk", filter=Q(quarantined=True)),
            attention=Count("pk", filter=Q(Exists(in_need))),
        )
    )
    job = {"job": page.pk}
    applications = reverse("careers_applications:index")
    tasks = reverse("careers_tasks:index")
    return {
        **numbers,
        "applications_url": f"{applications}?{urlencode(job)}",
        "attention_url": f"{tasks}?{urlencode({'state': ATTENTION, **job})}"
        if request.user.has_perm(SEE_TASKS)
        else "",
    }
