"""The sentences for scheduled tasks that fail: the cause, the effect, and what to do."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from careers.applications import sentences
from careers.operations.process_words import time_of
from careers.operations.titles import effect_of, title_of
from careers.operations.words import Facts, Words, safe, says


def cause_of(facts: Facts) -> str:
    """Why a run failed, in a sentence."""
    if "cause" in facts:
        return sentences.render(facts["cause"])
    match facts["error"]:
        case "SoftTimeLimitExceeded" | "TimeLimitExceeded" | "OutOfTime":
            return _("It took too long and was stopped.")
        case "WorkerLost":
            return _("Its worker ended before the task did.")
        case "MemoryError":
            return _("There was too little memory.")
        case error:
            return _("An error in the program ended it (%(error)s).") % {"error": error}


def where_to_look(facts: Facts) -> str:
    """What to search for in which log."""
    if "cause" in facts:
        return ""
    at = dt.datetime.fromisoformat(facts["at"])
    return _("Search the log of %(worker)s for “%(text)s” at %(time)s (UTC).") % {
        "worker": facts.get("worker") or _("the workers"),
        "text": facts.get("task_id") or facts["task"],
        "time": f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}",
    }


@says("schedule-failed")
def _schedule_failed(facts: Facts) -> Words:
    failed = _("The scheduled task “%(task)s” failed at %(time)s.") % {
        "task": title_of(facts["task"]),
        "time": time_of(facts["at"]),
    }
    parts = [failed, cause_of(facts), effect_of(facts["task"]), safe()]
    actions = [
        where_to_look(facts),
        _("The task runs again at its next time. “Run now” in Task status runs it at once."),
    ]
    return Words(" ".join(filter(None, parts)), " ".join(filter(None, actions)))
