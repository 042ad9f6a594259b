"""Open jobs that are similar to a job: in department, locations and words of the title."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, Value, When
from django.db.models.expressions import Combinable

from careers.jobs.querysets import NEWEST_FIRST

MOST = 3
#: Words of a title that do not describe the work.
_RANKS = {"senior", "junior", "principal", "trainee"}


def similar_jobs(job: Any) -> list[Any]:
    """The open jobs most similar to ``job`` in its own list, and so in its language.

    Args:
        job: a ``JobPage``.

    Returns:
        At most three jobs, each with its ``likeness`` as a number. An open job gets only jobs
        that are similar. For other jobs the newest ones fill up, with a likeness of 0.
    """
    jobs = type(job).objects.sibling_of(job, inclusive=False).open()
    likeness: Combinable = Value(0, output_field=IntegerField())
    if job.department_id:
        likeness += _worth(3, Q(department_id=job.department_id))
    locations = [location.pk for location in job.all_locations]
    if locations:
        through = type(job).locations.through.objects
        shared = through.filter(jobpage_id=OuterRef("pk"), location_id__in=locations)
        likeness += _worth(2, Exists(shared))
    if job.workplace == "remote":
        likeness += _worth(1, Q(workplace=job.workplace))
    for word in title_words(job.title):
        likeness += _worth(2, Q(title__icontains=word))
    found = jobs.annotate(likeness=likeness).order_by(F("likeness").desc(), *NEWEST_FIRST)
    if job.is_open:
        found = found.filter(likeness__gt=0)
    alike = list(found.with_labels()[:MOST])
    for other in alike:
        # Saves a query per row: all jobs of a list belong to one company.
        other.company = job.company
    return alike


def _worth(points: int, condition: Q | Exists) -> Case:
    """Points for the jobs that meet a condition."""
    return Case(When(condition, then=points), default=0, output_field=IntegerField())


def title_words(title: str) -> list[str]:
    """The words of a title that may describe the work; at most five."""
    words = dict.fromkeys(re.findall(r"[^\W\d_]{4,}", title.casefold()))
    return [word for word in words if word not in _RANKS][:5]
