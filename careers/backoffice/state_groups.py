"""The groups of states that people filter by."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy

from careers.pipeline.attention import NEEDS_ATTENTION, OPEN_BOUNCE
from careers.pipeline.rules import one_of
from careers.pipeline.states import UNDER_WAY, State

#: Part of addresses that mails and bookmarks hold, so they never change.
ATTENTION, WAITING, RUNNING, DONE = "attention", "under-way", "running", "done-today"
BOUNCED = "came-back"
#: The choices of a filter: the groups, then each state that is not a group by itself.
STATES: list[tuple[Any, Any]] = [
    (
        gettext_lazy("Groups"),
        [
            (ATTENTION, gettext_lazy("Needs attention")),
            (WAITING, gettext_lazy("Waiting")),
            (RUNNING, gettext_lazy("Running")),
            (DONE, gettext_lazy("Done in 24 hours")),
            (BOUNCED, gettext_lazy("Bounced")),
        ],
    ),
    (
        gettext_lazy("States"),
        [choice for choice in State.choices if choice[0] != State.STARTED],
    ),
]

GROUPS = {
    ATTENTION: NEEDS_ATTENTION,
    WAITING: one_of("state", *(state for state in UNDER_WAY if state != State.STARTED)),
    RUNNING: one_of("state", State.STARTED),
    BOUNCED: OPEN_BOUNCE,
}


def in_state(name: str) -> Q:
    """Steps of a group of states, or of one state."""
    if name == DONE:
        yesterday = timezone.now() - dt.timedelta(days=1)
        return Q(state=State.SUCCEEDED, ended_at__gt=yesterday)
    return GROUPS[name].query if name in GROUPS else Q(state=name)
