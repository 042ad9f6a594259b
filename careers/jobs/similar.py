"""Open jobs that are similar to a job: in department, locations and words of the title."""

from __future__ import annotations

from typing import Any

from careers.jobs.openings import DEPARTMENT, LOCATION, WORKPLACE, letters, openings_below
from careers.jobs.taxonomy import Workplace

MOST = 3
#: Words of a title that do not describe the work.
_RANKS = {"senior", "junior", "principal", "trainee"}


def similar_jobs(job: Any) -> list[Any]:
    """The open jobs most similar to ``job`` in its own list, and so in its language.

    Two queries for the rows; which ones they are costs none while the open jobs are kept.

    Args:
        job: a ``JobPage``.

    Returns:
        At most three jobs. An open job gets only jobs that are similar. For other jobs the newest
        ones fill up.
    """
    openings = openings_below(job.get_parent(), type(job))
    points = []
    if job.department_id:
        points.append((3, openings.having[DEPARTMENT].get(job.department.slug, 0)))
    slugs = [location.slug for location in job.all_locations]
    points.append((2, openings.with_any(LOCATION, slugs)))
    if job.workplace == Workplace.REMOTE:
        points.append((1, openings.with_any(WORKPLACE, [Workplace.REMOTE])))
    points += [(2, openings.in_titles(word)) for word in title_words(job.title)]
    others = openings.without(job.pk)
    keys = []
    for alike in by_points(others, points):
        if job.is_open and not any(alike & jobs for _worth, jobs in points):
            break
        keys += openings.keys(alike, most=MOST - len(keys))
        if len(keys) >= MOST:
            break
    return openings.rows(keys)


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
