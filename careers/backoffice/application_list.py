"""``/admin/applications/``: the applications for the jobs in the reader's part of the tree."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar

import django_filters
from django import forms
from django.conf import settings
from django.core.paginator import Page
from django.db.models import Case, F, OuterRef, Prefetch, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.utils.translation import get_language, gettext, gettext_lazy
from wagtail.admin.filters import DateRangePickerWidget, WagtailFilterSet
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.widgets import BooleanRadioSelect

from careers.applications.models import (
    UPLOADS,
    Application,
    ApplicationFile,
    FileKind,
    ReviewStage,
    ScanVerdict,
)
from careers.backoffice import audit, outage, paging, presentation, search
from careers.backoffice.permissions import READ, visible_applications, visible_jobs
from careers.backoffice.views import ListPage
from careers.jobs.models import JobPage
from careers.pipeline.models import Step
from careers.search.applications import ANSWERS, by_anything, by_person, places_of


def one_page_per_job(jobs: QuerySet[JobPage], request: Any) -> QuerySet[JobPage]:
    """The jobs to choose from, one page for each.

    It is the page that the address names as ``job``; else, if there is one, the page in the
    reader's language.
    """
    preferred = Q(locale__language_code=get_language())
    if asked := request.GET.get("job"):
        with suppress(ValueError):  # Not a number: the filter's form refuses it.
            same = jobs.order_by().filter(id=asked).values("translation_key")
            preferred = Q(id=asked) | (preferred & ~Q(translation_key__in=same))
    own = jobs.order_by().filter(preferred)
    twice = Q(translation_key__in=own.values("translation_key"))
    return jobs.exclude(twice & ~Q(pk__in=own.values("pk"))).order_by("title")


def jobs_of(request: Any) -> QuerySet[JobPage]:
    """The jobs whose applications the reader may see."""
    return one_page_per_job(visible_jobs(request.user), request)


class ApplicationFilters(WagtailFilterSet):
    job = django_filters.ModelChoiceFilter(
        label=gettext_lazy("Job"),
        queryset=jobs_of,
        method="for_job",
        # With the default, “pk”, a number that is too large for an id is an error.
        to_field_name="id",
        empty_label=gettext_lazy("All"),
    )
    review_stage = django_filters.ChoiceFilter(
        label=gettext_lazy("Stage"),
        choices=ReviewStage.choices,
        empty_label=gettext_lazy("All"),
        widget=forms.RadioSelect,
    )
    received_at = django_filters.DateFromToRangeFilter(
        label=gettext_lazy("Received"), widget=DateRangePickerWidget
    )
    language = django_filters.ChoiceFilter(
        label=gettext_lazy("Language"),
        choices=settings.LANGUAGES,
        empty_label=gettext_lazy("All"),
        widget=forms.RadioSelect,
    )
    quarantined = django_filters.BooleanFilter(
        label=gettext_lazy("Quarantined as spam"), widget=BooleanRadioSelect
    )
    is_test = django_filters.BooleanFilter(label=gettext_lazy("Test"), widget=BooleanRadioSelect)

    class Meta:
        model = Application
        fields: ClassVar[list[str]] = []

    def for_job(
        self, queryset: QuerySet[Application], name: str, job: JobPage
    ) -> QuerySet[Application]:
        return queryset.filter(job_key=job.translation_key)


class NameColumn(TitleColumn):
    """An applicant's name, which may hold right-to-left text."""

    cell_template_name = "careers/backoffice/name_cell.html"

    def get_value(self, instance: Application) -> str:
        return instance.shown_name


class ReceivedColumn(Column):
    cell_template_name = "careers/backoffice/received_cell.html"


class FilesColumn(Column):
    """The number of files from the applicant, whether the PDF exists, and what is locked."""

    cell_template_name = "careers/backoffice/files_cell.html"

    def get_value(self, instance: Application) -> list[tuple[str, str]]:
        return [(file.kind, file.scan_verdict) for file in instance.files.all()]

    def get_cell_context_data(self, instance: Application, parent_context: Any) -> dict[str, Any]:
        context = super().get_cell_context_data(instance, parent_context)
        kinds = [kind for kind, _verdict in context["raw_value"]]
        verdicts = {verdict for _kind, verdict in context["raw_value"]}
        return {
            **context,
            "sent": sum(kind in UPLOADS for kind in kinds),
            "has_pdf": FileKind.PDF in kinds,
            "infected": ScanVerdict.INFECTED in verdicts,
            "unscanned": ScanVerdict.WAITING in verdicts,
        }


class ProcessColumn(Column):
    """The most urgent of the application's steps."""

    cell_template_name = "careers/backoffice/process_cell.html"

    def get_value(self, instance: Application) -> presentation.Chip | None:
        paused: Collection[str] = instance.paused_kinds  # type: ignore[attr-defined]
        return presentation.summary(instance.steps.all(), instance.quarantined, paused)


class ApplicationList(ListPage):
    """The applications that the reader may see, with filters and a search."""

    right = READ
    model = Application
    page_title = gettext_lazy("Applications")
    header_icon = "group"
    index_url_name = "careers_applications:index"
    index_results_url_name = "careers_applications:results"
    results_template_name = "careers/backoffice/application_list_results.html"
    filterset_class = ApplicationFilters
    verbose_name_plural = gettext_lazy("applications")
    table_classname = "listing bo-table bo-table--applications"
    default_ordering = "-received_at"
    ties: ClassVar = {"review_stage": ("received_at",)}
    short_only = ("job",)
    columns: ClassVar = [
        NameColumn(
            "name",
            label=gettext_lazy("Name"),
            url_name="careers_applications:detail",
            id_accessor="reference",
            sort_key="name",
            classname="bo-cell-name",
        ),
        Column("job", label=gettext_lazy("Job"), sort_key="job", classname="bo-cell-job"),
        ReceivedColumn(
            "received_at",
            label=gettext_lazy("Received"),
            sort_key="received_at",
            classname="bo-cell-age",
        ),
        Column(
            "stage",
            label=gettext_lazy("Stage"),
            accessor="get_review_stage_display",
            sort_key="review_stage",
            classname="bo-cell-stage",
        ),
        FilesColumn("files", label=gettext_lazy("Files"), classname="bo-cell-files"),
        ProcessColumn("process", label=gettext_lazy("Processing"), classname="bo-cell-chips"),
    ]

    def get_base_queryset(self) -> QuerySet[Application]:
        # A job has one name in this list, in whatever language the person applied.
        own = JobPage.objects.filter(
            translation_key=OuterRef("job_key"), locale__language_code=get_language()
        )
        return (
            visible_applications(self.request.user)
            .annotate(job=Coalesce(Subquery(own.values("title")[:1]), F("page__title")))
            .defer("form", "answers", "receipt_secret", "fingerprint")
            .prefetch_related(
                Prefetch("steps", Step.objects.defer("error_public").order_by("pk")),
                Prefetch(
                    "files", ApplicationFile.objects.only("application", "kind", "scan_verdict")
                ),
            )
        )

    def search_queryset(self, queryset: QuerySet[Application]) -> QuerySet[Application]:
        if not self.is_searching:
            return queryset
        typed = self.search_query
        reference = search.by_reference(typed, least=4)
        anywhere = partial(by_anything, typed)
        if self.is_explicitly_ordered or self.after is not None:
            return self.among(queryset, anywhere, reference)
        # Who has the name comes before those whose files mention it.
        few = paging.all_of(queryset, anywhere)
        if few is None:
            named = paging.newest(queryset, partial(by_person, typed), reference)
            found = paging.newest(queryset, anywhere) if len(named) <= paging.MOST else []
        else:
            # The texts are searched once: who has the name is among those.
            among = paging.newest(queryset.filter(pk__in=few), by_person(typed))
            named = sorted({*among, *paging.newest(queryset, reference)}, reverse=True)
            found = sorted(few, reverse=True)
        with_name = set(named)
        others = [pk for pk in found if pk not in with_name]
        self.ids = [*named, *others][: paging.MOST + 1]
        return queryset.filter(pk__in=self.ids[: paging.MOST]).order_by(
            Case(When(pk__in=named, then=0), default=1), *self.order
        )

    def next_after(self, page: Page[Application]) -> int | None:
        if self.is_searching and not self.is_explicitly_ordered and self.after is None:
            # After those with the name, the newest of all come once more.
            found = super().next_after(page)
            return max(self.ids) + 1 if found and self.ids else None
        return super().next_after(page)

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(*args, **kwargs)
        act = audit.FOUND if self.is_searching else audit.LISTED
        places = places_of(self.search_query, context["object_list"]) if self.is_searching else {}
        for row in context["object_list"]:
            row.paused_kinds = self.paused.kinds
            row.found_in = [
                gettext("the form") if place == ANSWERS else place
                for place in places.get(row.pk, [])
            ]
        audit.note_all((row.pk for row in context["object_list"]), self.request.user, act)
        context["outage"] = outage.for_reader(self.request.user)
        return context
