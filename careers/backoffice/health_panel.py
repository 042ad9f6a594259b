"""The health check in words, for the top of the task status."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple, Protocol

from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from careers.backoffice import paging, presentation
from careers.backoffice.state_groups import ATTENTION, DONE, RUNNING, WAITING, in_state
from careers.operations import health
from careers.operations.models import Heartbeat
from careers.pipeline.models import Step
from careers.pipeline.states import OPEN


def tone(found: health.Health) -> str:
    """The colour of the health sentence."""
    if found.ok:
        return "good"
    return "bad" if any(finding.level == "critical" for finding in found.findings) else "later"


def facts(found: health.Health) -> list[tuple[str, str]]:
    """The facts behind the health sentence, as pairs of name and value."""
    if found.broker_error:
        broker = _("does not answer")
    elif found.sweepers:
        broker = _("answers")
    else:
        broker = _("unknown: only the sweeper checks it")
    oldest = (
        presentation.span(dt.timedelta(seconds=found.oldest_ready_seconds))
        if found.oldest_ready_seconds is not None
        else _("no step is ready and waiting")
    )
    return [
        (_("Workers"), _workers(found)),
        (_("Broker"), broker),
        (_("Sweeper"), _seen(found, found.sweepers)),
        (_("Scheduler"), _seen(found, found.schedulers)),
        (_("Oldest ready step"), oldest),
    ]


def _workers(found: health.Health) -> str:
    """How many workers run, how many of them have no broker, and how many were lost today."""
    parts = [str(len(found.workers)) if found.workers else _("none")]
    if cut_off := len(found.processes.cut_off):
        parts.append(
            ngettext("%(count)d without the broker", "%(count)d without the broker", cut_off)
            % {"count": cut_off}
        )
    if gone := len(found.processes.gone):
        parts.append(ngettext("%(count)d gone", "%(count)d gone", gone) % {"count": gone})
    return " · ".join(parts)


def _seen(found: health.Health, beats: list[Heartbeat]) -> str:
    if not beats:
        return _("not running")
    return _("seen %(time)s ago") % {"time": presentation.span(found.at - beats[0].seen_at)}


class Numbers(Protocol):
    """How many steps are in which state, as ``health.Health`` has them."""

    @property
    def needs_attention(self) -> int: ...
    @property
    def waiting(self) -> int: ...
    @property
    def running(self) -> int: ...
    @property
    def done_last_day(self) -> int: ...


class _Counted(NamedTuple):
    needs_attention: int
    waiting: int
    running: int
    done_last_day: int


def numbers(steps: QuerySet[Step]) -> Numbers:
    """The numbers of some of the steps, for a reader who may not see all; two queries.

    What is done is counted to ``paging.MOST + 1``: it may be a large part of all steps.
    """
    groups = (ATTENTION, WAITING, RUNNING)
    # An alias must not be the name of a column.
    found = (
        steps.order_by()
        .filter(state__in=OPEN)
        .aggregate(
            **{f"n{place}": Count("pk", filter=in_state(name)) for place, name in enumerate(groups)}
        )
    )
    done = paging.counted(steps.filter(in_state(DONE)))
    attention, waiting, running = (found[f"n{place}"] for place in range(len(groups)))
    return _Counted(attention, waiting, running, done)


def announcement(found: Numbers) -> str:
    """What a screen reader says when the numbers have changed."""
    return ngettext(
        "%(attention)d step needs attention, %(waiting)d waiting, %(running)d running.",
        "%(attention)d steps need attention, %(waiting)d waiting, %(running)d running.",
        found.needs_attention,
    ) % {
        "attention": found.needs_attention,
        "waiting": found.waiting,
        "running": found.running,
    }
