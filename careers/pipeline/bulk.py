"""One act on many steps: stored as a row, done in the background, however many there are.

The row holds which steps are meant, who asks, and how far it is. A Celery task works through the
steps in the order of their ids; if no worker does, the sweeper does. Each step is moved by the act
itself, whose rule guards every write. So it is harmless if two processes work on one row, if a
process is killed, or if two people ask for the same.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import time
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID

from celery import shared_task
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Max, Q, QuerySet
from django.db.models.functions import Greatest
from wagtail.models import Page

from careers.pipeline import actions, dispatch, restored_database
from careers.pipeline.acts import OPERATE, Act, actor_of
from careers.pipeline.attention import HANDLED, NEEDS_ATTENTION
from careers.pipeline.models import BulkAct, Step
from careers.pipeline.rules import Rule, one_of
from careers.pipeline.states import State
from careers.pipeline.transitions import db_now
from home.rights import scope

TASK = "careers.bulk_acts"
#: The queue of tasks that name none.
QUEUE = "io"
#: Ids that are read with one query, and steps after which the progress is stored.
BATCH, PROGRESS = 1000, 25
#: Seconds for which one task works; then it asks for another one. A task may take 90 seconds.
TASK_SECONDS = 45
#: Seconds that the sweeper gives a row in one round.
SWEEP_SECONDS = 2
#: If a row has not moved for so long, no worker works on it.
LEFT_ALONE = dt.timedelta(seconds=60)

UNCONFIRMED = one_of("state", State.UNCERTAIN) & ~HANDLED
#: What can be done to many steps, and to which; never to those that a person handled by hand.
ACTS: dict[str, tuple[Act, Rule]] = {
    actions.retry.name: (actions.retry, NEEDS_ATTENTION & actions.retry.allowed),
    actions.confirm_arrival.name: (actions.confirm_arrival, UNCONFIRMED),
    actions.send_again.name: (actions.send_again, UNCONFIRMED),
}


@dataclass(frozen=True)
class Chosen:
    """Which steps are meant.

    Attributes:
        kind, code: the kind of step, and the code of its error.
        since, until: when the steps came into their state, as ISO 8601; "" for any time.
        jobs: the keys of the jobs to which the person is limited; None for the whole site.
    """

    kind: str
    code: str
    since: str = ""
    until: str = ""
    jobs: tuple[str, ...] | None = None

    @classmethod
    def of(
        cls,
        kind: str,
        code: str,
        since: str = "",
        until: str = "",
        jobs: Collection[UUID] | None = None,
    ) -> Chosen:
        """As a person chose them.

        Raises:
            ValueError: a time is no time, or a name is none.
        """
        if "\0" in kind + code:
            raise ValueError("a name with a character that PostgreSQL refuses")
        for moment in filter(None, (since, until)):
            chosen_time = dt.datetime.fromisoformat(moment)
            if chosen_time.tzinfo is None:
                raise ValueError("a time without its zone")
            if not 1 < chosen_time.year < dt.MAXYEAR:
                raise ValueError("a time that other zones can't write")
        keys = None if jobs is None else tuple(sorted(map(str, jobs)))
        return cls(kind, code, since, until, keys)

    def steps(self, act: Act) -> QuerySet[Step]:
        """The steps to which the act can be done."""
        _act, rule = ACTS[act.name]
        found = Step.objects.filter(rule.query, kind=self.kind, error_code=self.code)
        if self.since:
            found = found.filter(state_since__gte=dt.datetime.fromisoformat(self.since))
        if self.until:
            found = found.filter(state_since__lte=dt.datetime.fromisoformat(self.until))
        if self.jobs is not None:
            found = found.filter(application__job_key__in=self.jobs)
        return found

    def digest(self, act: Act) -> str:
        """The same for the same act on the same choice."""
        plain = json.dumps([act.name, asdict(self)], sort_keys=True)
        return hashlib.sha256(plain.encode()).hexdigest()


def begin(act: Act, chosen: Chosen, user: Any, reason: str) -> BulkAct | None:
    """Store that an act is to be done to many steps. ``advance`` does it.

    Returns:
        The row; the one that is under way if the same was asked for already; None where there is
        no such step.

    Raises:
        PermissionDenied: the user lacks the permission of the act.
    """
    actor_of(user, act.permission)
    key = chosen.digest(act)
    found = chosen.steps(act).aggregate(total=Count("pk"), last=Max("pk"))
    going = BulkAct.objects.filter(key=key, finished_at=None)
    if not found["total"]:
        return going.first()
    try:
        with transaction.atomic():
            return BulkAct.objects.create(
                act=act.name,
                chosen=asdict(chosen),
                key=key,
                user=user,
                reason=reason or str(act.words.reason),
                total=found["total"],
                last=found["last"],
                created_at=db_now(),
            )
    except IntegrityError:
        return going.first()


def go_on_in_background() -> None:
    """Ask a worker to work on the rows that are not finished, after COMMIT."""
    transaction.on_commit(partial(dispatch.dispatch_task, TASK))


def advance(row: BulkAct, *, seconds: float = TASK_SECONDS, steps: int | None = None) -> bool:
    """Do some of it.

    Args:
        seconds: after which to stop.
        steps: how many steps to look at; None for as many as there is time for.

    Returns:
        Whether it is finished.
    """
    act, rule = ACTS[row.act]
    # What a person decided since the step was read must still hold when it is written.
    narrowed = replace(act, allowed=rule)
    user = get_user_model().objects.filter(pk=row.user_id or 0).first()
    chosen = Chosen(**row.chosen)
    held = _held_by(user, act) if user is not None else Q()
    until = time.monotonic() + seconds
    done = looked_at = 0
    while user is not None:
        batch = BATCH if steps is None else min(BATCH, steps - looked_at)
        among = chosen.steps(act).filter(held, pk__gt=row.cursor, pk__lte=row.last)
        found = list(
            among.select_related("application", "alert")
            .defer("application__form", "application__answers")
            .order_by("pk")[:batch]
        )
        for step in found:
            try:
                done += bool(narrowed(step, user, row.reason))
            except PermissionDenied:
                # The person has lost the permission meanwhile.
                return _finish(row, done)
            row.cursor = step.pk
            looked_at += 1
            if looked_at % PROGRESS == 0:
                _note(row, done)
                done = 0
                if time.monotonic() > until:
                    return False
        if len(found) < batch:
            break
        if looked_at == steps:
            _note(row, done)
            # A task may go on at once.
            unfinished().filter(pk=row.pk).update(touched_at=None)
            return False
    return _finish(row, done)


def _held_by(user: Any, act: Act) -> Q:
    """The steps for which a person holds the permission now; they may have lost it meanwhile."""
    held = scope(user, act.permission, site_wide_with=OPERATE)
    if held.everywhere:
        return Q()
    jobs = Page.objects.filter(held.query()).order_by().values("translation_key")
    return Q(application__job_key__in=jobs)


def _note(row: BulkAct, done: int) -> None:
    BulkAct.objects.filter(pk=row.pk).update(
        done=F("done") + done, cursor=Greatest("cursor", row.cursor), touched_at=db_now()
    )


def _finish(row: BulkAct, done: int) -> bool:
    _note(row, done)
    BulkAct.objects.filter(pk=row.pk, finished_at=None).update(finished_at=db_now())
    return True


def unfinished() -> QuerySet[BulkAct]:
    return BulkAct.objects.filter(finished_at=None).order_by("pk")


def continue_all(seconds: float, *, left_alone: bool = False) -> bool:
    """Work on the rows on which nobody works now.

    Args:
        left_alone: only on those that no worker began within ``LEFT_ALONE``.

    Returns:
        Whether none of them is left.
    """
    restored_database.recognise_once()
    until = time.monotonic() + seconds
    now = db_now()
    free = Q(touched_at__lt=now - LEFT_ALONE) | Q(touched_at=None)
    if left_alone:
        free &= Q(created_at__lt=now - LEFT_ALONE)
    for row in unfinished().filter(free):
        # Only one process begins; whoever is killed is replaced after a minute.
        if not unfinished().filter(free, pk=row.pk).update(touched_at=db_now()):
            continue
        if not advance(row, seconds=max(0.0, until - time.monotonic())):
            unfinished().filter(pk=row.pk).update(touched_at=None)
            return False
    return True


@shared_task(name=TASK)
def bulk_acts(**_: Any) -> None:
    """Work on what people asked for, and ask for another task when there is more."""
    if not continue_all(TASK_SECONDS):
        dispatch.dispatch_task(TASK)
