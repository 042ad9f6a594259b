"""The list of the task status as CSV or XLSX, by Wagtail's own mixin; without names."""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.views.mixins import SpreadsheetExportMixin

from careers.applications.models import Application
from careers.backoffice import presentation
from careers.backoffice.access_log import as_text
from careers.pipeline import registry
from careers.pipeline.models import Step
from careers.pipeline.pauses import Pauses

#: Rows of one file. A longer list is exported in parts, by the filter of dates.
MOST = 10_000


class TaskExport(SpreadsheetExportMixin):
    """Adds *Download CSV* and *Download XLSX* to a list of applications with their steps."""

    export_filename = "tasks"
    list_export: ClassVar[list[str]] = [
        "reference",
        "job",
        "language",
        "received_at",
        "test",
        "step",
        "state",
        "attempts",
        "next_attempt",
        "error",
        "cause",
    ]
    export_headings: ClassVar[dict[str, Any]] = {
        "reference": gettext_lazy("Reference"),
        "job": gettext_lazy("Job"),
        "language": gettext_lazy("Language"),
        "received_at": gettext_lazy("Received"),
        "test": gettext_lazy("Test"),
        "step": gettext_lazy("Most urgent step"),
        "state": gettext_lazy("State"),
        "attempts": gettext_lazy("Attempts"),
        "next_attempt": gettext_lazy("Next attempt"),
        "error": gettext_lazy("Error"),
        "cause": gettext_lazy("Cause"),
    }

    def to_row_dict(self, item: Application) -> OrderedDict[str, Any]:
        steps = presentation.current(item.steps.all())
        step = min(steps, key=presentation.urgency) if steps else None
        row = {
            "reference": item.reference,
            "job": as_text(item.job),  # type: ignore[attr-defined]
            "language": item.language,
            "received_at": item.received_at,
            "test": item.is_test,
            "step": registry.label_of(step.kind) if step else "",
            "state": self._state(step, item.quarantined) if step else "",
            "attempts": step.attempts if step else 0,
            "next_attempt": step.run_after if step else None,
            "error": step.error_code if step else "",
            "cause": as_text(step.error_public) if step else "",
        }
        return OrderedDict((name, _cell(value, self.zone)) for name, value in row.items())

    def _state(self, step: Step, quarantined: bool) -> str:
        paused: Pauses = self.paused  # type: ignore[attr-defined]
        return presentation.state_in_words(step, quarantined, paused.kinds)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # The rows are made while they are sent, when the reader's time zone is not set any more.
        self.zone = timezone.get_current_timezone()
        # Before the page: it would load every row, to count them.
        answer: HttpResponseBase = (
            self.as_spreadsheet(
                self.get_queryset()[:MOST].iterator(chunk_size=500), request.GET["export"]
            )
            if self.is_export
            else super().get(request, *args, **kwargs)
        )
        return answer

    def get_heading(self, queryset: Any, field: str) -> str:
        return str(self.export_headings[field])


def _cell(value: Any, zone: dt.tzinfo) -> Any:
    """A value for a spreadsheet: a time is to the second, and names no zone."""
    match value:
        case None:
            return ""
        case bool():
            return _("Yes") if value else _("No")
        case dt.datetime():
            return timezone.make_naive(value, zone).replace(microsecond=0)
    return value
