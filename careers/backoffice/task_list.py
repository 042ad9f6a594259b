"""``/admin/tasks/``: the steps of each application, without names; for operators also the health.

Others see the steps for the jobs in their part of the page tree, and nothing else.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import F, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.widgets.button import HeaderButton

from careers.applications.models import Application
from careers.backoffice import (
    alert_list,
    bulk_progress,
    figures,
    health_panel,
    paging,
    presentation,
    same_cause,
    schedules,
    search,
)
from careers.backoffice.permissions import (
    SEE_TASKS,
    applications_for,
    is_operator,
    scope_of,
    steps_for,
    visible_applications,
)
from careers.backoffice.polling import polled
from careers.backoffice.state_groups import (
    ATTENTION,
    DONE,
    RUNNING,
    WAITING,
    in_state,
)
from careers.backoffice.task_export import TaskExport
from careers.backoffice.task_filters import TaskFilters, applications_with
from careers.backoffice.views import ListPage
from careers.operations import health
from careers.pipeline import actions
from careers.pipeline.attention import NEEDS_ATTENTION, RECEIPT_CANCELLED
from careers.pipeline.models import Step


def paused_in(row: Any) -> Collection[str]:
    """The kinds of steps that are paused, as the view has noted on each row."""
    kinds: Collection[str] = row.paused_kinds
    return kinds


class ReferenceColumn(TitleColumn):
    """The reference, with the job below it: the chips need the width."""

    cell_template_name = "careers/backoffice/reference_cell.html"


class ChipsColumn(Column):
    """The steps of an application as chips."""

    cell_template_name = "careers/backoffice/chips_cell.html"

    def get_value(self, instance: Application) -> list[presentation.Chip]:
        return presentation.chips(instance.steps.all(), instance.quarantined, paused_in(instance))


class AgeColumn(Column):
    """The time since an application came in, and the time that it took when it is done."""

    cell_template_name = "careers/backoffice/age_cell.html"

    def get_cell_context_data(self, instance: Application, parent_context: Any) -> dict[str, Any]:
        steps = presentation.current(instance.steps.all())
        in_need = any(NEEDS_ATTENTION(step) or RECEIPT_CANCELLED(step) for step in steps)
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
        return presentation.next_action(
            instance.steps.all(), instance.quarantined, paused_in(instance)
        )


@dataclass(frozen=True)
class CountFilter:
    """One of the four counts. Each is also a filter."""

    name: str
    label: str
    number: int | str
    tone: str
    icon: str
    url: str
    chosen: bool


class TaskList(TaskExport, ListPage):
    """Every application with its steps. The address holds the filters and the search."""

    right = SEE_TASKS
    model = Application
    page_title = gettext_lazy("Task status")
    header_icon = "tasks"
    index_url_name = "careers_tasks:index"
    index_results_url_name = "careers_tasks:results"
    template_name = "careers/backoffice/task_list.html"
    results_template_name = "careers/backoffice/task_list_results.html"
    filterset_class = TaskFilters
    verbose_name_plural = gettext_lazy("applications")
    default_ordering = "-received_at"
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

    @polled
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase = super().get(request, *args, **kwargs)
        return response

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        if not is_operator(self.request.user):
            return []
        return [
            HeaderButton(
                _("Pause steps"),
                url=reverse("careers_tasks:pauses"),
                classname="bo-header-link",
                icon_name="time",
                priority=5,
            ),
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
        steps = Step.objects.all() if self.is_export else Step.objects.defer("error_public")
        # Names, addresses and answers are not loaded.
        return (
            applications_for(self.request.user, SEE_TASKS)
            .annotate(job=F("page__title"))
            .only("reference", "language", "received_at", "is_test", "quarantined", "repeats")
            .prefetch_related(Prefetch("steps", steps.order_by("pk")))
        )

    def filter_queryset(self, queryset: QuerySet[Application]) -> QuerySet[Application]:
        rows: QuerySet[Application] = super().filter_queryset(queryset)
        steps = self.filters.steps if self.filters.is_valid() else Q()
        self.conditions = [applications_with(steps)] if steps else []
        if self.conditions and not self.is_searching:
            return self.among(rows, *self.conditions)
        return rows

    def search_queryset(self, queryset: QuerySet[Application]) -> QuerySet[Application]:
        if not self.is_searching:
            return queryset
        typed = self.search_query
        return self.among(
            queryset.filter(*self.conditions),
            search.by_reference(typed),
            *search.by_id(typed),
            *search.by_error(typed),
            search.by_job(typed),
            *search.by_recipient(typed, visible_applications(self.request.user)),
        )

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        found = health.check() if is_operator(user) else None
        numbers = found or health_panel.numbers(steps_for(user, SEE_TASKS))
        site_wide: dict[str, Any] = {}
        if found:
            site_wide = {
                "health": found,
                "tone": health_panel.tone(found),
                "facts": health_panel.facts(found),
                "alerts": self._alerts(),
                "figures": [] if self.results_only else figures.last_day(),
                "schedules": [] if self.results_only else schedules.lines(),
                "may_run": is_operator(user, actions.retry.permission),
            }
        several = numbers.needs_attention > 1
        context = super().get_context_data(*args, **kwargs)
        for row in context["object_list"]:
            row.paused_kinds = self.paused.kinds
        return {
            **context,
            **site_wide,
            "counts": self._counts(numbers),
            "same_cause": same_cause.groups(user, found) if several else [],
            "unconfirmed": same_cause.unconfirmed(user) if several else 0,
            "bulk_acts": bulk_progress.under_way(user),
            "may_retry": bool(scope_of(user, actions.retry.permission)),
            "announcement": health_panel.announcement(numbers),
            "is_refresh": "X-Live" in self.request.headers,
            "live_url": reverse_lazy("careers_tasks:results"),
        }

    def _alerts(self) -> list[alert_list.AlertLine]:
        """The mails to operators that match the filters; by default those that are not done."""
        chosen = self.filters.form.cleaned_data if self.filters.form.is_valid() else {}
        if chosen.get("kind") or chosen.get("job"):
            return []
        if not self.is_searching and not chosen.get("state"):
            return alert_list.lines(in_state(ATTENTION) | in_state(WAITING) | in_state(RUNNING))
        steps = in_state(chosen["state"]) if chosen.get("state") else None
        typed = self.search_query if self.is_searching else ""
        return alert_list.lines(steps, typed)

    def _counts(self, found: health_panel.Numbers) -> list[CountFilter]:
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
                # Those of the whole site are exact.
                number if is_operator(self.request.user) else paging.number_of(number),
                tone if number else "none",
                icon,
                # A second click removes the filter.
                index if chosen == name else f"{index}?state={name}",
                chosen == name,
            )
            for name, label, number, tone, icon in numbers
        ]
