"""The report of who read which application, with filters for a colleague and for an applicant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import django_filters
from django import forms
from django.db.models import F, Max, Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.encoding import force_str
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy
from wagtail.admin.filters import DateRangePickerWidget, WagtailFilterSet
from wagtail.admin.ui.tables import Column, DateColumn, TitleColumn
from wagtail.admin.views.mixins import SpreadsheetExportMixin

from careers.applications.models import Application, ApplicationView
from careers.backoffice import audit, paging, search
from careers.backoffice.permissions import (
    READ,
    SEE_LOG,
    applications_for,
)
from careers.backoffice.views import ListPage
from careers.search.applications import by_person

#: A spreadsheet runs a cell that begins with one of these (OWASP, CSV Injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def url_for(application: Application) -> str:
    """The address of the log of one application."""
    query = urlencode({"applicant": application.reference})
    return f"{reverse('careers_applications:access_log')}?{query}"


def as_text(value: Any) -> str:
    """A cell that a spreadsheet shows and never runs."""
    text = force_str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


class AccessLogFilters(WagtailFilterSet):
    person = django_filters.CharFilter(label=gettext_lazy("Colleague"), method="by_colleague")
    applicant = django_filters.CharFilter(
        label=gettext_lazy("Applicant: name, e-mail or reference"), method="about_applicant"
    )
    act = django_filters.ChoiceFilter(
        label=gettext_lazy("Action"),
        choices=list(audit.ACTS.items()),
        empty_label=gettext_lazy("All"),
        widget=forms.RadioSelect,
        method="of_act",
    )
    at = django_filters.DateFromToRangeFilter(
        label=gettext_lazy("Time"), widget=DateRangePickerWidget
    )

    class Meta:
        model = ApplicationView
        fields: ClassVar[list[str]] = []

    def by_colleague(
        self, rows: QuerySet[ApplicationView], _name: str, typed: str
    ) -> QuerySet[ApplicationView]:
        return rows.filter(search.by_colleague(typed))

    def about_applicant(
        self, rows: QuerySet[ApplicationView], _name: str, _typed: str
    ) -> QuerySet[ApplicationView]:
        return rows  # see ``conditions``

    @property
    def conditions(self) -> list[Q]:
        """What a row must match to be about the applicant who is asked for."""
        typed = self.form.cleaned_data["applicant"] if self.is_valid() else ""
        return [about(typed)] if typed else []

    def of_act(
        self, rows: QuerySet[ApplicationView], _name: str, act: str
    ) -> QuerySet[ApplicationView]:
        return audit.of_act(rows, act)


def about(typed: str) -> Q:
    """Rows about the applications that match a name, an address or a reference."""
    # Not joined by OR: each has an index, and the database would use none.
    person, reference = (
        Application.objects.filter(matching).order_by().values("pk")
        for matching in (by_person(typed), search.by_reference(typed, least=4))
    )
    return Q(application__in=person.union(reference))


class ActColumn(Column):
    def get_value(self, instance: ApplicationView) -> str:
        return audit.what(instance)


class ColleagueColumn(Column):
    def get_value(self, instance: ApplicationView) -> str:
        return audit.who(instance)


class ApplicantColumn(TitleColumn):
    cell_template_name = "careers/backoffice/name_cell.html"

    def get_value(self, instance: ApplicationView) -> str:
        return instance.application.shown_name


class Export:
    """The rows of an export, some at a time, so that neither memory nor a query holds all.

    What is logged meanwhile is left out: the names in an export are logged, too.
    """

    model = ApplicationView

    def __init__(self, view: AccessLog) -> None:
        self.view = view

    def __iter__(self) -> Iterator[ApplicationView]:
        order = self.view.order
        last_id = ApplicationView.objects.aggregate(last=Max("pk"))["last"] or 0
        rows = self.view.all_rows().filter(pk__lte=last_id)
        some = list(rows[: paging.MOST])
        while some:
            self.view.note_shown(some)
            yield from some
            row = {name: getattr(some[-1], name) for name in (it.lstrip("-") for it in order)}
            some = list(rows.filter(paging.after(order, row))[: paging.MOST])


class AccessLog(SpreadsheetExportMixin, ListPage):
    """Who read or changed which application, the newest first; also as CSV and XLSX.

    It shows the log of the applications that the reader may read themselves. The names that it
    shows are logged, too.
    """

    right = SEE_LOG
    model = ApplicationView
    page_title = gettext_lazy("Access log")
    header_icon = "view"
    index_url_name = "careers_applications:access_log"
    index_results_url_name = "careers_applications:access_log_results"
    filterset_class = AccessLogFilters
    verbose_name_plural = gettext_lazy("entries of the access log")
    table_classname = "listing bo-table bo-table--log"
    default_ordering = "-at"
    paginate_by = 50
    ties: ClassVar = {"user_name": ("at",)}
    columns: ClassVar = [
        DateColumn("at", label=gettext_lazy("Time"), sort_key="at", classname="bo-cell-age"),
        ColleagueColumn("user_name", label=gettext_lazy("Colleague"), sort_key="user_name"),
        ActColumn("what", label=gettext_lazy("Action")),
        ApplicantColumn(
            "name",
            label=gettext_lazy("Applicant"),
            get_url=lambda row: reverse(
                "careers_applications:detail", args=[row.application.reference]
            ),
        ),
        Column("job", label=gettext_lazy("Job")),
    ]
    export_filename = "access-log"
    list_export: ClassVar = ["at", "colleague", "act", "reference", "name", "job"]
    export_headings: ClassVar = {
        "at": gettext_lazy("Time"),
        "colleague": gettext_lazy("Colleague"),
        "act": gettext_lazy("Action"),
        "reference": gettext_lazy("Reference"),
        "name": gettext_lazy("Applicant"),
        "job": gettext_lazy("Job"),
    }

    def rights(self) -> tuple[str, ...]:
        return (SEE_LOG, READ)

    def get_base_queryset(self) -> QuerySet[ApplicationView]:
        shown = applications_for(self.request.user, READ, SEE_LOG).order_by().values("pk")
        return (
            ApplicationView.objects.filter(application__in=shown)
            .select_related("user", "application")
            .annotate(job=F("application__page__title"))
            .defer("application__form", "application__answers")
        )

    def search_queryset(self, queryset: QuerySet[ApplicationView]) -> QuerySet[ApplicationView]:
        conditions = self.filters.conditions
        if not self.is_searching:
            return self.among(queryset, *conditions) if conditions else queryset
        typed = self.search_query
        return self.among(queryset.filter(*conditions), search.by_colleague(typed), about(typed))

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.is_export:
            found: HttpResponseBase = self.as_spreadsheet(Export(self), request.GET["export"])
            return found
        response: HttpResponseBase = super().get(request, *args, **kwargs)
        return response

    def all_rows(self) -> QuerySet[ApplicationView]:
        """Every row that matches the filters and the search, for an export."""
        rows: QuerySet[ApplicationView] = self.filter_queryset(self.get_base_queryset())
        rows = rows.filter(*self.filters.conditions)
        if self.is_searching:
            typed = self.search_query
            rows = rows.filter(search.by_colleague(typed) | about(typed))
        return self.order_queryset(rows)

    def note_shown(self, rows: Iterable[ApplicationView]) -> None:
        """Log that the reader saw the names of these rows."""
        audit.note_all({row.application_id for row in rows}, self.request.user, audit.LOGGED)

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(*args, **kwargs)
        self.note_shown(context["object_list"])
        return context

    def to_row_dict(self, item: ApplicationView) -> dict[str, Any]:
        return {
            "at": item.at,
            "colleague": audit.who(item),
            "act": audit.what(item),
            "reference": item.application.reference,
            "name": item.application.name,
            "job": item.job,  # type: ignore[attr-defined]
        }

    def preprocess_field_value(self, field: str, value: Any, export_format: str) -> Any:
        if export_format == self.FORMAT_CSV:
            return as_text(value)
        return super().preprocess_field_value(field, value, export_format)
