"""The numbers of applications and steps, exact, however many there are.

Open steps are few and are counted from an index that holds no others. Steps that have ended and
applications are many: the sweeper counts those that are older than ``SETTLED`` into one row
(``FinishedWork``), and a reader adds what has come since. All of that is one statement, so a step
that ends at the same moment is counted once.

A row is counted by the moment at which it ended or was received, since both are written in the
transaction that makes it count. A row that is written with an older moment, as by an import, has an
id above those that were counted, and is added, too.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import (
    CharField,
    Count,
    DateTimeField,
    F,
    Max,
    Min,
    Q,
    QuerySet,
    Value,
)
from django.db.models.functions import TruncHour
from django.db.models.signals import post_delete
from django.dispatch import receiver

from careers.applications.models import Application
from careers.operations.models import FinishedWork
from careers.pipeline import pauses
from careers.pipeline.attention import NEEDS_ATTENTION
from careers.pipeline.models import Step
from careers.pipeline.states import CLAIMABLE, FINISHED, OPEN, State
from careers.pipeline.transitions import db_now

#: No transaction lasts so long, so what ended earlier is visible or was rolled back.
SETTLED = dt.timedelta(minutes=10)
#: The hours that are kept apart from the total.
HOURS = dt.timedelta(hours=26)
DAY = dt.timedelta(days=1)
BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
Counts = dict[str, dict[str, int]]


@dataclass
class Tally:
    """The numbers at one moment.

    Attributes:
        steps: the number of steps by kind and state.
        done_last_day: the steps that succeeded in the last 24 hours.
        oldest_ready: by kind, since when the oldest step that could run, and is not paused, waits
            for a worker.
    """

    applications: int = 0
    steps: Counts = field(default_factory=dict)
    needs_attention: int = 0
    done_last_day: int = 0
    oldest_ready: dict[str, dt.datetime] = field(default_factory=dict)

    @property
    def oldest_ready_at(self) -> dt.datetime | None:
        return min(self.oldest_ready.values(), default=None)

    def add(self, kind: str, state: str, number: int) -> None:
        by_state = self.steps.setdefault(kind, {})
        by_state[state] = by_state.get(state, 0) + number

    def total(self, *states: str) -> int:
        return sum(by_state.get(state, 0) for by_state in self.steps.values() for state in states)


def read(now: dt.datetime) -> Tally:
    """The numbers of the whole site; three statements."""
    found = Tally()
    paused = pauses.read(now)
    counted = _counted(now)
    found.applications = counted.applications
    for kind, by_state in counted.steps.items():
        for state, number in by_state.items():
            found.add(kind, state, number)
    begin = now - DAY
    whole = _hour_after(begin)
    found.done_last_day = sum(
        number for hour, number in counted.hours.items() if dt.datetime.fromisoformat(hour) >= whole
    )
    for part, kind, state, number, needing, oldest in _parts(counted, now, begin, whole):
        if part == "application":
            found.applications += number
        elif part == "day":
            found.done_last_day += number
        else:
            found.add(kind, state, number)
        if part == "open":
            found.needs_attention += needing
            if (oldest := paused.waiting_since(kind, oldest)) is not None:
                found.oldest_ready[kind] = min(oldest, found.oldest_ready.get(kind, oldest))
    return found


def _parts(
    counted: FinishedWork, now: dt.datetime, begin: dt.datetime, whole: dt.datetime
) -> list[tuple[Any, ...]]:
    """The counts of what is not in ``counted``, as rows of part, kind, state and numbers."""
    until = counted.until or BEGINNING
    ready = Q(state__in=CLAIMABLE) & (Q(run_after=None) | Q(run_after__lte=now))
    opened = _row(
        Step.objects.filter(state__in=OPEN),
        "open",
        F("kind"),
        F("state"),
        needing=Count("pk", filter=NEEDS_ATTENTION.query),
        oldest=Min("ready_at", filter=ready),
    )
    finished = Step.objects.filter(state__in=FINISHED)
    done = Step.objects.filter(state=State.SUCCEEDED)
    late_step = Q(pk__gt=counted.last_step)
    late_application = Q(pk__gt=counted.last_application)
    applications = Application.objects.all()
    more = [
        *(
            _row(finished.filter(which), "finished", F("kind"), F("state"))
            for which in (
                Q(ended_at__gte=until),
                Q(ended_at=None),
                late_step & Q(ended_at__lt=until),
            )
        ),
        *(
            _row(done.filter(which), "day")
            for which in (
                Q(ended_at__gt=begin, ended_at__lt=min(whole, until)),
                Q(ended_at__gt=begin, ended_at__gte=until),
                late_step & Q(ended_at__gte=max(begin, whole), ended_at__lt=until),
            )
        ),
        *(
            _row(applications.filter(which), "application")
            for which in (
                Q(received_at__gte=until),
                late_application & Q(received_at__lt=until),
            )
        ),
    ]
    return list(opened.union(*more, all=True))


def _row(
    rows: QuerySet[Any],
    part: str,
    kind: Any = None,
    state: Any = None,
    *,
    needing: Any = None,
    oldest: Any = None,
) -> Any:
    text, moment = CharField(), DateTimeField()
    return (
        rows.order_by()
        .annotate(
            part=Value(part, output_field=text),
            of_kind=kind or Value("", output_field=text),
            in_state=state or Value("", output_field=text),
        )
        .values("part", "of_kind", "in_state")
        .annotate(
            number=Count("pk"),
            needing=needing or Value(0),
            oldest=oldest or Value(None, output_field=moment),
        )
        .values_list("part", "of_kind", "in_state", "number", "needing", "oldest")
    )


def _hour_after(moment: dt.datetime) -> dt.datetime:
    """The beginning of the next hour (UTC)."""
    return moment.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0) + dt.timedelta(
        hours=1
    )


def _counted(now: dt.datetime) -> FinishedWork:
    """What the sweeper has counted; an empty row if nothing is, or if it can't be used.

    A row from the future was written before the clock was set back. Steps that end now would be
    before its moment and never be counted.
    """
    row = FinishedWork.objects.filter(pk=1, until__lte=now).first()
    return row or FinishedWork(pk=1)


# ── Counting ────────────────────────────────────────────────────────────────────────────


def fold(*, anew: bool = False) -> None:
    """Count what has ended since the last time; the sweeper calls it every few seconds.

    Several may do so at once: the first to finish wins. If counted rows are deleted meanwhile, the
    counts are dropped. There is no transaction, since it would lock SQLite's whole database.

    Args:
        anew: count everything again, for what was changed by SQL.
    """
    now = db_now()
    stored, _made = FinishedWork.objects.get_or_create(pk=1)
    usable = stored.until is not None and stored.until <= now and not anew
    old = stored if usable else FinishedWork(pk=1)
    since, until = old.until or BEGINNING, now - SETTLED
    if since + SETTLED > until:
        return  # too little to count
    last_step = Step.objects.aggregate(last=Max("pk"))["last"] or 0
    last_application = Application.objects.aggregate(last=Max("pk"))["last"] or 0
    new = FinishedWork(
        pk=1,
        until=until,
        last_step=last_step,
        last_application=last_application,
        applications=old.applications,
        steps={kind: dict(by_state) for kind, by_state in old.steps.items()},
    )
    hours = Counter(old.hours)
    steps = Step.objects.filter(state__in=FINISHED, pk__lte=last_step)
    for which in (
        Q(ended_at__gte=since, ended_at__lt=until),
        Q(pk__gt=old.last_step, ended_at__lt=since),
    ):
        found = steps.filter(which).order_by()
        for kind, state, number in found.values_list("kind", "state").annotate(n=Count("pk")):
            by_state = new.steps.setdefault(kind, {})
            by_state[state] = by_state.get(state, 0) + number
        recent = found.filter(state=State.SUCCEEDED, ended_at__gte=now - HOURS)
        for hour, number in (
            recent.annotate(hour=TruncHour("ended_at", tzinfo=dt.UTC))
            .values_list("hour")
            .annotate(n=Count("pk"))
        ):
            hours[hour.isoformat()] += number
    applications = Application.objects.filter(pk__lte=last_application)
    for which in (
        Q(received_at__gte=since, received_at__lt=until),
        Q(pk__gt=old.last_application, received_at__lt=since),
    ):
        new.applications += applications.filter(which).count()
    new.hours = {
        hour: number
        for hour, number in hours.items()
        if dt.datetime.fromisoformat(hour) >= now - HOURS
    }
    FinishedWork.objects.filter(pk=1, until=stored.until, generation=stored.generation).update(
        **{name: getattr(new, name) for name in FinishedWork.CONTENT}
    )


def forget(**_signal: Any) -> None:
    """Have everything counted again, because rows that were counted are deleted."""
    FinishedWork.objects.filter(pk=1).update(until=None, generation=F("generation") + 1)


@receiver(post_delete, sender=Application)
@receiver(post_delete, sender=Step)
def _forget_after_commit(instance: Application | Step, using: str, **_signal: Any) -> None:
    if isinstance(instance, Step) and instance.state not in FINISHED:
        return
    connection = transaction.get_connection(using)
    waiting = connection.run_on_commit
    # One call is enough for a transaction that deletes many.
    if not waiting or waiting[-1][1] is not forget:
        transaction.on_commit(forget, using=using)
