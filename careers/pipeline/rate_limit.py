"""How fast mails go: as fast as the mail server takes them, which is known from its own answers.

A server that takes only so many mails a minute refuses the next one as one too many. To try every
mail that waits against it would be the storm from which it defends itself; so after such an answer
nobody asks it anything for a moment, and each mail that comes meanwhile gets a turn after that, by
chance within as long as so many mails may take.
"""

from __future__ import annotations

import datetime as dt
import random

from django.conf import settings
from django.db.models import F, Max
from django.utils.translation import gettext as _

from careers.applications.errors import Transient
from careers.notifications import CROWDED
from careers.pipeline import registry
from careers.pipeline.kinds import ARCHIVE
from careers.pipeline.models import Step
from careers.pipeline.states import CLAIMABLE, ErrorClass, State
from careers.pipeline.transitions import db_now, move

#: For how long nobody asks. Shorter than the pause of the mail that was refused, by which it is
#: known that one was.
SILENCE = dt.timedelta(seconds=5)
#: What a mail is thought to take where so many wait that the server is the bottleneck.
EACH = dt.timedelta(seconds=0.5)
LONGEST = dt.timedelta(hours=1)
#: A wait in vain that is worth sparing the others, and for how many times as long they are spared:
#: an archive that hangs may have a fifth of the workers' time.
LONG = dt.timedelta(seconds=15)
SPARED = 4


def next_slot() -> dt.datetime | None:
    """When a mail that comes now may go; None: at once."""
    now = db_now()
    mails = Step.objects.filter(kind__in=registry.kinds_of_mails())
    refused_at = mails.filter(
        state=State.RETRYING,
        run_after__gt=now,
        error_code=CROWDED,
        # Of a moment that is yet to come a clock told that was set back since.
        state_since__range=(now - SILENCE, now),
    ).aggregate(latest=Max("state_since"))["latest"]
    if refused_at is None:
        return None
    waiting: int = mails.filter(state__in=CLAIMABLE).count()
    spread = min(waiting * EACH, LONGEST)
    after: dt.datetime = refused_at + SILENCE + spread * random.random()  # noqa: S311 -- spreads load
    return after


def postpone(step: Step, until: dt.datetime, *, actor: str) -> bool:
    """Let a claimed mail wait for its turn; that is no attempt."""
    return move(
        step.pk,
        State.QUEUED,
        leaving=[State.STARTED],
        fence=step.token,
        actor=actor,
        reason=_("The mail server takes no more mails just now. This one waits for its turn."),
        run_after=until,
        ready_at=until,
        attempts=step.attempts - 1,
    )


def spared(step: Step, now: dt.datetime) -> int:
    """Seconds for which a step that failed just now is not tried again, for having taken long."""
    if step.kind != ARCHIVE or step.started_at is None:
        return 0
    pause = _pause(step.started_at, now)
    return int(pause.total_seconds()) if pause >= SPARED * LONG else 0


def _pause(began: dt.datetime, ended: dt.datetime) -> dt.timedelta:
    # Nothing takes longer than a lease, unless the clock was set meanwhile.
    return SPARED * min(ended - began, dt.timedelta(seconds=settings.PIPELINE_LEASE))


def known_fault(step: Step) -> Transient | None:
    """What another one waited long for in vain a while ago, if ``step`` would wait for the same."""
    if step.kind != ARCHIVE:
        return None
    now = db_now()
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
