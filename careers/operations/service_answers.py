"""What each service answered last: well, and badly."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from careers.operations.models import Finding, ServiceAnswer
from careers.pipeline.transitions import db_now

#: A good answer is written again after this time only; the broker is asked every few seconds.
RENEWED = dt.timedelta(seconds=50)


def note(name: str, found: Iterable[Finding]) -> None:
    """Write the answer of a service.

    Args:
        name: the name of the probe; what follows a hyphen is another question to the same service.
        found: what the probe returned. Advice, and a clock that differs, are good answers.
    """
    name, now = name.partition("-")[0], db_now()
    bad = next((one for one in found if not one.is_advice and one.code != "clock"), None)
    row, _made = ServiceAnswer.objects.get_or_create(name=name)
    if bad is None:
        fresh = row.good_at is not None and dt.timedelta() <= now - row.good_at < RENEWED
        if not fresh or not is_well(row):
            ServiceAnswer.objects.filter(pk=row.pk).update(good_at=now)
    else:
        ServiceAnswer.objects.filter(pk=row.pk).update(
            bad_at=now, finding=bad.code, facts=bad.facts
        )


def is_well(row: ServiceAnswer) -> bool:
    """Whether the last answer of a service was good."""
    return row.good_at is not None and (row.bad_at is None or row.bad_at < row.good_at)
