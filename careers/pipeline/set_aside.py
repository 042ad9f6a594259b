"""A step is set aside: until a later moment, or because a person has dealt with it by hand."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext_lazy

from careers.pipeline.acts import RETRY, Act, Doing, Words
from careers.pipeline.attention import HANDLED, MAY_HAVE_BEEN_SENT
from careers.pipeline.models import Step
from careers.pipeline.rules import one_of
from careers.pipeline.states import State
from careers.pipeline.transitions import db_now, note

#: The longest time until which a step is set aside.
LONGEST = dt.timedelta(days=30)


def _snooze(step: Step, doing: Doing, *, until: dt.datetime) -> bool:
    """Let the step start at ``until`` and not before. A failed one is tried again then."""
    if not db_now() < until <= db_now() + LONGEST:
        return False
    later = {"run_after": until, "ready_at": until}
    fresh = {"attempts": 0, "failing_since": None}
    was_failed = step.state == State.FAILED
    return (
        note(
            step.pk,
            actor=doing.actor,
            reason=doing.reason,
            guard=doing.rule.query & one_of("state", State.QUEUED).query,
            **later,
        )
        or doing.move(step, State.QUEUED, **later, **(fresh if was_failed else {}))
        # A person chose to wait: this time is not part of the days after which it is given up.
        or doing.move(step, State.RETRYING, **later, **fresh)
    )


def _mark_handled(step: Step, doing: Doing) -> bool:
    return note(
        step.pk,
        actor=doing.actor,
        reason=doing.reason,
        guard=doing.rule.query,
        handled_at=db_now(),
    )


_REFUSED = gettext_lazy("Nothing was done: “%(step)s” is now “%(state)s”.")

#: The step starts at a later moment, and a failed one is tried again then.
snooze = Act(
    "snooze",
    RETRY,
    one_of("state", State.QUEUED, State.SENT, State.RETRYING, State.FAILED) & ~MAY_HAVE_BEEN_SENT,
    _snooze,
    Words(
        label=gettext_lazy("Snooze"),
        question=gettext_lazy("Snooze “%(step)s”?"),
        consequence=gettext_lazy(
            "The step waits until then, and is tried again by itself. Other steps go on."
        ),
        button=gettext_lazy("Snooze"),
        done=gettext_lazy("“%(step)s” waits until %(time)s."),
        refused=_REFUSED,
        reason=gettext_lazy("Snoozed."),
    ),
)
#: The step keeps its state, and no longer counts as needing a person.
mark_handled = Act(
    "handled",
    RETRY,
    one_of("state", State.FAILED, State.UNCERTAIN) & ~HANDLED,
    _mark_handled,
    Words(
        label=gettext_lazy("Mark as handled"),
        question=gettext_lazy("Mark “%(step)s” as handled by hand?"),
        consequence=gettext_lazy(
            "It no longer counts as needing attention, and stays in the history as it is. "
            "Say what you did, for instance that you called the applicant."
        ),
        button=gettext_lazy("Mark as handled"),
        done=gettext_lazy("“%(step)s” is marked as handled."),
        refused=_REFUSED,
    ),
    needs_reason=True,
)
