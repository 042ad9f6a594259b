"""The report of what the site stores about people, in the admin and as a download."""

from __future__ import annotations

import csv
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy

from careers.backoffice.permissions import READ
from careers.backoffice.views import DetailPage
from careers.retention import record


class PersonalData(DetailPage):
    """A table for each model; ``?export=csv`` downloads them as one."""

    right = READ
    page_title = gettext_lazy("Personal data")
    header_icon = "clipboard-list"
    template_name = "careers/backoffice/personal_data.html"
    _show_breadcrumbs = True

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.GET.get("export") == "csv":
            return _as_csv()
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "tables": record.tables()}


def _as_csv() -> HttpResponse:
    headers = {"Content-Disposition": 'attachment; filename="personal-data.csv"'}
    # With a byte order mark, Excel reads it as UTF-8.
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8", headers=headers)
    writer = csv.writer(response)
    writer.writerow(record.COLUMNS)
    for table in record.tables():
        writer.writerows(line.cells() for line in table.lines)
    return response
