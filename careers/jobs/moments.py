"""When the pages of jobs change by themselves, without any write to the database."""

from __future__ import annotations

import datetime as dt

from django.db.models import Min, Q
from wagtail import hooks

from careers.jobs.models import JobPage
from home.models import SiteSettings
from home.values.zone import UTC, next_midnight, zone_named

#: The dates of a job with which its pages change. The last two also begin the extra time.
DATES = ("opens_at", "closes_at", "expire_at", "closed_at")


@hooks.register("next_content_moment")
def next_change_of_jobs(now: dt.datetime) -> dt.datetime | None:
    """When a job next opens or closes, or the extra time of one ends, or its days are counted anew.

    Two queries, however many jobs there are.
    """
    companies = set(SiteSettings.objects.values_list("closing_grace", "time_zone"))
    graces = {dt.timedelta(minutes=minutes) for minutes, _zone in companies} | {dt.timedelta()}
    moments = {
        f"{name}_{number}": (name, grace)
        for name in DATES
        for number, grace in enumerate(sorted(graces))
    }
    jobs = JobPage.objects.order_by()
    found = jobs.aggregate(
        **{
            alias: Min(name, filter=Q(**{f"{name}__gt": now - grace}))
            for alias, (name, grace) in moments.items()
        }
    )
    next_ones = [found[alias] + grace for alias, (_name, grace) in moments.items() if found[alias]]
    # A row of a list says in how many days its job closes.
    zones = {zone for _minutes, zone in companies} | set(
        jobs.filter(live=True).values_list("time_zone", flat=True).distinct()
    )
    next_ones += [next_midnight(now, zone_named(name) or UTC) for name in zones]
    return min(next_ones, default=None)
