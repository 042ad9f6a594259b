"""Pauses: a person holds back a kind of step, a queue, all mails or everything until a moment.

A paused step keeps its state. It is neither dispatched nor claimed, so it gets no attempt, no error
and no alert, and a step that runs already is finished. Each statement that claims or dispatches a
step checks the pauses itself. So a pause holds in every process from the moment at which it is
stored, and ends by itself.

Two things go on during a pause. Mails to operators are never paused. A mail that may have been sent
is repeated with its idempotency key: this sends no second mail, and the key is known for a limited
time only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from careers.pipeline import registry
from careers.pipeline.acts import Act, Doing, Words
from careers.pipeline.models import Pause, Step
from careers.pipeline.rules import is_set
from careers.pipeline.states import State
from careers.pipeline.transitions import db_now, move

PAUSE = "careers.pause_step"
EVERYTHING, MAILS = "everything", "mails"
#: The longest pause. Then the steps go on, unless a person pauses them again.
LONGEST = dt.timedelta(days=7)
#: How long an ended pause matters: so long the steps that waited may still be waiting.
RECENT = dt.timedelta(days=1)
AHEAD = dt.timedelta(minutes=1)


# ── What a pause covers ─────────────────────────────────────────────────────────────────


def scopes() -> dict[str, str | Promise]:
    """What can be paused, with its name for people, the widest first."""
    about = registry.kinds_about_applications()
    queues = dict.fromkeys(registry.REGISTERED[kind].queue for kind in about)
    return {
        EVERYTHING: gettext_lazy("Everything"),
        MAILS: gettext_lazy("All mails about applications"),
        **{f"kind:{kind}": registry.REGISTERED[kind].label for kind in about},
        **{f"queue:{queue}": _("The queue “%(name)s”") % {"name": queue} for queue in queues},
    }


def name_of(scope: str) -> str:
    """A scope in words; the scope itself where another release knows it."""
    return str(scopes().get(scope, scope))


def scopes_of(kind: str) -> list[str]:
    """The scopes that pause a kind of step; none for mails to operators."""
    definition = registry.REGISTERED.get(kind)
    if definition is None or definition.about != "application":
        return []
    mails = [MAILS] if definition.is_mail else []
    return [EVERYTHING, *mails, f"queue:{definition.queue}", f"kind:{kind}"]


def kinds_of(scope: str) -> list[str]:
    """The kinds of steps that a scope pauses."""
    return [kind for kind in registry.kinds() if scope in scopes_of(kind)]


def effect_of(scope: str) -> str:
    """What a pause means for applicants."""
    kinds = kinds_of(scope)
    safe = _("Applications are stored and safe.")
    if set(kinds) & set(registry.kinds_to_applicants()):
        effect = _("Receipts by mail wait; the receipt page appears at once, as always.")
    else:
        effect = _("Applicants notice nothing.")
    return f"{safe} {effect}"


# ── Reading ─────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Pauses:
    """The pauses at one moment.

    Attributes:
        active: the pauses that hold now, the oldest first.
        kinds: the kinds of steps that are paused.
        ended_at: when a kind was last released, for pauses of the last day.
    """

    active: list[Pause] = field(default_factory=list)
    kinds: frozenset[str] = frozenset()
    ended_at: dict[str, dt.datetime] = field(default_factory=dict)

    def holds(self, step: Step) -> bool:
        """Whether a step that could start is kept from it."""
        return step.kind in self.kinds and step.repeat_until is None

    def waiting_since(self, kind: str, ready_at: dt.datetime | None) -> dt.datetime | None:
        """Since when a step waits for a worker; the time of a pause does not count."""
        if ready_at is None or kind in self.kinds:
            return None
        return max(ready_at, self.ended_at.get(kind, ready_at))


def read(now: dt.datetime | None = None) -> Pauses:
    """The pauses that hold now; one query on a small table."""
    now = now or db_now()
    rows = list(
        Pause.objects.filter(
            Q(resumed_at=None) | Q(resumed_at__gt=now - RECENT), until__gt=now - RECENT
        ).order_by("pk")
    )
    active = [
        row
        for row in rows
        if row.resumed_at is None and row.since <= now + AHEAD and row.until > now
    ]
    ended: dict[str, dt.datetime] = {}
    for row in rows:
        if row not in active:
            end = min(row.until, row.resumed_at or row.until)
            for kind in kinds_of(row.scope):
                ended[kind] = max(end, ended.get(kind, end))
    kinds = frozenset(kind for row in active for kind in kinds_of(row.scope))
    return Pauses(active, kinds, ended)


def _holding(now: dt.datetime) -> Any:
    # A row from the future was written before the clock was set back.
    return Pause.objects.filter(resumed_at=None, since__lte=now + AHEAD, until__gt=now)


def not_held(kind: str, now: dt.datetime) -> Q:
    """The condition, for a guarded UPDATE, that no pause holds a step of this kind."""
    covering = scopes_of(kind)
    if not covering:
        return Q()
    held = Exists(_holding(now).filter(scope__in=covering))
    return Q(~held) | Q(repeat_until__isnull=False)


def startable(now: dt.datetime) -> Q:
    """The steps that no pause holds; one query on a small table."""
    kinds = read(now).kinds
    return ~Q(kind__in=kinds) | Q(repeat_until__isnull=False) if kinds else Q()


def is_held(step: Step, now: dt.datetime) -> bool:
    """Whether a pause holds this step now."""
    covering = scopes_of(step.kind)
    return (
        step.repeat_until is None
        and bool(covering)
        and _holding(now).filter(scope__in=covering).exists()
    )


def put_back(step: Step, *, actor: str) -> bool:
    """Queue a paused step again whose message has come; the claim did not happen."""
    return move(
        step.pk,
        State.QUEUED,
        leaving=[State.SENT],
        actor=actor,
        fence=step.token,
        reason=_("This step is paused. It goes on when the pause ends."),
    )


# ── Acts ────────────────────────────────────────────────────────────────────────────────


def _pause(wanted: Pause, doing: Doing) -> Pause | None:
    now = db_now()
    if wanted.scope not in scopes() or not now < wanted.until <= now + LONGEST:
        return None
    same = Pause.objects.filter(scope=wanted.scope, resumed_at=None)
    try:
        with transaction.atomic():
            # One that has ended by itself makes room for the next.
            same.filter(until__lte=now).update(resumed_at=F("until"))
            return Pause.objects.create(
                scope=wanted.scope,
                until=wanted.until,
                since=now,
                actor=doing.actor,
                reason=doing.reason,
            )
    except IntegrityError:
        return None


def _resume(paused: Pause, doing: Doing) -> bool:
    now = db_now()
    going = Pause.objects.filter(doing.rule.query, pk=paused.pk, until__gt=now)
    return bool(going.update(resumed_at=now, resumed_by=doing.actor))


#: Steps wait until a moment, or until a person resumes them. The subject is a ``Pause`` that is not
#: stored, with its scope and its end. Returns the stored one.
pause = Act(
    "pause",
    PAUSE,
    ~is_set("resumed_at"),
    _pause,
    Words(
        label=gettext_lazy("Pause"),
        question=gettext_lazy("Pause steps"),
        consequence=gettext_lazy(
            "Steps that run now go on to their end. The others wait, count as no failure and send "
            "no alert."
        ),
        button=gettext_lazy("Pause"),
        done=gettext_lazy("Paused: %(scope)s."),
        refused=gettext_lazy("Nothing was done: “%(scope)s” is paused already."),
    ),
)
#: What a pause holds goes on at once.
resume = Act(
    "resume",
    PAUSE,
    ~is_set("resumed_at"),
    _resume,
    Words(
        label=gettext_lazy("Resume"),
        question=gettext_lazy("Resume “%(scope)s”?"),
        consequence=gettext_lazy("The steps that wait go on within seconds."),
        button=gettext_lazy("Resume"),
        done=gettext_lazy("Resumed: %(scope)s. The steps go on within seconds."),
        refused=gettext_lazy("Nothing was done: “%(scope)s” is not paused any more."),
    ),
    asks=False,
)


def count_waiting(kinds: Collection[str]) -> int:
    """How many steps of these kinds could start now if they were not paused."""
    return Step.objects.filter(
        state__in=[State.QUEUED, State.SENT, State.RETRYING], kind__in=kinds
    ).count()
