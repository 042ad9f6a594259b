"""Delete old history, where ``KEEP_HISTORY_DAYS`` says so, and count finished work again.

Of an application whose steps have all ended well, the events go that no person caused, except the
last one of each step. The steps stay: they say when each mail was sent, with which Message-ID, and
whether it bounced. So receipts, delivery reports, searches and the archive need nothing of what is
deleted. Steps that had an error keep their events for ``FAILURES`` times as long. Alerts that are
over go with their mails.

A run is short. It stores where it stopped, and begins anew after the last old application.
"""

from __future__ import annotations

import datetime as dt
import time

from django.conf import settings
from django.db.models import Exists, Max, OuterRef, Q

from careers.applications.models import Application
from careers.operations import tally
from careers.operations.models import FinishedWork
from careers.pipeline.models import Alert, AlertKind, Step, StepEvent
from careers.pipeline.states import OPEN, State
from careers.pipeline.transitions import db_now

TASK = "careers.thin_history"
#: Seconds after which a run begins no further batch, and applications or alerts in a batch.
LASTS, BATCH = 30, 500
#: The shortest time for which history is kept, in days: a provider may report until then, and a
#: copy of the database may be restored.
LEAST = 30
#: How many times as long the history of a step with an error is kept.
FAILURES = 4
#: The states of a step that an error leads to.
ERRORS = (State.RETRYING, State.FAILED, State.UNCERTAIN)
#: Who acts without an account, and is a person.
PEOPLE = ("operator", "applicant")


def run(*, lasts: float = LASTS) -> None:
    """Delete what is old, for a short time, and count finished work again."""
    ends = time.monotonic() + lasts
    if settings.KEEP_HISTORY_DAYS:
        days = max(LEAST, settings.KEEP_HISTORY_DAYS)
        before = db_now() - dt.timedelta(days=days)
        much_before = db_now() - FAILURES * dt.timedelta(days=days)
        while _delete_alerts(before) == BATCH and time.monotonic() < ends:
            pass
        while _thin_applications(before, much_before) and time.monotonic() < ends:
            pass
    tally.fold(anew=True)


def _delete_alerts(before: dt.datetime) -> int:
    unfinished = Step.objects.filter(alert=OuterRef("pk"), state__in=OPEN)
    over = Q(closed_at__lt=before) | (~Q(kind=AlertKind.PROBLEM) & Q(created_at__lt=before))
    old = Alert.objects.filter(~Exists(unfinished), over, created_at__lt=before).order_by("pk")
    keys = list(old.values_list("pk", flat=True)[:BATCH])
    Alert.objects.filter(pk__in=keys).delete()
    return len(keys)


def _thin_applications(before: dt.datetime, much_before: dt.datetime) -> bool:
    """Thin the next applications; False after the last one."""
    row, _made = FinishedWork.objects.get_or_create(pk=1)
    old = Application.objects.filter(pk__gt=row.thinned_application, received_at__lt=before)
    keys = list(old.order_by("pk").values_list("pk", flat=True)[:BATCH])
    steps = Step.objects.filter(application__in=keys)
    unfinished = steps.filter(Q(state__in=OPEN) | Q(ended_at__gte=before) | Q(ended_at=None))
    busy = set(unfinished.values_list("application", flat=True))
    # A step that succeeds at last has no error any more; its history and its attempts say so.
    errors = StepEvent.objects.filter(
        Q(to_state__in=ERRORS) | ~Q(traceback=""), step=OuterRef("pk")
    ).order_by()
    went_well = Q(failing_since=None, error_code="", bounced_at=None, attempts__lte=1)
    went_well &= ~Q(Exists(errors))
    thinned = list(
        steps.filter(went_well | Q(ended_at__lt=much_before))
        .exclude(application__in=busy)
        .values_list("pk", flat=True)
    )
    events = StepEvent.objects.filter(step__in=thinned).order_by()
    last = events.values("step").annotate(last=Max("pk")).values_list("last", flat=True)
    # What a person did stays, as in an audit.
    by_person = Q(actor__startswith="user:") | Q(actor__in=PEOPLE)
    events.exclude(pk__in=list(last)).exclude(by_person).delete()
    more = len(keys) == BATCH
    FinishedWork.objects.filter(pk=1).update(thinned_application=keys[-1] if more else 0)
    return more
