"""``/admin/tasks/``: is all well, and which applications are where. References, no names."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, ClassVar

import django_filters
from django import forms
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Prefetch, Q, QuerySet
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.views.generic.base import BaseListingView
from wagtail.admin.widgets.button import HeaderButton

from careers.applications.models import Application
from careers.backoffice import alert_list, figures, presentation, search
from careers.backoffice.application_list import each_once
from careers.backoffice.permissions import SEE_TASKS, Requires
from careers.backoffice.state_groups import (
    ATTENTION,
    DONE,
    RUNNING,
    STATES,
    WAITING,
    in_state,
)
from careers.jobs.models import JobPage
from careers.operations import health, schedule
from careers.pipeline.actions import RETRY
from careers.pipeline.models import Step, StepKind
from careers.pipeline.states import State


class TaskFilters(WagtailFilterSet):
    """State and kind are asked of the same step: "failed mails to HR"."""

    state = django_filters.ChoiceFilter(
        label=gettext_lazy("State"),
        choices=STATES,
        empty_label=gettext_lazy("All"),
        widget=forms.Select,
    )
    kind = django_filters.ChoiceFilter(
        label=gettext_lazy("Step"),
        # Mails to operators belong to no application; they have a list of their own.
        choices=[choice for choice in StepKind.choices if choice[0] != StepKind.MAIL_OPERATORS],
        empty_label=gettext_lazy("All"),
        widget=forms.RadioSelect,
    )
    job = django_filters.ModelChoiceFilter(
        label=gettext_lazy("Job"),
        queryset=lambda request: each_once(
            JobPage.objects.filter(translation_key__in=Application.objects.values("job_key")),
            request,
        ),
        # Not the default “pk”: for a page, that takes no number that is too large.
        to_field_name="id",
        empty_label=gettext_lazy("All"),
    )

    class Meta:
        model = Application
        fields: ClassVar[list[str]] = []

    def filter_queryset(self, queryset: QuerySet[Application]) -> QuerySet[Application]:
        chosen = self.form.cleaned_data
        steps = Q()
        if chosen["state"]:
            steps &= in_state(chosen["state"])
        if chosen["kind"]:
            steps &= Q(kind=chosen["kind"])
        if steps:
            matching = Step.objects.filter(steps, application=OuterRef("pk"))
            queryset = queryset.filter(Exists(matching))
        if chosen["job"]:
            queryset = queryset.filter(job_key=chosen["job"].translation_key)
        return queryset


class ReferenceColumn(TitleColumn):
    """The reference, with the job below it: the chips need the width."""

    cell_template_name = "careers/backoffice/reference_cell.html"


class ChipsColumn(Column):
    """The steps of an application as a little pipeline."""

    cell_template_name = "careers/backoffice/chips_cell.html"

    def get_value(self, instance: Application) -> list[presentation.Chip]:
        return presentation.chips(instance.steps.all(), instance.quarantined)


class AgeColumn(Column):
    """How long ago an application came in, and how long it took when it is done."""

    cell_template_name = "careers/backoffice/age_cell.html"

    def get_cell_context_data(self, instance: Application, parent_context: Any) -> dict[str, Any]:
        steps = presentation.current(instance.steps.all())
        in_need = any(presentation.needs_a_person(step) for step in steps)
        ended = None if in_need else presentation.ended_at(steps)
        return {
            **super().get_cell_context_data(instance, parent_context),
            "at": instance.received_at,
            "age": presentation.span(timezone.now() - instance.received_at),
            "took": presentation.span(ended - instance.received_at) if ended else "",
        }


class NextColumn(Column):
    cell_template_name = "careers/backoffice/next_cell.html"

    def get_value(self, instance: Application) -> str:
        return presentation.next_action(instance.steps.all(), instance.quarantined)


@dataclass(frozen=True)
class CountFilter:
    """One of the four counts, which are filters too."""

    name: str
    label: str
    number: int
    tone: str
    icon: str
    url: str
    chosen: bool


@dataclass(frozen=True)
class Alike:
    """Steps that fail for the same reason."""

    kind: str
    code: str
    number: int
    since: dt.datetime | None
    cause: str

    @property
    def step(self) -> str:
        return str(StepKind(self.kind).label)

    @property
    def since_in_words(self) -> str:
        return presentation.clock(self.since) if self.since else ""

    @property
    def url(self) -> str:
        query = urlencode({"kind": self.kind, "code": self.code})
        return f"{reverse('careers_tasks:retry_alike')}?{query}"


def alike() -> list[Alike]:
    """Groups of two and more steps that need a person for the same reason, largest first."""
    groups = (
        Step.objects.needing_a_person()
        .exclude(state=State.UNCERTAIN)
        .order_by()
        .values("kind", "error_code")
        .annotate(n=Count("pk"), since=Min("failing_since"), cause=Max("error_public"))
        .filter(n__gt=1)
        .order_by("-n")[:5]
    )
    return [
        Alike(row["kind"], row["error_code"], row["n"], row["since"], row["cause"])
        for row in groups
    ]


class TaskList(Requires, BaseListingView):
    """Every application with its steps; the address is the state of the page."""

    right = SEE_TASKS
    model = Application
    page_title = gettext_lazy("Task status")
    header_icon = "tasks"
    index_url_name = "careers_tasks:index"
    index_results_url_name = "careers_tasks:results"
    template_name = "careers/backoffice/task_list.html"
    results_template_name = "careers/backoffice/task_list_results.html"
    filterset_class = TaskFilters
    is_searchable = True
    verbose_name_plural = gettext_lazy("applications")
    table_classname = "listing bo-table bo-table--tasks"
    default_ordering = "-received_at"
    paginate_by = 25
    columns: ClassVar = [
        ReferenceColumn(
            "reference",
            label=gettext_lazy("Reference and job"),
            url_name="careers_tasks:detail",
            id_accessor="reference",
            classname="bo-cell-reference",
        ),
        ChipsColumn("steps", label=gettext_lazy("Steps"), classname="bo-cell-chips"),
        AgeColumn(
            "age", label=gettext_lazy("Age"), sort_key="received_at", classname="bo-cell-age"
        ),
        NextColumn("next", label=gettext_lazy("Next action"), classname="bo-cell-next"),
    ]

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        return [
            HeaderButton(
                _("Mails to operators"),
                url=reverse("careers_tasks:alerts"),
                classname="bo-header-link",
                icon_name="mail",
                priority=10,
            ),
            HeaderButton(
                _("Flower"),
                url=reverse("flower"),
                classname="bo-header-link",
                icon_name="link-external",
                attrs={"rel": "noopener", "target": "_blank"},
            ),
        ]

    def get_base_queryset(self) -> QuerySet[Application]:
        # Names, addresses and answers are not even loaded.
        return (
            Application.objects.annotate(job=F("page__title"))
            .only("reference", "received_at", "is_test", "quarantined")
            .prefetch_related(Prefetch("steps", Step.objects.defer("error_public").order_by("pk")))
        )

    def order_queryset(self, queryset: QuerySet[Application]) -> QuerySet[Application]:
        return queryset.order_by(self.ordering, "-pk")

    def search_queryset(self, queryset: QuerySet[Application]) -> QuerySet[Application]:
        if not self.is_searching:
            return queryset
        typed = self.search_query
        return queryset.filter(search.by_reference(typed) | search.by_id(typed))

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        found = health.check()
        may_retry = self.request.user.has_perm(RETRY)
        return {
            **super().get_context_data(*args, **kwargs),
            "health": found,
            "tone": health_tone(found),
            "facts": facts(found),
            "counts": self._counts(found),
            "alike": alike() if found.needs_attention > 1 else [],
            "may_retry": may_retry,
            "alerts": self._alerts(),
            "announcement": announcement(found),
            "figures": [] if self.results_only else figures.last_day(),
            "schedules": [] if self.results_only else by_the_clock(),
            "is_refresh": "X-Live" in self.request.headers,
            "live_url": reverse_lazy("careers_tasks:results"),
        }

    def _alerts(self) -> list[alert_list.AlertLine]:
        """Mails to operators that belong to what is shown: what was asked for, or in trouble."""
        chosen = self.filters.form.cleaned_data if self.filters.form.is_valid() else {}
        if chosen.get("kind") or chosen.get("job"):
            return []
        if not self.is_searching and not chosen.get("state"):
            return alert_list.lines(in_state(ATTENTION) | in_state(WAITING) | in_state(RUNNING))
        steps = in_state(chosen["state"]) if chosen.get("state") else None
        typed = self.search_query if self.is_searching else ""
        return alert_list.lines(steps, typed)

    def _counts(self, found: health.Health) -> list[CountFilter]:
        numbers = (
            (ATTENTION, _("Needs attention"), found.needs_attention, "bad", "warning"),
            (WAITING, _("Waiting"), found.waiting, "idle", "time"),
            (RUNNING, _("Running"), found.running, "active", "rotate"),
            (DONE, _("Done in 24 h"), found.done_last_day, "good", "check"),
        )
        chosen = self.request.GET.get("state", "")
        index = reverse("careers_tasks:index")
        return [
            CountFilter(
                name,
                label,
                number,
                tone if number else "none",
                icon,
                # A second click takes the filter away.
                index if chosen == name else f"{index}?state={name}",
                chosen == name,
            )
            for name, label, number, tone, icon in numbers
        ]


@dataclass(frozen=True)
class ByTheClock:
    """Something that runs by the clock, in words."""

    task: str
    title: str
    last: str
    outcome: str
    tone: str
    icon: str
    next: str


def by_the_clock() -> list[ByTheClock]:
    """Every schedule with its last run, how that ended, and its next run."""
    found = []
    for entry in schedule.schedules():
        run = entry.last
        if run is None:
            outcome, tone, icon = _("Has not run yet"), "idle", "time"
        elif run.ended_at is None or run.ended_at < run.started_at:
            outcome, tone, icon = _("Running"), "active", "rotate"
        elif run.error:
            outcome, tone, icon = _("Failed (%(error)s)") % {"error": run.error}, "bad", "warning"
        else:
            took = presentation.span(run.ended_at - run.started_at)
            outcome, tone, icon = _("Done in %(time)s") % {"time": took}, "good", "check"
        found.append(
            ByTheClock(
                task=entry.task,
                title=entry.title,
                last=presentation.clock(run.started_at) if run else "",
                outcome=outcome,
                tone=tone,
                icon=icon,
                next=presentation.clock(entry.next_at) if entry.next_at else "",
            )
        )
    return found


def health_tone(found: health.Health) -> str:
    """The colour of the health sentence."""
    if found.ok:
        return "good"
    return "bad" if any(finding.level == "critical" for finding in found.findings) else "later"


def facts(found: health.Health) -> list[tuple[str, str]]:
    """What the health sentence rests on, as pairs of name and value."""
    now = found.at
    sweeper = (
        _("seen %(time)s ago") % {"time": presentation.span(now - found.sweepers[0].seen_at)}
        if found.sweepers
        else _("not running")
    )
    scheduler = (
        _("seen %(time)s ago") % {"time": presentation.span(now - found.schedulers[0].seen_at)}
        if found.schedulers
        else _("not running")
    )
    if found.broker_error:
        broker = _("does not answer")
    elif found.sweepers:
        broker = _("answers")
    else:
        broker = _("not known: the sweeper asks it")
    oldest = (
        presentation.span(dt.timedelta(seconds=found.oldest_ready_seconds))
        if found.oldest_ready_seconds is not None
        else _("nothing is ready and waiting")
    )
    workers = [
        _("%(name)s (%(queues)s; seen %(time)s ago)")
        % {
            "name": worker.name,
            "queues": worker.queues.replace(",", ", "),
            "time": presentation.span(now - worker.seen_at),
        }
        for worker in found.workers
    ]
    return [
        (_("Workers"), ", ".join(workers) or _("none")),
        (_("Broker"), broker),
        (_("Sweeper"), sweeper),
        (_("Scheduler"), scheduler),
        (_("Oldest ready step"), oldest),
    ]


def announcement(found: health.Health) -> str:
    """What a screen reader hears when the numbers have changed."""
    return ngettext(
        "%(attention)d step needs attention, %(waiting)d waiting, %(running)d running.",
        "%(attention)d steps need attention, %(waiting)d waiting, %(running)d running.",
        found.needs_attention,
    ) % {
        "attention": found.needs_attention,
        "waiting": found.waiting,
        "running": found.running,
    }
