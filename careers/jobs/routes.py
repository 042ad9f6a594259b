"""Which job an address means, and where jobs in other languages are listed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.utils.translation import get_language_info
from wagtail.url_routing import RouteResult

from careers.jobs.openings import Openings
from home.content_cache import cached

if TYPE_CHECKING:
    from careers.jobs.models import JobIndexPage


class JobRoutes:
    """Finds a job of a list in one query."""

    def route(self, request: HttpRequest, path_components: list[str]) -> RouteResult:
        """Find the page of an address at or below the list."""
        if len(path_components) == 1:
            from careers.jobs.models import JobPage

            shown = JobPage.objects.child_of(self).select_related("department", "locale")
            job = shown.filter(slug=path_components[0]).first()
            if job is not None:
                # As Wagtail does: it saves a query for the page above.
                job._cached_parent_obj = self
                return job.route(request, [])
        found: Any = super()
        return found.route(request, path_components)  # type: ignore[no-any-return]


def jobs_elsewhere(page: JobIndexPage, openings: Openings) -> list[dict[str, Any]]:
    """The lists in other languages with open jobs that are not among those of this list.

    Args:
        openings: the open jobs of the list.
    """
    found = cached(
        ("elsewhere", page.pk), lambda: _elsewhere(page, openings), until=lambda found: found[1]
    )
    return [
        {"language": get_language_info(code), "url": url, "jobs": jobs}
        for code, url, jobs in found[0]
    ]


def _elsewhere(
    page: JobIndexPage, openings: Openings
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
