"""Steps with the same cause: shown as one group, retried with one click."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin import messages

from careers.backoffice import presentation
from careers.backoffice.permissions import (
    SEE_TASKS,
    applications_for,
    is_operator,
)
from careers.backoffice.views import ConfirmPage, Crumb
from careers.operations.health import Health
from careers.operations.models import Finding
from careers.pipeline import actions, registry
from careers.pipeline.attention import NEEDS_ATTENTION, Cause, by_cause
from careers.pipeline.models import Step

#: Steps that are retried together, once their cause is gone.
RETRIED_TOGETHER = NEEDS_ATTENTION & actions.retry.allowed
#: Groups that the page shows.
SHOWN = 5
#: The most steps that one click retries; a second click retries the rest.
AT_ONCE = 500


class Group:
    """Steps with the same cause, for the template.

    Args:
        fault: what is reported now about the service that the cause is about.
    """

    def __init__(self, cause: Cause, fault: Finding | None = None) -> None:
        # One fault has one cause, even if the steps got another answer than the probe.
        self.cause = fault.message if fault else cause.words
        self.number = cause.count
        self.step = registry.label_of(cause.kind)
        self.since = presentation.clock(cause.since) if cause.since else ""
        query = urlencode({"kind": cause.kind, "code": cause.code})
        self.url = f"{reverse('careers_tasks:retry_alike')}?{query}"


def retriable(user: Any) -> QuerySet[Step]:
    """The steps that this user may see and retry, among those that can be retried together."""
    both = (SEE_TASKS, actions.retry.permission)
    steps = Step.objects.filter(RETRIED_TOGETHER.query)
    if all(is_operator(user, permission) for permission in both):
        return steps
    return steps.filter(application__in=applications_for(user, *both))


def groups(user: Any, found: Health | None = None) -> list[Group]:
    """The largest groups of two and more steps that this user may retry together.

    Args:
        found: the health of the site, for a reader who may see it.
    """
    largest = [cause for cause in by_cause(retriable(user)) if cause.count > 1][:SHOWN]
    return [Group(cause, found.fault_of(cause.code) if found else None) for cause in largest]


class RetrySameCause(ConfirmPage):
    """Retry every step with the same cause, once the cause is gone."""

    right = SEE_TASKS

    def rights(self) -> tuple[str, ...]:
        return (self.right, actions.retry.permission)

    def find(self) -> list[Step]:
        sent = self.request.POST if self.request.method == "POST" else self.request.GET
        return list(
            retriable(self.request.user)
            .filter(kind=sent.get("kind", ""), error_code=sent.get("code", ""))
            .order_by("pk")[:AT_ONCE]
        )

    def trail(self) -> list[Crumb]:
        return [{"url": self.back(), "label": _("Task status")}]

    def back(self) -> str:
        return reverse("careers_tasks:index")

    def is_allowed(self) -> bool:
        return bool(self.subject)

    def perform(self, reason: str) -> bool:
        user = self.request.user
        self.retried = sum(bool(actions.retry(step, user, reason)) for step in self.subject)
        return bool(self.retried)

    def question(self) -> str:
        count = len(self.subject)
        words = ngettext("Retry %(count)d step?", "Retry all %(count)d steps?", count)
        return words % {"count": count}

    def consequence(self) -> str:
        first: Step = self.subject[0]
        return f"{registry.label_of(first.kind)}: {first.error_public}"

    def button(self) -> str:
        count = len(self.subject)
        words = ngettext("Retry %(count)d step", "Retry %(count)d steps", count)
        return words % {"count": count}

    def hidden(self) -> dict[str, str]:
        return {"kind": self.subject[0].kind, "code": self.subject[0].error_code}

    def done(self) -> str:
        words = ngettext(
            "%(count)d step is retried now.", "%(count)d steps are retried now.", self.retried
        )
        return words % {"count": self.retried}

    def refuse(self) -> HttpResponse:
        messages.info(self.request, _("No step is left to retry."))
        return HttpResponseRedirect(self.back())
