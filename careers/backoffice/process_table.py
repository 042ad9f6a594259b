"""The processes of the site as rows of a table: what each one does, and which were lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import View

from careers.backoffice import presentation
from careers.backoffice.permissions import Requires
from careers.operations import heartbeat
from careers.operations.models import Heartbeat
from careers.operations.process_words import time_of
from careers.operations.processes import Processes
from careers.pipeline import registry
from careers.pipeline.acts import RETRY
from careers.pipeline.models import Step
from careers.pipeline.states import State
from home.bidi import isolated
from home.values.size import size_in_words

#: Steps that a row names.
NAMED = 3
#: The longest name, as the column has it.
NAME_LENGTH = 120


@dataclass(frozen=True)
class WorkLine:
    """A step that a worker runs or ran: what, since when, and what became of it."""

    words: str
    url: str
    detail: str


@dataclass(frozen=True)
class ProcessLine:
    """One process in words."""

    kind: str
    name: str
    host: str
    version: str
    queues: str
    state: str
    tone: str
    icon: str
    note: str
    work: list[WorkLine]
    memory: str
    started: str
    seen: str
    gone: bool


def lines(found: Processes) -> list[ProcessLine]:
    """Every process that is alive, and every worker that was lost in the last day; two queries."""
    rows = [*found.workers, *found.gone, *found.sweepers, *found.schedulers, *found.flowers]
    steps = _steps_of(rows)
    return [_line(row, found.at, steps.get(row.pk, [])) for row in rows]


def _line(row: Heartbeat, now: dt.datetime, steps: list[Step]) -> ProcessLine:
    gone = not heartbeat.is_alive(row, now)
    state, tone, icon, note = _state(row, gone, bool(steps))
    memory = row.facts.get("memory")
    return ProcessLine(
        kind=str(Heartbeat.Kind(row.kind).label),
        name=row.name,
        host=row.facts.get("host", ""),
        version=row.facts.get("version", ""),
        queues=row.queues.replace(",", ", "),
        state=state,
        tone=tone,
        icon=icon,
        note=note,
        work=[_work(step, gone, now) for step in steps[:NAMED]],
        memory=size_in_words(memory) if memory and not gone else "",
        started=presentation.clock(row.started_at),
        seen=_("%(time)s ago") % {"time": presentation.span(now - row.seen_at)},
        gone=gone,
    )


def _state(row: Heartbeat, gone: bool, works: bool) -> tuple[str, str, str, str]:
    """The state of a process: a word, its tone and icon, and what else to know."""
    lost = row.facts.get("lost", [])
    ended = (
        _("Its predecessor ended without notice at %(time)s.") % {"time": time_of(lost[-1]["at"])}
        if lost
        else ""
    )
    if gone:
        return _("Gone"), "bad", "warning", _("It did not stop in order.")
    since = row.facts.get("trouble_since")
    match row.facts.get("trouble"):
        case "no-broker":
            note = _("No connection to the broker since %(time)s.") % {"time": time_of(since)}
            return _("Connects again"), "later", "resubmit", note
        case "stalled":
            note = _("It has taken no message since %(time)s.") % {"time": time_of(since)}
            return _("Hangs"), "bad", "warning", note
    if at := row.facts.get("takes_over_at"):
        words = _("The broker is down. The sweeper runs the steps itself from %(time)s on.")
        return _("Runs"), "active", "rotate", words % {"time": time_of(at)}
    if works:
        return _("At work"), "active", "rotate", ended
    return (_("Idle") if row.queues else _("Runs")), "good", "check", ended


def _work(step: Step, gone: bool, now: dt.datetime) -> WorkLine:
    about = step.about
    detail = ""
    if gone:
        detail = _("now: %(state)s") % {"state": presentation.state_in_words(step)}
    elif step.started_at:
        detail = _("for %(time)s") % {"time": presentation.span(now - step.started_at)}
    return WorkLine(
        words=f"{registry.label_of(step.kind)} · {about.reference}",
        url=reverse("careers_tasks:detail", args=[about.reference]),
        detail=detail,
    )


def _steps_of(rows: Iterable[Heartbeat]) -> dict[int, list[Step]]:
    """What each worker runs, or ran when it was lost; names and answers are not loaded."""
    owners = {row.facts["owner"]: row.pk for row in rows if row.facts.get("owner")}
    ran = {pk: row.pk for row in rows for pk in row.facts.get("ran", [])}
    if not owners:
        return {}
    related = Step.objects.select_related("application", "alert").only(
        "kind",
        "state",
        "owner",
        "run_after",
        "started_at",
        "bounced_at",
        "error_class",
        "error_code",
        "application__reference",
        "alert__key",
    )
    held = related.filter(owner__in=owners, state=State.STARTED)
    found: dict[int, list[Step]] = {}
    for step in sorted({*held, *related.filter(pk__in=ran)}, key=lambda step: step.pk):
        row = ran.get(step.pk) or owners.get(step.owner)
        if row is not None:
            found.setdefault(row, []).append(step)
    return found


class ForgetWorker(Requires, View):
    """Remove a lost worker from the table: it is not needed any more."""

    right = RETRY
    operators_only = True

    def post(self, request: HttpRequest) -> HttpResponse:
        name = request.POST.get("name", "")[:NAME_LENGTH]
        if heartbeat.forget(name):
            messages.success(request, _("“%(name)s” was removed.") % {"name": isolated(name)})
        else:
            messages.info(
                request, _("“%(name)s” runs again, or is not listed.") % {"name": isolated(name)}
            )
        return redirect("careers_tasks:health")
