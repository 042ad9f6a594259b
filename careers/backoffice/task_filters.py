"""The filters of the task status. They are in the address, so a list can be kept and shared."""

from __future__ import annotations

from typing import ClassVar

import django_filters
from django import forms
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy
from wagtail.admin.filters import DateRangePickerWidget, WagtailFilterSet

from careers.applications.models import Application
from careers.backoffice.application_list import one_page_per_job
from careers.backoffice.permissions import SEE_TASKS, applications_for
from careers.backoffice.state_groups import STATES, in_state
from careers.jobs.models import JobPage
from careers.pipeline import registry
from careers.pipeline.models import Step
from careers.pipeline.states import OPEN, ErrorClass

TEST, REAL = "test", "real"


class TaskFilters(WagtailFilterSet):
    """State and kind filter by the same step: "failed mails to HR"."""

    state = django_filters.ChoiceFilter(
        label=gettext_lazy("State"),
        choices=STATES,
        empty_label=gettext_lazy("All"),
        widget=forms.Select,
    )
    kind = django_filters.ChoiceFilter(
        label=gettext_lazy("Step"),
        # A mail to operators belongs to no application. The list of alerts shows these mails.
        choices=lambda: [
            (kind, registry.label_of(kind)) for kind in registry.kinds_about_applications()
        ],
        empty_label=gettext_lazy("All"),
        widget=forms.RadioSelect,
    )
    job = django_filters.ModelChoiceFilter(
        label=gettext_lazy("Job"),
        queryset=lambda request: one_page_per_job(
            JobPage.objects.filter(
                translation_key__in=applications_for(request.user, SEE_TASKS)
                .order_by()
                .values("job_key")
            ),
            request,
        ),
        # With the default, “pk”, a number that is too large for an id is an error.
        to_field_name="id",
        empty_label=gettext_lazy("All"),
    )

    error = django_filters.ChoiceFilter(
        label=gettext_lazy("Error"),
        choices=ErrorClass.choices,
        empty_label=gettext_lazy("All"),
        widget=forms.Select,
    )
    language = django_filters.ChoiceFilter(
        label=gettext_lazy("Language"),
        choices=lambda: settings.LANGUAGES,
        empty_label=gettext_lazy("All"),
        widget=forms.Select,
    )
    received = django_filters.DateFromToRangeFilter(
        label=gettext_lazy("Received"), field_name="received_at", widget=DateRangePickerWidget
    )
    only = django_filters.ChoiceFilter(
        label=gettext_lazy("Test or real"),
        choices=[
            (TEST, gettext_lazy("Test applications")),
            (REAL, gettext_lazy("Real applications")),
        ],
        empty_label=gettext_lazy("All"),
        widget=forms.Select,
    )

    class Meta:
        model = Application
        fields: ClassVar[list[str]] = []

    def filter_queryset(self, queryset: QuerySet[Application]) -> QuerySet[Application]:
        chosen = self.form.cleaned_data
        if chosen["job"]:
            queryset = queryset.filter(job_key=chosen["job"].translation_key)
        if chosen["language"]:
            queryset = queryset.filter(language=chosen["language"])
        if chosen["only"]:
            queryset = queryset.filter(is_test=chosen["only"] == TEST)
        received: QuerySet[Application] = self.filters["received"].filter(
            queryset, chosen["received"]
        )
        return received

    @property
    def steps(self) -> Q:
        """What a step of a matching application is; empty for any."""
        chosen, steps = self.form.cleaned_data, Q()
        if chosen["state"]:
            steps &= in_state(chosen["state"])
        if chosen["kind"]:
            steps &= Q(kind=chosen["kind"])
        if chosen["error"]:
            # A step that is done has no error. The others are few, and in an index of their own.
            steps &= Q(error_class=chosen["error"], state__in=OPEN)
        return steps


def applications_with(steps: Q) -> Q:
    """The applications that have such a step."""
    return Q(pk__in=Step.objects.filter(steps, application__isnull=False).values("application"))
