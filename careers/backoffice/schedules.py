"""The scheduled tasks: their last and next runs, and a button that starts one now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import View
from wagtail.admin import messages

from careers.backoffice import presentation
from careers.backoffice.permissions import Requires
from careers.operations import schedule, schedule_words
from careers.operations.models import Finding
from careers.operations.titles import effect_of, title_of
from careers.pipeline.acts import RETRY


@dataclass(frozen=True)
class ScheduleLine:
    """A scheduled task in words."""

    task: str
    title: str
    last: str
    result: str
    reason: str
    tone: str
    icon: str
    next: str


def lines() -> list[ScheduleLine]:
    """Every scheduled task with its last run, its result, and its next run."""
    found = []
    failures = dict(
        Finding.objects.filter(code__startswith="schedule-failed.").values_list("code", "facts")
    )
    for entry in schedule.schedules():
        run, reason = entry.last, ""
        if run is None:
            result, tone, icon = _("Has not run yet"), "idle", "time"
        elif run.ended_at is None or run.ended_at < run.started_at:
            result, tone, icon = _("Running"), "active", "rotate"
        elif run.error:
            result, tone, icon = _("Failed"), "bad", "warning"
            facts = failures.get(f"schedule-failed.{entry.task}", {"error": run.error})
            reason = " ".join(filter(None, [_cause(facts), effect_of(entry.task)]))
        else:
            took = presentation.span(run.ended_at - run.started_at)
            result, tone, icon = _("Done in %(time)s") % {"time": took}, "good", "check"
        found.append(
            ScheduleLine(
                task=entry.task,
                title=entry.title,
                last=presentation.clock(run.started_at) if run else "",
                result=result,
                reason=reason,
                tone=tone,
                icon=icon,
                next=presentation.clock(entry.next_at) if entry.next_at else "",
            )
        )
    return found


def _cause(facts: dict[str, Any]) -> str:
    try:
        return schedule_words.cause_of(facts)
    except (KeyError, TypeError, ValueError):
        return ""  # another release wrote other facts


class RunNow(Requires, View):
    """Start a scheduled task now. An operator may start any of them at any time."""

    right = RETRY
    operators_only = True

    def post(self, request: HttpRequest) -> HttpResponse:
        task = request.POST.get("task", "")
        names = {"task": title_of(task)}
        if schedule.run_now(task, request.user):
            words = _("“%(task)s” was started. The result appears below.")
            messages.success(request, words % names)
        else:
            words = _("“%(task)s” was not started: the message broker does not answer.")
            messages.error(request, words % names)
        return redirect(reverse("careers_tasks:index") + "#bo-schedules")
