"""``/admin/tasks/<reference>/``: what became of one application, and what to do now.

Or of one alert to operators, whose mails are steps like any others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.widgets.button import HeaderButton

from careers.applications.models import Application, ApplicationFile
from careers.applications.references import normalise_reference
from careers.backoffice import presentation, search
from careers.backoffice.permissions import SEE_TASKS, Requires, visible_applications
from careers.backoffice.timeline import Lane, lanes
from careers.operations import health
from careers.pipeline.actions import CANCEL, RETRY, may_be_readdressed, may_have_been_sent
from careers.pipeline.models import Alert, Step, StepEvent, StepKind
from careers.pipeline.runner import UNKNOWN_ATTEMPTS
from careers.pipeline.states import UNDER_WAY, ErrorClass, State
from careers.pipeline.transitions import db_now


def find_task(reference: str) -> Application | Alert:
    """An application, or a alert to operators, by its reference; raises Http404.

    The application is without anything personal.
    """
    if alert := search.alert_number(reference):
        return get_object_or_404(Alert, pk=alert, told_at__isnull=False)
    found: Application | None = (
        Application.objects.annotate(job=F("page__title"))
        .only("reference", "received_at", "is_test", "quarantined", "quarantine_reason")
        .filter(reference=reference)
        .first()
    )
    if found is None:
        raise Http404
    return found


@dataclass(frozen=True)
class EventLine:
    """One event in words."""

    at: dt.datetime
    at_exactly: str
    before: str
    after: str
    tone: str
    icon: str
    actor: str
    attempt: int
    reason: str
    traceback: str


@dataclass(frozen=True)
class Stored:
    """One archived object; with a link when the reader may have the file."""

    key: str
    verified_at: dt.datetime | None
    url: str


@dataclass(frozen=True)
class StepView:
    """One step with everything there is to say about it."""

    step: Step
    title: str
    chip: presentation.Chip
    state: str
    replaced: bool
    lane: Lane
    events: list[EventLine]
    flower_url: str
    message_id: str
    response: str
    objects: list[Stored]
    acts: list[tuple[str, str, bool]]

    @property
    def anchor(self) -> str:
        return f"step-{self.step.pk}"

    @property
    def needs_a_person(self) -> bool:
        return presentation.needs_a_person(self.step)

    @property
    def troubled(self) -> bool:
        """Whether the top of the page must speak of it."""
        bounced = presentation.came_back(self.step) and not self.replaced
        return self.needs_a_person or bounced or self.step.state == State.RETRYING

    @property
    def cause(self) -> str:
        """What is the matter, in words."""
        if presentation.came_back(self.step):
            return presentation.bounces([self.step])[0][1]
        return self.step.error_public or (self.events[-1].reason if self.events else "")

    @property
    def attempts(self) -> str:
        """How often it was tried, and of how often where there is an end; "" for once or never."""
        if self.step.attempts < 2 or self.step.state == State.SUCCEEDED:
            return ""
        if self.step.error_class == ErrorClass.UNKNOWN:
            return _("%(done)d of %(most)d") % {
                "done": self.step.attempts,
                "most": UNKNOWN_ATTEMPTS,
            }
        return str(self.step.attempts)

    @property
    def next_attempt(self) -> str:
        return presentation.clock(self.step.run_after) if self.step.run_after else ""


class TaskDetail(Requires, WagtailAdminTemplateMixin, TemplateView):
    """One application's steps: cause and buttons first, then the history of each."""

    right = SEE_TASKS
    template_name = "careers/backoffice/task_detail.html"
    header_icon = "tasks"
    results_only = False

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        typed = self.kwargs["reference"]
        if search.alert_number(typed):
            self.task = find_task(typed)
            return super().get(request, *args, **kwargs)
        reference = normalise_reference(typed)
        if not Application.objects.filter(reference=reference).exists():
            # People also paste task ids, application ids and Message-IDs here.
            by_id = Application.objects.filter(search.by_id(typed)).only("reference").first()
            if by_id is None:
                raise Http404
            reference = by_id.reference
        if reference != typed:
            return redirect("careers_tasks:detail", reference)
        self.task = find_task(reference)
        return super().get(request, *args, **kwargs)

    @property
    def application(self) -> Application | None:
        return self.task if isinstance(self.task, Application) else None

    @property
    def alert(self) -> Alert | None:
        return self.task if isinstance(self.task, Alert) else None

    def get_template_names(self) -> list[str]:
        if self.results_only:
            return ["careers/backoffice/task_detail_results.html"]
        return [self.template_name]

    def get_page_title(self) -> str:
        return presentation.alert_title(self.alert) if self.alert else self.task.reference

    def get_header_title(self) -> str:
        if self.alert:
            return presentation.alert_title(self.alert)
        return _("Task status of %(reference)s") % {"reference": self.task.reference}

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            *task_breadcrumbs(self.task)[:-1],
            {"url": "", "label": self.get_page_title()},
        ]

    @cached_property
    def may_read(self) -> bool:
        return (
            self.application is not None
            and visible_applications(self.request.user).filter(pk=self.application.pk).exists()
        )

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
        # Events first: a step that moves in between then shows at most too little history.
        events: dict[int, list[StepEvent]] = {}
        for event in StepEvent.objects.filter(step__in=Step.objects.filter(**mine)):
            events.setdefault(event.step_id, []).append(event)
        steps = in_order(Step.objects.filter(**mine))
        step_views = list(self._views(steps, events, now))
        current = presentation.current(steps)
        ended = presentation.ended_at(current)
        under_way = any(step.state in UNDER_WAY for step in steps)
        return {
            **super().get_context_data(**kwargs),
            "task": task,
            "application": application,
            "alert": self.alert,
            "steps": step_views,
            "chips": presentation.chips(steps, quarantined),
            "troubles": [
                view for view in step_views if view.troubled and view.step.state != State.CANCELLED
            ],
            "took": presentation.span(ended - begun) if ended else "",
            "age": presentation.span(now - begun),
            "under_way": under_way,
            # "On its way" would be a lie while nobody works.
            "obstacles": [
                finding for finding in health.check().findings if finding.level == "critical"
            ]
            if under_way
            else [],
            "spam_reason": presentation.spam_reason(application.quarantine_reason)
            if application
            else "",
            "all_done": all(step.state == State.SUCCEEDED for step in current),
            "may_read": self.may_read,
            "may_retry": self.request.user.has_perm(RETRY),
            "whole": presentation.span(lanes(steps, events, now)[1]),
            "announcement": ". ".join(
                f"{view.title}: {view.state}" for view in step_views if not view.replaced
            ),
            "live_url": reverse("careers_tasks:detail_results", args=[task.reference]),
        }

    def _views(
        self, steps: list[Step], events: dict[int, list[StepEvent]], now: dt.datetime
    ) -> Iterator[StepView]:
        actors = presentation.Actors.of(
            event.actor for history in events.values() for event in history
        )
        on_scale, _whole = lanes(steps, events, now)
        kept = {step.pk for step in presentation.current(steps)}
        stored = self._stored()
        user = self.request.user
        quarantined = self.application is not None and self.application.quarantined
        for step in steps:
            yield StepView(
                step=step,
                title=title(step),
                chip=presentation.chip(step, quarantined),
                state=presentation.state_in_words(step, quarantined),
                replaced=step.pk not in kept,
                lane=on_scale[step.pk],
                events=[
                    line(event, actors, with_traceback=user.has_perm(RETRY))
                    for event in events.get(step.pk, [])
                ],
                flower_url=reverse("flower_page", args=[f"task/{step.celery_task_id}"])
                if step.celery_task_id
                else "",
                message_id=str(step.result.get("message_id", "")),
                response=str(step.result.get("response", "")),
                objects=[
                    stored.get(key, Stored(key, None, "")) for key in step.result.get("objects", [])
                ],
                acts=acts(step, user),
            )

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


def task_breadcrumbs(task: Application | Alert) -> list[dict[str, Any]]:
    """The way to the page of one task; its own entry is the last."""
    index = {"url": reverse("careers_tasks:index"), "label": _("Task status")}
    alerts = {"url": reverse("careers_tasks:alerts"), "label": _("Mails to operators")}
    return [
        index,
        *([alerts] if isinstance(task, Alert) else []),
        {"url": task_url(task), "label": task.reference},
    ]


def task_url(task: Application | Alert) -> str:
    return reverse("careers_tasks:detail", args=[task.reference])


def in_order(steps: Any) -> list[Step]:
    """Steps in the order of the flow."""
    kinds = list(StepKind)
    return sorted(
        steps, key=lambda step: (kinds.index(StepKind(step.kind)), step.recipient, step.sequence)
    )


def title(step: Step) -> str:
    """What the step does, and to whom it speaks where that is one of us."""
    words = str(StepKind(step.kind).label)
    if step.kind in (StepKind.MAIL_HR, StepKind.MAIL_OPERATORS) and step.recipient:
        words = _("%(step)s: %(recipient)s") % {"step": words, "recipient": step.recipient}
    if step.sequence:
        words = _("%(step)s (sent again, no. %(number)d)") % {
            "step": words,
            "number": step.sequence,
        }
    return words


def line(event: StepEvent, actors: presentation.Actors, *, with_traceback: bool) -> EventLine:
    """An event in words; tracebacks only for those who may act on them."""
    after = State(event.to_state)
    tone, icon = presentation.LOOKS[after]
    return EventLine(
        at=event.at,
        at_exactly=presentation.exactly(event.at),
        # What a provider says of a mail that is done changes no state.
        before=str(State(event.from_state).label)
        if event.from_state and event.from_state != event.to_state
        else "",
        after=str(after.label),
        tone=tone,
        icon=icon,
        actor=actors.name(event.actor),
        attempt=event.attempt,
        reason=event.reason,
        traceback=event.traceback if with_traceback else "",
    )


def acts(step: Step, user: Any) -> list[tuple[str, str, bool]]:
    """What this user may do to a step now: the act, its label, and whether it asks first."""
    found: list[tuple[str, str, bool]] = []
    state = State(step.state)
    bounced = presentation.came_back(step) and "instead" not in step.result
    if user.has_perm(RETRY):
        if state == State.FAILED:
            found.append(("retry", _("Retry"), False))
        elif state == State.RETRYING:
            found.append(("retry", _("Retry now"), False))
        elif state == State.UNCERTAIN:
            found.append(("confirm", _("It arrived"), True))
        if state == State.UNCERTAIN or bounced:
            found.append(("send-again", _("Send again"), True))
        if may_be_readdressed(step):
            found.append(("change-address", _("Send to another address"), True))
    cancellable = state in (State.FAILED, State.UNCERTAIN, *UNDER_WAY)
    if user.has_perm(CANCEL) and cancellable and not may_have_been_sent(step):
        found.append(("cancel", _("Cancel"), True))
    return found
