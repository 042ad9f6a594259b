"""``/admin/tasks/health/``: the health of the site in detail, for operators."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from careers.backoffice import health_panel, process_table, service_table
from careers.backoffice.permissions import SEE_TASKS, is_operator
from careers.backoffice.polling import polled
from careers.backoffice.views import Crumb, DetailPage
from careers.operations import health
from careers.pipeline import actions


class HealthPage(DetailPage):
    """What runs, what was lost, and what each service answered."""

    right = SEE_TASKS
    operators_only = True
    page_title = gettext_lazy("Health")
    header_icon = "tasks"
    template_name = "careers/backoffice/health_page.html"
    results_template_name = "careers/backoffice/health_page_results.html"

    @polled
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase = super().get(request, *args, **kwargs)
        return response

    def trail(self) -> list[Crumb]:
        return [{"url": reverse("careers_tasks:index"), "label": _("Task status")}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = health.check()
        return {
            **super().get_context_data(**kwargs),
            "health": found,
            "tone": health_panel.tone(found),
            "facts": health_panel.facts(found),
            "services": service_table.lines(),
            "queues": service_table.queues(found),
            "processes": process_table.lines(found.processes),
            "may_run": is_operator(self.request.user, actions.retry.permission),
            "announcement": found.sentence,
            "live_url": reverse("careers_tasks:health_results"),
        }
