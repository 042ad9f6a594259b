"""The applications for a job, in one line above its editor."""

from __future__ import annotations

from django.db.models import Count, Exists, OuterRef, Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode

from careers.backoffice.permissions import SEE_TASKS, visible_applications, visible_jobs
from careers.backoffice.state_groups import ATTENTION
from careers.jobs.models import JobPage
from careers.pipeline.models import Step


def job_summary(request: HttpRequest, page: JobPage) -> str:
    """How many applied for a job, in whatever language, and what needs attention; two queries.

    "" for those who may not read its applications.
    """
    if not visible_jobs(request.user).filter(translation_key=page.job_key).exists():
        return ""
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
    return render_to_string(
        "careers/backoffice/job_summary.html",
        {
            **numbers,
            "applications_url": f"{applications}?{urlencode(job)}",
            "attention_url": f"{tasks}?{urlencode({'state': ATTENTION, **job})}"
            if request.user.has_perm(SEE_TASKS)
            else "",
        },
    )
