"""``/admin/tasks/bulk/<id>/``: how far an act on many steps is; one may leave it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from wagtail.admin.utils import get_user_display_name

from careers.backoffice.permissions import SEE_TASKS, is_operator
from careers.backoffice.same_cause import done_words
from careers.backoffice.views import Crumb, DetailPage
from careers.pipeline import bulk, registry
from careers.pipeline.models import BulkAct

#: Acts under way that the task status lists.
SHOWN = 5


def visible(user: Any) -> QuerySet[BulkAct]:
    """The rows that a user may see: operators all, others their own."""
    rows = BulkAct.objects.select_related("user")
    return rows if is_operator(user) else rows.filter(user=user)


class Progress:
    """One act on many steps in words."""

    def __init__(self, row: BulkAct) -> None:
        act, _rule = bulk.ACTS[row.act]
        self.row = row
        self.title = _("%(act)s: %(step)s") % {
            "act": act.words.label,
            "step": registry.label_of(row.chosen["kind"]),
        }
        self.who = get_user_display_name(row.user) if row.user else _("a deleted account")
        self.url = reverse("careers_tasks:bulk", args=[row.pk])
        self.is_finished = row.finished_at is not None
        self.skipped = max(0, row.total - row.done) if self.is_finished else 0
        self.outcome = done_words(row)

    @property
    def in_words(self) -> str:
        return _("%(done)d of %(total)d") % {"done": self.row.done, "total": self.row.total}


def under_way(user: Any) -> list[Progress]:
    """What the task status shows; one query on a small table."""
    rows = visible(user).filter(finished_at=None)[:SHOWN]
    return [Progress(row) for row in rows]


class BulkProgress(DetailPage):
    """The progress of one row."""

    right = SEE_TASKS
    template_name = "careers/backoffice/bulk.html"
    results_template_name = "careers/backoffice/bulk_results.html"
    header_icon = "tasks"

    @cached_property
    def progress(self) -> Progress:
        return Progress(get_object_or_404(visible(self.request.user), pk=self.kwargs["bulk_id"]))

    def get_page_title(self) -> str:
        return self.progress.title

    def trail(self) -> list[Crumb]:
        return [{"url": reverse("careers_tasks:index"), "label": _("Task status")}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "progress": self.progress,
            "announcement": self.progress.in_words,
            "live_url": reverse("careers_tasks:bulk_results", args=[self.progress.row.pk]),
        }
