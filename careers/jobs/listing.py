"""The list of jobs: search, filters, and how many jobs each filter would leave."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page as Sheet
from django.core.paginator import Paginator
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from careers.jobs.openings import (
    DEPARTMENT,
    EMPLOYMENT,
    LOCATION,
    NAMES,
    WORKPLACE,
    Openings,
)
from careers.jobs.similar import by_points

JOBS_PER_PAGE = 25
#: A facet shows this many options; the others are folded away.
OPTIONS_IN_VIEW = 7
#: How many of the closest jobs are shown if none matches.
NEAREST = 5
#: Limits on the query of an address; our form stays below them.
LONGEST_QUERY = 200
MOST_VALUES = 20


@dataclass(frozen=True)
class Option:
    """One value of a facet, for instance a location.

    Attributes:
        value: as the address holds it.
        label: as visitors read it.
        jobs: how many jobs have it and match the choices in the other facets.
        chosen: whether the visitor chose it.
        overall: how many jobs have it, whatever the visitor chose.
    """

    value: str
    label: str
    jobs: int
    chosen: bool
    overall: int


@dataclass(frozen=True)
class Facet:
    """One filter. Several values of a facet widen the list, several facets narrow it."""

    name: str
    label: str
    every: str
    options: tuple[Option, ...]

    @property
    def chosen(self) -> list[Option]:
        return [option for option in self.options if option.chosen]

    @property
    def is_useful(self) -> bool:
        """Whether there is anything to choose."""
        return len(self.options) > 1 or bool(self.chosen)

    @property
    def in_view(self) -> list[Option]:
        """The options that are not folded: all if there are few, else the chosen ones and the
        most frequent."""
        if len(self.options) <= OPTIONS_IN_VIEW + 1:
            return list(self.options)
        ranked = sorted(self.options, key=lambda option: (not option.chosen, -option.overall))
        # Visitors see all that they chose, however many that is.
        kept = set(ranked[: max(OPTIONS_IN_VIEW, len(self.chosen))])
        return [option for option in self.options if option in kept]

    @property
    def folded(self) -> list[Option]:
        shown = set(self.in_view)
        return [option for option in self.options if option not in shown]


@dataclass(frozen=True)
class Chip:
    """A choice of the visitor, and the address of the list without it."""

    label: str
    remove: str


def facets_of(
    openings: Openings,
    asked: Mapping[str, Mapping[str, str]] | None = None,
    worded: int | None = None,
) -> list[Facet]:
    """Every facet with its options in the order of their names.

    Args:
        asked: the chosen values of each facet, with their labels.
        worded: the jobs that match the search words; None for all.
    """
    asked = asked or {}
    titles = {
        DEPARTMENT: (_("Team"), _("All teams")),
        LOCATION: (_("Location"), _("All locations")),
        WORKPLACE: (_("Workplace"), _("All workplaces")),
        EMPLOYMENT: (_("Employment"), _("All employment types")),
    }
    chosen = {name: openings.with_any(name, values) for name, values in asked.items() if values}
    found = []
    for name in NAMES:
        fitting = openings.all if worded is None else worded
        for other, jobs in chosen.items():
            if other != name:
                fitting &= jobs
        mine = asked.get(name, {})
        options = [
            Option(
                value,
                openings.label(name, value),
                (having & fitting).bit_count(),
                value in mine,
                having.bit_count(),
            )
            for value, having in openings.having[name].items()
        ]
        without_jobs = [value for value in mine if value not in openings.having[name]]
        if without_jobs:
            options += [Option(value, mine[value], 0, True, 0) for value in without_jobs]
            options.sort(key=lambda option: openings.order(name, option.value, option.label))
        found.append(Facet(name, *titles[name], tuple(options)))
    return found


class Listing:
    """The list of jobs for an address, which is the only state.

    Every address gets an answer: values that do not exist are left out.
    """

    def __init__(self, openings: Openings, address: QueryDict) -> None:
        self.openings = openings
        # PostgreSQL raises an error if a query contains NUL.
        self.query = address.get("q", "").replace("\x00", "").strip()[:LONGEST_QUERY]
        self.asked = {name: self._known(name, address.getlist(name)) for name in NAMES}
        self.is_filtered = bool(self.query or any(self.asked.values()))
        worded = openings.matching(self.query) if self.query else None
        self._worded = openings.all if worded is None else worded
        self.facets = facets_of(openings, self.asked, worded)
        found = self._worded
        for name, values in self.asked.items():
            if values:
                found &= openings.with_any(name, values)
        self.total = found.bit_count()
        self.jobs: Sheet[Any] = Paginator(range(self.total), JOBS_PER_PAGE).get_page(
            address.get("page")
        )
        start = JOBS_PER_PAGE * (self.jobs.number - 1)
        self.jobs.object_list = openings.rows(openings.keys(found, start, JOBS_PER_PAGE))

    def _known(self, name: str, values: list[str]) -> dict[str, str]:
        """The ``values`` that exist, with their labels, also those without an open job.

        A bookmarked link to one of these says that nothing matches, instead of showing all jobs.
        """
        wanted = list(dict.fromkeys(values))[:MOST_VALUES]
        known = self.openings.known(name, wanted)
        missing = [value for value in wanted if value not in known]
        missing = [value for value in missing if re.fullmatch(r"[-\w]{1,100}", value)]
        if missing and name in (DEPARTMENT, LOCATION):
            field = {DEPARTMENT: "department", LOCATION: "locations"}[name]
            kept = self.openings.model._meta.get_field(field).related_model.objects
            for slug, label in kept.filter(slug__in=missing).values_list("slug", "name"):
                known.setdefault(slug, label)
        return {value: known[value] for value in wanted if value in known}

    @cached_property
    def nearest(self) -> list[Any]:
        """If no job matches, the jobs that miss the fewest of the filters."""
        if self.total:
            return []
        points = [(2, self._worded)] if self.query else []
        points += [
            (1, self.openings.with_any(name, values))
            for name, values in self.asked.items()
            if values
        ]
        keys: list[int] = []
        for jobs in by_points(self.openings.all, points):
            keys += self.openings.keys(jobs, most=NEAREST - len(keys))
        return self.openings.rows(keys)

    def address(self, page: int = 1, without: tuple[str, str] = ("", "")) -> str:
        """The query string of this list, with "?", for another page or without one choice.

        Args:
            page: the number of the page.
            without: the facet and the value to leave out; ("q", "") leaves out the search words.
        """
        parts = QueryDict(mutable=True)
        if self.query and without[0] != "q":
            parts["q"] = self.query
        for name, values in self.asked.items():
            parts.setlist(name, [value for value in values if (name, value) != without])
        if page > 1:
            parts["page"] = str(page)
        return "?" + parts.urlencode()

    @property
    def chips(self) -> list[Chip]:
        """All choices of the visitor."""
        words = _("“%(words)s”") % {"words": self.query}
        chips = [Chip(words, self.address(without=("q", "")))] if self.query else []
        return chips + [
            Chip(option.label, self.address(without=(facet.name, option.value)))
            for facet in self.facets
            for option in facet.chosen
        ]

    @property
    def previous_address(self) -> str:
        return self.address(self.jobs.previous_page_number())

    @property
    def next_address(self) -> str:
        return self.address(self.jobs.next_page_number())
