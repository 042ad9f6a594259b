"""``/admin/tasks/alerts/``: what those who run the site were told, and whether it arrived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.views.generic.base import BaseListingView

from careers.backoffice import presentation, search
from careers.backoffice.permissions import SEE_TASKS, Requires
from careers.backoffice.state_groups import STATES, in_state
from careers.pipeline.models import Alert, AlertKind, Step

#: Notices on the page of all tasks; the rest have their own.
AT_ONCE = 5


@dataclass(frozen=True)
class AlertLine:
    """One alert in a few words."""

    title: str
    url: str
    chips: list[presentation.Chip]
    next: str


def lines(steps: Q | None = None, typed: str = "") -> list[AlertLine]:
    """The newest alerts with a mail in a state, or that somebody searches for."""
    found = told()
    if steps is not None:
        found = with_a_mail(found, steps)
    if typed:
        found = found.filter(search.alerts(typed))
    return [
        AlertLine(
            presentation.alert_title(alert),
            reverse("careers_tasks:detail", args=[alert.reference]),
            presentation.chips(alert.steps.all()),
            presentation.next_action(alert.steps.all()),
        )
        for alert in found[:AT_ONCE]
    ]


def told() -> QuerySet[Alert]:
    """Notices that were told, with their mails; of an alert that may pass nobody reads."""
    mails = Prefetch("steps", Step.objects.defer("error_public").order_by("pk"))
    return Alert.objects.filter(told_at__isnull=False).prefetch_related(mails)


def with_a_mail(alerts: QuerySet[Alert], steps: Q) -> QuerySet[Alert]:
    return alerts.filter(Exists(Step.objects.filter(steps, alert=OuterRef("pk"))))


class AlertFilters(WagtailFilterSet):
    """By the state of a mail, and by what was told."""

    state = django_filters.ChoiceFilter(
        label=gettext_lazy("State"),
        choices=STATES,
        empty_label=gettext_lazy("All"),
        widget=forms.Select,
        method="with_a_mail_in_state",
    )
    kind = django_filters.ChoiceFilter(
        label=gettext_lazy("Kind"),
        choices=AlertKind.choices,
        empty_label=gettext_lazy("All"),
        widget=forms.RadioSelect,
    )

    class Meta:
        model = Alert
        fields: ClassVar[list[str]] = []

    def with_a_mail_in_state(
        self, alerts: QuerySet[Alert], _name: str, value: str
    ) -> QuerySet[Alert]:
        return with_a_mail(alerts, in_state(value))


class WordsColumn(TitleColumn):
    """What was told."""

    def get_value(self, instance: Alert) -> str:
        return presentation.alert_title(instance)


class MailsColumn(Column):
    cell_template_name = "careers/backoffice/chips_cell.html"

    def get_value(self, instance: Alert) -> list[presentation.Chip]:
        return presentation.chips(instance.steps.all())


class WhenColumn(Column):
    cell_template_name = "careers/backoffice/age_cell.html"

    def get_cell_context_data(self, instance: Alert, parent_context: Any) -> dict[str, Any]:
        return {
            **super().get_cell_context_data(instance, parent_context),
            "at": instance.created_at,
            "age": presentation.span(timezone.now() - instance.created_at),
        }


class NextColumn(Column):
    cell_template_name = "careers/backoffice/next_cell.html"

    def get_value(self, instance: Alert) -> str:
        mails = instance.steps.all()
        if not mails:
            return _("Name somebody: nobody was told")
        return presentation.next_action(mails)


class AlertList(Requires, BaseListingView):
    """Every alert with its mails, the newest first."""

    right = SEE_TASKS
    model = Alert
    page_title = gettext_lazy("Mails to operators")
    header_icon = "mail"
    index_url_name = "careers_tasks:alerts"
    index_results_url_name = "careers_tasks:alerts_results"
    template_name = "careers/backoffice/alert_list.html"
    filterset_class = AlertFilters
    is_searchable = True
    verbose_name_plural = gettext_lazy("mails to operators")
    table_classname = "listing bo-table bo-table--tasks"
    default_ordering = "-created_at"
    paginate_by = 25
    columns: ClassVar = [
        WordsColumn(
            "title",
            label=gettext_lazy("What was told"),
            url_name="careers_tasks:detail",
            id_accessor="reference",
            classname="bo-cell-told",
        ),
        MailsColumn("steps", label=gettext_lazy("Mails"), classname="bo-cell-chips"),
        WhenColumn(
            "age", label=gettext_lazy("Age"), sort_key="created_at", classname="bo-cell-age"
        ),
        NextColumn("next", label=gettext_lazy("Next action"), classname="bo-cell-next"),
    ]

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse("careers_tasks:index"), "label": _("Task status")},
            {"url": "", "label": _("Mails to operators")},
        ]

    def get_base_queryset(self) -> QuerySet[Alert]:
        return told()

    def order_queryset(self, queryset: QuerySet[Alert]) -> QuerySet[Alert]:
        return queryset.order_by(self.ordering, "-pk")

    def search_queryset(self, queryset: QuerySet[Alert]) -> QuerySet[Alert]:
        if not self.is_searching:
            return queryset
        return queryset.filter(search.alerts(self.search_query))
