"""Other open jobs for somebody who reads one: the same team, places and words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, Value, When
from django.db.models.expressions import Combinable

if TYPE_CHECKING:
    from careers.jobs.models import JobPage

MOST = 3
#: Words of a title that say nothing of the work.
_RANKS = {"senior", "junior", "principal", "trainee"}


def similar_jobs(job: JobPage) -> list[JobPage]:
    """The open jobs most like ``job`` in its own list, and so in its language; at most three.

    Each has ``likeness``, a number that is 0 where nothing is alike. For a job that is closed
    the newest ones stand in, so that nobody is left with nothing.
    """
    jobs = type(job).objects.sibling_of(job, inclusive=False).open()
    likeness: Combinable = Value(0, output_field=IntegerField())
    if job.department_id:
        likeness += _worth(3, Q(department_id=job.department_id))
    places = [place.pk for place in job.places]
    if places:
        through = type(job).locations.through.objects
        shared = through.filter(jobpage_id=OuterRef("pk"), location_id__in=places)
        likeness += _worth(2, Exists(shared))
    if job.workplace == "remote":
        likeness += _worth(1, Q(workplace=job.workplace))
    for word in title_words(job.title):
        likeness += _worth(2, Q(title__icontains=word))
    found = jobs.annotate(likeness=likeness).order_by(
        F("likeness").desc(), "-first_published_at", "-pk"
    )
    if job.is_open:
        found = found.filter(likeness__gt=0)
    alike = list(found.with_labels()[:MOST])
    for other in alike:
        # One site, one company: else each row that names a day would ask for it.
        other.company = job.company
    return alike


def _worth(points: int, condition: Q | Exists) -> Case:
    """Points for those that fulfil a condition."""
    return Case(When(condition, then=points), default=0, output_field=IntegerField())


def title_words(title: str) -> list[str]:
    """The words of a title that may tell what the work is; at most five."""
    words = dict.fromkeys(re.findall(r"[^\W\d_]{4,}", title.casefold()))
    return [word for word in words if word not in _RANKS][:5]
