"""Open jobs that are similar to a job: in department, locations and words of the title."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from careers.jobs.openings import DEPARTMENT, LOCATION, WORKPLACE, letters, openings_below
from careers.jobs.taxonomy import Workplace

MOST = 3
#: Words of a title that do not describe the work.
_RANKS = {"senior", "junior", "principal", "trainee"}


@dataclass(frozen=True)
class Similar:
    """Other jobs for the page of a job.

    Attributes:
        jobs: at most three jobs.
        are_alike: whether they are like the job; if not, they are the newest.
    """

    jobs: list[Any]
    are_alike: bool


def similar_jobs(job: Any) -> Similar:
    """The open jobs most similar to ``job`` in its own list, and so in its language.

    An open job gets only jobs that are similar. For other jobs the newest ones fill up. Which jobs
    they are takes no query while the open jobs are kept.

    Args:
        job: a ``JobPage``.
    """
    openings = openings_below(job.get_parent(), type(job))
    points = []
    if job.department_id:
        points.append((3, openings.with_any(DEPARTMENT, [job.department.slug])))
    slugs = [location.slug for location in job.all_locations]
    points.append((2, openings.with_any(LOCATION, slugs)))
    if job.workplace == Workplace.REMOTE:
        points.append((1, openings.with_any(WORKPLACE, [Workplace.REMOTE])))
    points += [(2, openings.in_titles(word)) for word in title_words(job.title)]
    alike = reduce(or_, (jobs for _worth, jobs in points), 0)
    others = openings.without(job.pk)
    keys: list[int] = []
    for jobs in by_points(others & alike if job.is_open else others, points):
        keys += openings.keys(jobs, most=MOST - len(keys))
    return Similar(openings.rows(keys), bool(others & alike))


def by_points(jobs: int, points: list[tuple[int, int]]) -> list[int]:
    """The jobs of a set, in sets of equally many points, the most points first.

    Args:
        points: how much it is worth for a job to be in each of these sets.
    """
    ranked = {0: jobs}
    for worth, better in points:
        further: dict[int, int] = {}
        for total, equal in ranked.items():
            for sum_, part in ((total + worth, equal & better), (total, equal & ~better)):
                if part:
                    further[sum_] = further.get(sum_, 0) | part
        ranked = further
    return [ranked[total] for total in sorted(ranked, reverse=True)]


def title_words(title: str) -> list[str]:
    """The words of a title that may describe the work; at most five."""
    return [word for word in dict.fromkeys(letters(title)) if word not in _RANKS][:5]
