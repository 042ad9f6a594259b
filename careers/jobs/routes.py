"""Which job an address means, and where jobs in other languages are listed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import get_language_info
from wagtail.models import Page
from wagtail.url_routing import RouteResult

from careers.jobs.openings import Openings
from home.content_cache import cached, is_open

#: How many jobs, with all their texts, a list keeps for each version of the content.
MOST_JOBS = 200


class JobRoutes:
    """Finds a job of a list in one query, or in none if it was read before."""

    # The page class provides these.
    locale: Any
    locale_id: Any

    def route(self, request: HttpRequest, path_components: list[str]) -> RouteResult:
        """Find the page of an address at or below the list."""
        if len(path_components) == 1:
            job = self._job(path_components[0])
            if job is not None:
                return job.route(request, [])  # type: ignore[no-any-return]
        found: Any = super()
        return found.route(request, path_components)  # type: ignore[no-any-return]

    def _job(self, slug: str) -> Any:
        """A job of this list with its department and language; None if there is none."""
        # Another thread may clear them at any moment.
        if (kept := self._jobs.get(slug)) is not None:
            return kept
        shown = (
            apps.get_model("careers", "JobPage").objects.child_of(self).select_related("department")
        )
        job = shown.filter(slug=slug).first()
        if job is not None:
            # Both save a query. Wagtail does the first.
            job._cached_parent_obj = self
            if job.locale_id == self.locale_id:
                job.locale = self.locale
            if is_open():
                if len(self._jobs) >= MOST_JOBS:
                    self._jobs.clear()
                self._jobs[slug] = job
        return job

    @cached_property
    def _jobs(self) -> dict[str, Any]:
        """Jobs that were read for this version of the content, by slug."""
        return {}


def jobs_elsewhere(page: Page, openings: Openings) -> list[dict[str, Any]]:
    """The lists in other languages with open jobs that are not among those of this list.

    Args:
        openings: the open jobs of the list.
    """
    found = cached(
        ("lists elsewhere", page.pk),
        lambda: _elsewhere(page, openings),
        until=lambda found: found[1],
    )
    return [
        {"language": get_language_info(code), "url": url, "jobs": jobs}
        for code, url, jobs in found[0]
    ]


def _elsewhere(
    page: Page, openings: Openings
) -> tuple[list[tuple[str, str, int]], dt.datetime | None]:
    """Language, address and number of jobs of each such list, and until when they hold."""
    here = openings.model.objects.descendant_of(page).open().order_by().values("translation_key")
    lists = page.get_translations().live().public().filter(alias_of=None)
    moments, found = [openings.until], []
    for other in lists.select_related("locale"):
        jobs = openings.model.objects.descendant_of(other)
        moments.append(jobs.next_change())
        number = jobs.open().exclude(translation_key__in=here).count()
        if number:
            found.append((other.locale.language_code, other.url, number))
    return found, min((moment for moment in moments if moment), default=None)
