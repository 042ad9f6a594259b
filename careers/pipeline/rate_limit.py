"""How fast mails are sent: as fast as the mail server accepts them, judged by its own answers.

A server that limits mails per minute refuses the next one with "too many". Trying every waiting
mail against it would only load it further. So after such an answer no mail is tried for a moment,
and each mail that comes meanwhile is postponed to a random time within the span that the waiting
mails are expected to take.
"""

from __future__ import annotations

import datetime as dt
import random

from django.db.models import Max
from django.utils.translation import gettext as _

from careers.notifications import CROWDED
from careers.pipeline import registry
from careers.pipeline.models import Step
from careers.pipeline.states import CLAIMABLE, State
from careers.pipeline.transitions import db_now, move

#: How long no mail is tried. It must be shorter than the pause before the refused mail is retried:
#: the row of that mail shows that the server refused it.
SILENCE = dt.timedelta(seconds=5)
#: The expected time for one mail while the server is the bottleneck.
EACH = dt.timedelta(seconds=0.5)
LONGEST = dt.timedelta(hours=1)


def next_slot(now: dt.datetime | None = None) -> dt.datetime | None:
    """When a mail that comes now may be sent; None: at once.

    Args:
        now: the time of the database, if the caller knows it.
    """
    now = now or db_now()
    mails = Step.objects.filter(kind__in=registry.kinds_of_mails())
    refused_at = mails.filter(
        state=State.RETRYING,
        run_after__gt=now,
        error_code=CROWDED,
        # A moment in the future was written before the clock was set back.
        state_since__range=(now - SILENCE, now),
    ).aggregate(latest=Max("state_since"))["latest"]
    if refused_at is None:
        return None
    waiting: int = mails.filter(state__in=CLAIMABLE).count()
    spread = min(waiting * EACH, LONGEST)
    after: dt.datetime = refused_at + SILENCE + spread * random.random()  # noqa: S311 -- spreads load
    return after


def postpone(step: Step, until: dt.datetime, *, actor: str) -> bool:
    """Put a claimed mail back until its slot; the claim does not count as an attempt."""
    return move(
        step.pk,
        State.QUEUED,
        leaving=[State.STARTED],
        fence=step.token,
        actor=actor,
        reason=_("The mail server accepts no more mails at the moment. This mail waits."),
        run_after=until,
        ready_at=until,
        attempts=step.attempts - 1,
    )
