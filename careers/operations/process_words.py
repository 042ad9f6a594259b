"""The sentences for the findings about processes and the broker.

Each says what happened, what it means for applicants, and what to do.
"""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from careers.applications import sentences
from careers.operations.words import Facts, Words, clock, safe, says, silent
from home.bidi import listed

#: Names that a sentence lists at most.
NAMED = 3


def time_of(moment: str) -> str:
    """A time that facts hold, for the reader."""
    return clock(dt.datetime.fromisoformat(moment))


def applications_waiting(count: int) -> str:
    """How many applications wait, and that nothing is lost."""
    if not count:
        return _("No application is waiting.") + " " + safe()
    return ngettext(
        "%(count)d application is waiting. It is stored and safe.",
        "%(count)d applications are waiting. They are stored and safe.",
        count,
    ) % {"count": count}


def _names(names: list[str]) -> str:
    return listed(names[:NAMED], len(names))


# ── Workers ─────────────────────────────────────────────────────────────────────────────


@says("no-worker")
def _no_worker(facts: Facts) -> Words:
    return Words(
        _("No worker is running.") + _what_follows(facts),
        _("Start the workers. They then do the waiting work. Their logs show why they ended."),
    )


@says("queue-unserved")
def _queue_unserved(facts: Facts) -> Words:
    missing = _("No worker serves the queue %(queue)s.") % {"queue": listed(facts["queues"])}
    return Words(missing + _what_follows(facts), _("Start a worker for it with -Q."))


def _what_follows(facts: Facts) -> str:
    """Which worker was there last, and what waits; an older release writes neither."""
    last = ""
    if "last" in facts:
        names = {"name": facts["last"], "time": time_of(facts["seen_at"])}
        last = " " + _("%(name)s was last seen at %(time)s.") % names
    return f"{last} {applications_waiting(facts['waiting']) if 'waiting' in facts else safe()}"


@says("worker-gone")
def _worker_gone(facts: Facts) -> Words:
    names = facts["workers"]
    happened = ngettext(
        "The worker %(names)s has given no sign of life since %(time)s and did not stop in order.",
        "%(count)d workers have given no sign of life and did not stop in order: %(names)s. One "
        "was last seen at %(time)s.",
        len(names),
    ) % {"names": _names(names), "count": len(names), "time": time_of(facts["seen_at"])}
    effect = (
        ngettext(
            "The %(count)d step that it ran is taken back within three minutes.",
            "The %(count)d steps that they ran are taken back within three minutes.",
            facts["ran"],
        )
        % {"count": facts["ran"]}
        if facts["ran"]
        else _("It ran no step.")
    )
    return Words(
        f"{happened} {effect} {safe()}",
        _(
            "Start it again, or remove it from the table of processes if it is not needed. Its "
            "log shows why it ended; most often there was too little memory."
        ),
    )


@says("worker-no-broker")
def _worker_no_broker(facts: Facts) -> Words:
    names = facts["workers"]
    return Words(
        ngettext(
            "The worker %(names)s has no connection to the broker and tries again.",
            "%(count)d workers have no connection to the broker and try again: %(names)s.",
            len(names),
        )
        % {"names": _names(names), "count": len(names)}
        + " "
        + _("The broker answers the sweeper, so the other workers continue.")
        + " "
        + safe(),
        _("If it lasts for a minute, check REDIS_URL and the network on that host."),
    )


@says("worker-stalled")
def _worker_stalled(facts: Facts) -> Words:
    names = facts["workers"]
    return Words(
        ngettext(
            "The worker %(names)s has taken no message since %(time)s: its main loop hangs.",
            "%(count)d workers have taken no message since %(time)s: their main loops hang "
            "(%(names)s).",
            len(names),
        )
        % {"names": _names(names), "count": len(names), "time": time_of(facts["since"])}
        + " "
        + safe(),
        _(
            "If messages wait for a minute, the worker ends by itself, and its supervisor starts "
            "it again. If that does not happen, restart it."
        ),
    )


@says("restarts")
def _restarts(facts: Facts) -> Words:
    kinds = {
        "worker": _("The worker %(name)s"),
        "sweeper": _("The sweeper on %(name)s"),
        "scheduler": _("The scheduler"),
        "flower": _("Flower (%(name)s)"),
    }
    who = kinds[facts["kind"]] % {"name": facts["name"]}
    effects = {
        "worker": _("Each time, the steps that it ran wait for up to three minutes."),
        "sweeper": _("Retries are late."),
        "scheduler": _("Scheduled tasks are late."),
        "flower": _("Applications are not affected."),
    }
    return Words(
        _("%(process)s ended without notice %(count)d times within an hour, last at %(time)s.")
        % {"process": who, "count": facts["count"], "time": time_of(facts["last"])}
        + " "
        + effects[facts["kind"]],
        _("Read the end of its log for the cause. With too little memory, the log just stops."),
    )


# ── Sweeper, scheduler, Flower ──────────────────────────────────────────────────────────


@says("no-sweeper")
def _no_sweeper(facts: Facts) -> Words:
    return Words(
        _("The sweeper is not running: lost messages are not noticed.") + " " + safe(),
        _("Start manage.py pipeline_sweep."),
    )


@says("no-scheduler")
def _no_scheduler(facts: Facts) -> Words:
    seen = facts["seen_at"]
    ran = (
        _("The scheduler last ran at %(time)s.") % {"time": time_of(seen)}
        if seen
        else _("The scheduler has never run.")
    )
    late = _("Scheduled pages do not go live or expire, and no daily summary is sent.")
    return Words(f"{ran} {late}", _("Start celery beat."))


@says("no-flower")
def _no_flower(facts: Facts) -> Words:
    return Words(
        _("Flower is not running. It was last seen at %(time)s. Applications are not affected.")
        % {"time": time_of(facts["seen_at"])},
        _(
            "Start it again; its log shows why it ended. Task status still shows everything "
            "without it."
        ),
    )


@says("flower-port")
def _flower_port(facts: Facts) -> Words:
    return Words(
        _(
            "Flower can’t start: another program listens on its port %(port)s. Applications are "
            "not affected. Do not enter a password at that address."
        )
        % {"port": facts["port"]},
        _("Stop that program, or set FLOWER_PORT to a free port and start Flower again."),
    )


# ── Broker ──────────────────────────────────────────────────────────────────────────────


@says("broker")
def _broker(facts: Facts) -> Words:
    message = silent(facts).message if "silent" in facts else sentences.render(facts["cause"])
    if cut_off := facts.get("workers"):
        message += " " + ngettext(
            "%(count)d worker can’t reach it and tries again.",
            "%(count)d workers can’t reach it and try again.",
            cut_off,
        ) % {"count": cut_off}
    return Words(message, f"{safe()} {_who_works(facts)}")


def _who_works(facts: Facts) -> str:
    """Who does the work while the broker is down; a probe by itself knows of no sweeper."""
    if not facts.get("sweeper", True):
        return _("No sweeper is running, so the work waits. Start manage.py pipeline_sweep.")
    at = facts.get("takes_over_at")
    if at is None:
        return _("If the outage lasts, the sweeper does the work itself.")
    if facts["took_over"]:
        return _("Since %(time)s the sweeper does the work itself, more slowly.") % {
            "time": time_of(at)
        }
    return _("The work waits. The sweeper takes over at %(time)s.") % {"time": time_of(at)}
