"""Groups of states that people filter by."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy

from careers.pipeline.models import CAME_BACK
from careers.pipeline.states import UNDER_WAY, ErrorClass, State

#: Groups of states that the four counts stand for.
ATTENTION, WAITING, RUNNING, DONE = "attention", "under-way", "running", "done-today"
BOUNCED = "came-back"
#: The choices of a filter: the groups, then each state that is no group by itself.
STATES: list[tuple[Any, Any]] = [
    (
        gettext_lazy("Groups"),
        [
            (ATTENTION, gettext_lazy("Needs attention")),
            (WAITING, gettext_lazy("Waiting")),
            (RUNNING, gettext_lazy("Running")),
            (DONE, gettext_lazy("Done in 24 hours")),
            (BOUNCED, gettext_lazy("Came back")),
        ],
    ),
    (
        gettext_lazy("States"),
        [choice for choice in State.choices if choice[0] != State.STARTED],
    ),
]


def in_state(name: str) -> Q:
    """Steps of a group of states, or of one state."""
    match name:
        case "attention":
            return Q(state__in=[State.FAILED, State.UNCERTAIN]) | Q(
                state=State.RETRYING, error_class=ErrorClass.CONFIGURATION
            )
        case "under-way":
            return Q(state__in=[state for state in UNDER_WAY if state != State.STARTED])
        case "running":
            return Q(state=State.STARTED)
        case "done-today":
            yesterday = timezone.now() - dt.timedelta(days=1)
            return Q(state=State.SUCCEEDED, ended_at__gt=yesterday)
        case "came-back":
            return CAME_BACK
        case _:
            return Q(state=name)
