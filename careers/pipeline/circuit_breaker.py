"""Stop asking a slow service: after one long wait without an answer, other steps do not wait too.

Archive and virus scanner need it, or mails would wait for workers that wait for them. A mail server
that is slow with one mail may be quick with the next one.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db.models import F

from careers.applications.errors import Transient
from careers.pipeline.kinds import ARCHIVE, SCAN
from careers.pipeline.models import Step
from careers.pipeline.states import ErrorClass, State
from careers.pipeline.transitions import db_now

#: The steps that ask such a service; each kind has a breaker of its own.
GUARDED = (ARCHIVE, SCAN)
#: How long a wait without an answer must be to open the breaker.
LONG = dt.timedelta(seconds=15)
#: The breaker stays open for this many times the wait, so that a service that hangs takes at most
#: a fifth of the workers' time.
SPARED = 4


def open_after(step: Step, now: dt.datetime) -> int:
    """Seconds for which a step that failed now opens the breaker; 0 if it stays closed."""
    if step.kind not in GUARDED or step.started_at is None:
        return 0
    pause = _pause(step.started_at, now)
    return int(pause.total_seconds()) if pause >= SPARED * LONG else 0


def known_error(step: Step) -> Transient | None:
    """The error that opened the breaker; None while it is closed.

    Args:
        step: one that was claimed just now.
    """
    if step.kind not in GUARDED:
        return None
    now = step.started_at or db_now()
    other = (
        Step.objects.filter(
            kind=step.kind,
            state=State.RETRYING,
            run_after__gt=now,
            state_since__lte=now,
            error_class=ErrorClass.TRANSIENT,
            state_since__gte=F("started_at") + LONG,
        )
        .order_by("state_since")
        .last()
    )
    if other is None or other.started_at is None:
        return None
    left = other.state_since + _pause(other.started_at, other.state_since) - now
    if left <= dt.timedelta(0):
        return None
    return Transient(
        other.error_code, other.error_public, retry_after=int(left.total_seconds()) + 1
    )


def _pause(began: dt.datetime, ended: dt.datetime) -> dt.timedelta:
    # Nothing takes longer than a lease, unless the clock was set meanwhile.
    return SPARED * min(ended - began, dt.timedelta(seconds=settings.PIPELINE_LEASE))
