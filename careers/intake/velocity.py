"""Quarantine the applications of a flood: more than a rate from one network, or for one job.

A rate is far above what an office, a careers fair or a popular job reaches
(``APPLICATIONS_PER_NETWORK``, ``APPLICATIONS_PER_JOB``). Only the applications above it are
quarantined, and only while the flood lasts. Nothing is refused, because several honest people may
share an address: HR sees what was quarantined and releases it, all alike at once.

Nothing else is judged. The same text or the same file is no sign of a flood: people reuse their CV
and their cover letter. How long it took to fill in the form is unknown: the form comes from caches,
and holds no token.
"""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.conf import settings
from django.db.models import Case, Exists, Q, QuerySet, Value, When
from django.utils import timezone

from careers.applications.models import Application

NETWORK, JOB = "network-rate", "job-rate"


def too_many(*, network: str, job_key: UUID) -> str:
    """Why the next application belongs to a flood; "" if it does not.

    Quarantined applications count, so a flood stays quarantined until it ends. Test applications
    count, too.

    Args:
        network: from ``network_of``; "" is not counted.
        job_key: the job that it is for.

    Returns:
        ``NETWORK``, ``JOB`` or "".
    """
    now = timezone.now()
    received = Application.objects.order_by()
    causes = [(JOB, received.filter(job_key=job_key), settings.APPLICATIONS_PER_JOB)]
    if network:
        of_network = received.filter(network=network)
        causes.insert(0, (NETWORK, of_network, settings.APPLICATIONS_PER_NETWORK))
    # One statement about any row: without applications there is no flood.
    found = received.order_by("pk").values_list(
        Case(
            *(
                When(_is_above(number, span, those, now), then=Value(cause))
                for cause, those, rates in causes
                for number, span in rates
            ),
            default=Value(""),
        ),
        flat=True,
    )
    return found.first() or ""


def _is_above(
    number: int, span: dt.timedelta, received: QuerySet[Application], now: dt.datetime
) -> Exists:
    # Whether a row exists at the place of the rate: no count is longer than the rate.
    return Exists(received.filter(received_at__gt=now - span)[number - 1 : number])


def same_cause(application: Application) -> Q:
    """The condition for applications that are quarantined for the same cause as this one.

    They came from the same network, where that is the cause and still known; else they are for
    the same job.
    """
    cause = Q(quarantined=True, quarantine_reason=application.quarantine_reason)
    if application.quarantine_reason == NETWORK and application.network:
        return cause & Q(network=application.network)
    return cause & Q(job_key=application.job_key)
