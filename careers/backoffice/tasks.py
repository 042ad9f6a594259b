"""A task: an application, or an alert to operators, whose steps the pages show."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from careers.applications.models import Application
from careers.backoffice import search
from careers.backoffice.permissions import SEE_TASKS, applications_for, is_operator
from careers.backoffice.views import Crumb
from careers.pipeline import registry, restored_database
from careers.pipeline.kinds import MAIL_HR, MAIL_OPERATORS
from careers.pipeline.models import Alert, Step

Task = Application | Alert
#: What is loaded of an application: task pages show nothing personal.
WITHOUT_NAMES = (
    "public_id",
    "reference",
    "received_at",
    "job_key",
    "is_test",
    "network",
    "quarantined",
    "quarantine_reason",
)


def find_task(user: Any, reference: str) -> Task:
    """A task that this user may see, by its reference. An application has no personal data.

    Raises:
        Http404: no task has this reference, or the user may not see it.
    """
    if alert := search.alert_number(reference):
        if not is_operator(user):
            raise Http404
        return get_object_or_404(Alert, pk=alert, mailed_at__isnull=False)
    return find_application_task(user, reference)


def find_application_task(user: Any, reference: str) -> Application:
    """As ``find_task``, for applications only."""
    found: Application | None = (
        applications_for(user, SEE_TASKS)
        .annotate(job=F("page__title"))
        .only(*WITHOUT_NAMES)
        .filter(reference=reference)
        .first()
    )
    if found is None:
        raise Http404
    return found


def task_url(task: Task) -> str:
    return reverse("careers_tasks:detail", args=[task.reference])


def task_trail(task: Task) -> list[Crumb]:
    """The breadcrumbs of a task's page; its own entry is the last."""
    index = {"url": reverse("careers_tasks:index"), "label": _("Task status")}
    alerts = {"url": reverse("careers_tasks:alerts"), "label": _("Mails to operators")}
    return [
        index,
        *([alerts] if isinstance(task, Alert) else []),
        {"url": task_url(task), "label": task.reference},
    ]


def step_title(step: Step) -> str:
    """What a step does, and the recipient where that is not the applicant."""
    words = registry.label_of(step.kind)
    if step.kind in (MAIL_HR, MAIL_OPERATORS) and step.recipient:
        words = _("%(step)s: %(recipient)s") % {"step": words, "recipient": step.recipient}
    if step.sequence:
        words = _("%(step)s (sent again, no. %(number)d)") % {
            "step": words,
            "number": step.sequence,
        }
    return words


def restored_warning(task: Task) -> str:
    """A warning for a mail that may have been sent before the database was restored.

    "" for a task that is newer than the restored copy.
    """
    begun = task.created_at if isinstance(task, Alert) else task.received_at
    restored_at = restored_database.restored_since(begun)
    if restored_at is None:
        return ""
    return " " + _(
        "The database was restored from a copy on %(time)s. It does not know what was sent after "
        "the copy was made: check the mail server’s log first."
    ) % {"time": formats.date_format(timezone.localtime(restored_at), "DATETIME_FORMAT")}
