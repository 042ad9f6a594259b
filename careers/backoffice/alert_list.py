"""``/admin/tasks/alerts/``: the alerts to operators, and whether their mails arrived."""

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

from careers.backoffice import presentation, search
from careers.backoffice.permissions import SEE_TASKS
from careers.backoffice.state_groups import STATES, in_state
from careers.backoffice.views import Crumb, ListPage
from careers.pipeline.models import Alert, AlertKind, Step

#: Alerts that the task status shows; the list shows all.
AT_ONCE = 5


@dataclass(frozen=True)
class AlertLine:
    """One alert in a few words."""

    title: str
    url: str
    chips: list[presentation.Chip]
    next: str


def lines(steps: Q | None = None, typed: str = "") -> list[AlertLine]:
    """The newest alerts.

    Args:
        steps: shows only alerts with such a mail.
        typed: shows only alerts that match this search.
    """
    found = mailed()
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


def mailed() -> QuerySet[Alert]:
    """The alerts that were mailed, with their mails. A short problem is not mailed."""
    mails = Prefetch("steps", Step.objects.defer("error_public").order_by("pk"))
    return Alert.objects.filter(mailed_at__isnull=False).prefetch_related(mails)


def with_a_mail(alerts: QuerySet[Alert], steps: Q) -> QuerySet[Alert]:
    return alerts.filter(Exists(Step.objects.filter(steps, alert=OuterRef("pk"))))


class AlertFilters(WagtailFilterSet):
    """Filters by the state of a mail and by the kind of alert."""

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
    """What the alert says."""

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
            return _("Enter a recipient: no mail was sent")
        return presentation.next_action(mails)


class AlertList(ListPage):
    """Every alert with its mails, the newest first."""

    right = SEE_TASKS
    operators_only = True
    model = Alert
    page_title = gettext_lazy("Mails to operators")
    header_icon = "mail"
    index_url_name = "careers_tasks:alerts"
    index_results_url_name = "careers_tasks:alerts_results"
    filterset_class = AlertFilters
    verbose_name_plural = gettext_lazy("mails to operators")
    default_ordering = "-created_at"
    columns: ClassVar = [
        WordsColumn(
            "title",
            label=gettext_lazy("Alert"),
            url_name="careers_tasks:detail",
            id_accessor="reference",
            classname="bo-cell-mailed",
        ),
        MailsColumn("steps", label=gettext_lazy("Mails"), classname="bo-cell-chips"),
        WhenColumn(
            "age", label=gettext_lazy("Age"), sort_key="created_at", classname="bo-cell-age"
        ),
        NextColumn("next", label=gettext_lazy("Next action"), classname="bo-cell-next"),
    ]

    def trail(self) -> list[Crumb]:
        return [{"url": reverse("careers_tasks:index"), "label": _("Task status")}]

    def get_base_queryset(self) -> QuerySet[Alert]:
        return mailed()

    def found_by(self, typed: str) -> Q:
        return search.alerts(typed)
