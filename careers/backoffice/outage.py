"""The one sentence of health for HR: on Wagtail's home page and above the applications.

It shows only what delays applications. Operators get the sentence of the task status, with a link.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from wagtail.admin.ui.components import Component

from careers.backoffice.permissions import READ, is_operator, scope_of, visible_applications
from careers.operations import causes, findings, processes, words
from careers.operations.models import Finding, Severity
from careers.operations.process_words import applications_waiting
from careers.pipeline.models import Step
from careers.pipeline.states import UNDER_WAY
from careers.pipeline.transitions import db_now

#: The findings that delay every application, the most important first.
DELAYS = ("no-worker", "queue-unserved", "broker")


@dataclass(frozen=True)
class Outage:
    """What HR reads. ``url`` leads operators to the task status; it is "" for others."""

    sentence: str
    url: str


def for_reader(user: Any) -> Outage | None:
    """What delays applications now, for a reader; two queries while all is well."""
    now = db_now()
    stored = [one for one in findings.current(now) if one.code in DELAYS]
    broken = any(one.code == "broker" for one in stored)
    found = [*stored, *processes.findings(processes.read(now), broker_works=not broken)]
    critical = [one for one in causes.one_for_each(found) if one.severity == Severity.CRITICAL]
    known = {one.code: one for one in critical}
    first = next((known[code] for code in DELAYS if code in known), None)
    if first is None:
        return None
    url = reverse("careers_tasks:index") if is_operator(user) else ""
    return Outage(_sentence(first, _waiting(user)), url)


def _waiting(user: Any) -> int:
    """How many of the reader's applications have a step that waits or runs."""
    under_way = Step.objects.filter(state__in=UNDER_WAY).values("application")
    return int(visible_applications(user).filter(pk__in=under_way).count())


def _sentence(finding: Finding, waiting: int) -> str:
    """Without hosts and settings, which HR does not know."""
    if finding.code == "broker":
        late = _("The message broker does not answer, so mails and PDFs are late.")
        return f"{late} {applications_waiting(waiting)}"
    facts = {name: finding.facts[name] for name in ("queues",) if name in finding.facts}
    return words.of(finding.code, {**facts, "waiting": waiting}).message


class OutagePanel(Component):
    """The sentence at the top of Wagtail's home page."""

    name = "careers_outage"
    template_name = "careers/backoffice/outage.html"
    order = 10

    def __init__(self, outage: Outage) -> None:
        self.outage = outage

    def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
        return {"outage": self.outage}


def add_panel(request: HttpRequest, panels: list[Component]) -> None:
    """For Wagtail's hook ``construct_homepage_panels``."""
    if scope_of(request.user, READ) and (outage := for_reader(request.user)):
        panels.insert(0, OutagePanel(outage))
