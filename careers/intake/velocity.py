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

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from careers.applications.models import Application

NETWORK, JOB = "network-rate", "job-rate"
#: Whether a row exists at the place of the rate: no count is longer than the rate.
_IS_ABOVE = (
    "EXISTS (SELECT 1 FROM careers_application "
    "WHERE %s = %%s AND received_at > %%s LIMIT 1 OFFSET %%s)"
)


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
    rates: list[tuple[str, str, Any, Any]] = [
        (JOB, "job_key", job_key, rate) for rate in settings.APPLICATIONS_PER_JOB
    ]
    if network:
        of_network = [
            (NETWORK, "network", network, rate) for rate in settings.APPLICATIONS_PER_NETWORK
        ]
        rates = of_network + rates
    if not rates:
        return ""
    # One statement, written by hand because Django takes as long to compose it as for all others
    # of an application.
    conditions, values = [], []
    now = timezone.now()
    for _cause, column, value, (number, span) in rates:
        conditions.append(_IS_ABOVE % column)
        field: Any = Application._meta.get_field(column)
        since = connection.ops.adapt_datetimefield_value(now - span)
        values += [field.get_db_prep_value(value, connection), since, number - 1]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(conditions)}", values)  # only names of columns
        found = cursor.fetchone()
    return next((cause for (cause, *_rate), above in zip(rates, found, strict=True) if above), "")


def same_cause(application: Application) -> Q:
    """The condition for applications that are quarantined for the same cause as this one.

    They came from the same network, where that is the cause and still known; else they are for
    the same job.
    """
    cause = Q(quarantined=True, quarantine_reason=application.quarantine_reason)
    if application.quarantine_reason == NETWORK and application.network:
        return cause & Q(network=application.network)
    return cause & Q(job_key=application.job_key)
