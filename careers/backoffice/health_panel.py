"""The health check in words, for the top of the task status."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from careers.backoffice import presentation
from careers.operations import health
from careers.operations.models import Heartbeat


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
    workers = [
        _("%(name)s (%(queues)s; seen %(time)s ago)")
        % {
            "name": worker.name,
            "queues": worker.queues.replace(",", ", "),
            "time": presentation.span(found.at - worker.seen_at),
        }
        for worker in found.workers
    ]
    return [
        (_("Workers"), ", ".join(workers) or _("none")),
        (_("Broker"), broker),
        (_("Sweeper"), _seen(found, found.sweepers)),
        (_("Scheduler"), _seen(found, found.schedulers)),
        (_("Oldest ready step"), oldest),
    ]


def _seen(found: health.Health, beats: list[Heartbeat]) -> str:
    if not beats:
        return _("not running")
    return _("seen %(time)s ago") % {"time": presentation.span(found.at - beats[0].seen_at)}


def announcement(found: health.Health) -> str:
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
