"""``/admin/tasks/<reference>/``: the steps of an application or an alert, and what to do now."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from wagtail.admin.widgets.button import HeaderButton

from careers.applications.models import Application, ApplicationFile
from careers.applications.references import normalise_reference
from careers.backoffice import audit, paging, presentation, search
from careers.backoffice.permissions import (
    READ,
    SEE_TASKS,
    Held,
    applications_for,
    is_operator,
)
from careers.backoffice.polling import polled
from careers.backoffice.step_view import Stored, in_order, step_views
from careers.backoffice.tasks import find_task, task_trail
from careers.backoffice.timeline import lanes
from careers.backoffice.views import Crumb, DetailPage
from careers.intake.velocity import same_cause
from careers.operations import health
from careers.pipeline import actions, registry
from careers.pipeline.attention import NOT_SENT, RECEIPT_CANCELLED
from careers.pipeline.models import Alert, Step, StepEvent
from careers.pipeline.states import UNDER_WAY, State
from careers.pipeline.transitions import db_now


class TaskDetail(DetailPage):
    """The steps of one task: causes and buttons first, then the history of each step."""

    right = SEE_TASKS
    template_name = "careers/backoffice/task_detail.html"
    results_template_name = "careers/backoffice/task_detail_results.html"
    header_icon = "tasks"

    @polled
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        typed = self.kwargs["reference"]
        if search.alert_number(typed):
            self.task = find_task(request.user, typed)
            return super().get(request, *args, **kwargs)
        reference = normalise_reference(typed)
        visible = applications_for(request.user, SEE_TASKS)
        if not visible.filter(reference=reference).exists():
            # People also paste the ids of tasks and applications, and Message-IDs.
            ids = paging.newest(visible, *search.by_id(typed))
            if not ids:
                raise Http404
            reference = visible.only("reference").get(pk=ids[0]).reference
        if reference != typed:
            return redirect("careers_tasks:detail", reference)
        self.task = find_task(request.user, reference)
        return super().get(request, *args, **kwargs)

    @property
    def application(self) -> Application | None:
        return self.task if isinstance(self.task, Application) else None

    @property
    def alert(self) -> Alert | None:
        return self.task if isinstance(self.task, Alert) else None

    def get_page_title(self) -> str:
        return presentation.alert_title(self.alert) if self.alert else self.task.reference

    def get_header_title(self) -> str:
        if self.alert:
            return presentation.alert_title(self.alert)
        return _("Task status of %(reference)s") % {"reference": self.task.reference}

    def trail(self) -> list[Crumb]:
        return task_trail(self.task)[:-1]

    @cached_property
    def may_read(self) -> bool:
        return self.application is not None and READ in self.held

    @cached_property
    def held(self) -> Held:
        """What the reader may do here."""
        key = self.application.job_key if self.application else None
        return Held(self.request.user, key)

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        buttons = []
        if self.may_read:
            buttons.append(
                HeaderButton(
                    _("Application"),
                    url=reverse("careers_applications:detail", args=[self.task.reference]),
                    classname="bo-header-link",
                    icon_name="user",
                    priority=10,
                )
            )
        if is_operator(self.request.user):
            buttons.append(
                HeaderButton(
                    _("Flower"),
                    url=reverse("flower"),
                    classname="bo-header-link",
                    icon_name="link-external",
                    attrs={"rel": "noopener", "target": "_blank"},
                    priority=20,
                )
            )
        return buttons

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        task, application, now = self.task, self.application, db_now()
        mine = {"alert": task} if application is None else {"application": task}
        begun = task.received_at if isinstance(task, Application) else task.created_at
        quarantined = application is not None and application.quarantined
        # Events are read first: if a step changes meanwhile, the page lacks its newest event.
        events: dict[int, list[StepEvent]] = {}
        for event in StepEvent.objects.filter(step__in=Step.objects.filter(**mine)):
            events.setdefault(event.step_id, []).append(event)
        steps = in_order(Step.objects.filter(**mine))
        for step in steps:
            step.application, step.alert = application, self.alert
        views = list(
            step_views(
                steps,
                events,
                self._stored(),
                held=self.held,
                may_see_flower=is_operator(self.request.user),
                quarantined=quarantined,
                paused=self.paused.kinds,
                to_applicant=self._applicants_address(steps),
                now=now,
            )
        )
        current = presentation.current(steps)
        ended = presentation.ended_at(current)
        under_way = any(step.state in UNDER_WAY for step in steps)
        return {
            **super().get_context_data(**kwargs),
            "task": task,
            "application": application,
            "alert": self.alert,
            "steps": views,
            "chips": presentation.chips(steps, quarantined, self.paused.kinds),
            "troubles": [
                view
                for view in views
                if view.troubled
                and (view.step.state != State.CANCELLED or RECEIPT_CANCELLED(view.step))
                and not view.replaced
            ],
            "took": presentation.span(ended - begun) if ended else "",
            "age": presentation.span(now - begun),
            "under_way": under_way,
            # Without workers no step is under way.
            "obstacles": [
                finding for finding in health.check().findings if finding.level == "critical"
            ]
            if under_way and is_operator(self.request.user)
            else [],
            "spam_reason": presentation.spam_reason(application.quarantine_reason)
            if application
            else "",
            "all_done": all(step.state == State.SUCCEEDED or NOT_SENT(step) for step in current),
            "may_read": self.may_read,
            "may_release": application is not None
            and self.held.offers(actions.release_from_quarantine, application),
            "alike": applications_for(
                self.request.user, SEE_TASKS, actions.release_from_quarantine.permission
            )
            .filter(same_cause(application))
            .count()
            if application is not None and quarantined
            else 0,
            "not_sent": [view for view in views if NOT_SENT(view.step) and not view.replaced],
            "whole": presentation.span(lanes(steps, events, now)[1]),
            "announcement": ". ".join(
                f"{view.title}: {view.state}" for view in views if not view.replaced
            ),
            "live_url": reverse("careers_tasks:detail_results", args=[task.reference]),
        }

    def _applicants_address(self, steps: list[Step]) -> str:
        """The applicant's address, for a reader of the application; the access log notes it."""
        task = self.application
        if task is None or not self.may_read:
            return ""
        if not any(registry.is_to_applicant(step.kind) for step in steps):
            return ""
        audit.note(task, self.request.user, audit.ADDRESSED)
        # Task pages load nothing personal with the application itself.
        found = Application.objects.filter(pk=task.pk).values_list("email", flat=True)
        return str(found.first() or "")

    def _stored(self) -> dict[str, Stored]:
        """The archived objects by their keys."""
        if self.application is None:
            return {}
        reference = self.application.reference
        rows = (
            ApplicationFile.objects.filter(application=self.application)
            .exclude(object_key="")
            .values_list("object_key", "verified_at", "public_id")
        )
        return {
            key: Stored(
                key,
                verified_at,
                reverse("careers_applications:file", args=[reference, public_id])
                if self.may_read
                else "",
            )
            for key, verified_at, public_id in rows
        }
