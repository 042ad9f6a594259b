"""The list of jobs: search, filters, and how many jobs each filter would leave."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.core.paginator import Page as Sheet
from django.core.paginator import Paginator
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from careers.jobs.querysets import JobPageQuerySet

JOBS_PER_PAGE = 25
#: A facet shows this many options; the others are folded away.
OPTIONS_IN_VIEW = 7
#: How many of the closest jobs are shown if none matches.
NEAREST = 5
#: Limits on the query of an address; our form stays below them.
LONGEST_QUERY = 200
MOST_VALUES = 20

#: The parameters of an address. Bookmarks hold them, so they never change.
DEPARTMENT, LOCATION, WORKPLACE, EMPLOYMENT = "department", "place", "workplace", "type"
NAMES = (DEPARTMENT, LOCATION, WORKPLACE, EMPLOYMENT)


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


class _Traits(NamedTuple):
    """What the filters must know about a job: its key, and its values by facet."""

    pk: int
    values: dict[str, frozenset[str]]


class Openings:
    """The open jobs below a page, with the values of each facet.

    Two queries, however many jobs there are. A list of jobs is short enough to be counted here;
    in the database, each facet would need a query of its own.
    """

    def __init__(self, jobs: JobPageQuerySet) -> None:
        self._jobs = jobs
        model = jobs.model
        workplaces, types = (
            dict(model._meta.get_field(name).flatchoices)  # type: ignore[union-attr]
            for name in ("workplace", "employment_type")
        )
        self._labels: dict[str, dict[str, str]] = {
            DEPARTMENT: {},
            LOCATION: {},
            WORKPLACE: {value: str(label) for value, label in workplaces.items()},
            EMPLOYMENT: {value: str(label) for value, label in types.items()},
        }
        locations: dict[int, set[str]] = {}
        for pk, slug, name in jobs.order_by().values_list(
            "pk", "locations__slug", "locations__name"
        ):
            if slug is not None:
                locations.setdefault(pk, set()).add(slug)
                self._labels[LOCATION][slug] = name
        self.traits: list[_Traits] = []
        for pk, slug, name, workplace, employment in jobs.values_list(
            "pk", "department__slug", "department__name", "workplace", "employment_type"
        ):
            if slug is not None:
                self._labels[DEPARTMENT][slug] = name
            values = {
                DEPARTMENT: frozenset([slug] if slug else ()),
                LOCATION: frozenset(locations.get(pk, ())),
                WORKPLACE: frozenset([workplace]),
                EMPLOYMENT: frozenset([employment]),
            }
            self.traits.append(_Traits(pk, values))

    def __len__(self) -> int:
        return len(self.traits)

    def facets(
        self, asked: dict[str, list[str]] | None = None, worded: set[int] | None = None
    ) -> list[Facet]:
        """Every facet with its options in the order of their names.

        Args:
            asked: the chosen values of each facet.
            worded: the keys of the jobs that match the search words; None for all.
        """
        asked = asked or {name: [] for name in NAMES}
        titles = {
            DEPARTMENT: (_("Team"), _("All teams")),
            LOCATION: (_("Location"), _("All locations")),
            WORKPLACE: (_("Workplace"), _("All workplaces")),
            EMPLOYMENT: (_("Employment"), _("All employment types")),
        }
        found = []
        for name in NAMES:
            others = {other: values for other, values in asked.items() if other != name}
            fitting = Counter[str]()
            overall = Counter[str](dict.fromkeys(asked[name], 0))
            for traits in self.traits:
                overall.update(traits.values[name])
                if fits(traits.values, others) and (worded is None or traits.pk in worded):
                    fitting.update(traits.values[name])
            options = [
                Option(value, self._labels[name][value], fitting[value], value in asked[name], jobs)
                for value, jobs in overall.items()
            ]
            if name in (DEPARTMENT, LOCATION):
                options.sort(key=lambda option: option.label.casefold())
            else:
                order = list(self._labels[name])
                options.sort(key=lambda option: order.index(option.value))
            found.append(Facet(name, *titles[name], tuple(options)))
        return found

    def known(self, name: str, values: Iterable[str]) -> list[str]:
        """The ``values`` that exist, also departments and locations without an open job.

        A bookmarked link to one of these says that nothing matches, instead of showing all jobs.
        """
        wanted = list(dict.fromkeys(values))[:MOST_VALUES]
        missing = [value for value in wanted if value not in self._labels[name]]
        missing = [value for value in missing if re.fullmatch(r"[-\w]{1,100}", value)]
        if missing and name in (DEPARTMENT, LOCATION):
            field = {DEPARTMENT: "department", LOCATION: "locations"}[name]
            kept = self._jobs.model._meta.get_field(field).related_model.objects
            for slug, label in kept.filter(slug__in=missing).values_list("slug", "name"):
                self._labels[name].setdefault(slug, label)
        return [value for value in wanted if value in self._labels[name]]

    def rows(self, keys: list[int]) -> list[Any]:
        """The jobs of ``keys``, in their order, with what a row shows."""
        jobs = self._jobs.model.objects.filter(pk__in=keys).with_labels().in_bulk()
        found = [jobs[key] for key in keys if key in jobs]
        for job in found[1:]:
            # Saves a query per row: all jobs of a list belong to one company.
            job.company = found[0].company
        return found


def fits(values: dict[str, frozenset[str]], asked: dict[str, list[str]]) -> bool:
    """Whether a job has one of the chosen values of each facet with a choice."""
    return all(not wanted or values[name] & set(wanted) for name, wanted in asked.items())


class Listing:
    """The list of jobs for an address, which is the only state.

    Every address gets an answer: values that do not exist are left out.
    """

    def __init__(self, jobs: JobPageQuerySet, address: QueryDict) -> None:
        self.openings = Openings(jobs)
        # PostgreSQL raises an error if a query contains NUL.
        self.query = address.get("q", "").replace("\x00", "").strip()[:LONGEST_QUERY]
        self.asked = {name: self.openings.known(name, address.getlist(name)) for name in NAMES}
        self.is_filtered = bool(self.query or any(self.asked.values()))
        worded: set[int] | None = None
        if self.query:
            worded = set(jobs.matching(self.query).values_list("pk", flat=True))
        self.facets = self.openings.facets(self.asked, worded)
        self._worded = worded
        found = [
            traits.pk
            for traits in self.openings.traits
            if (worded is None or traits.pk in worded) and fits(traits.values, self.asked)
        ]
        self.total = len(found)
        self.jobs: Sheet[Any] = Paginator(found, JOBS_PER_PAGE).get_page(address.get("page"))
        self.jobs.object_list = self.openings.rows(list(self.jobs.object_list))

    @cached_property
    def nearest(self) -> list[Any]:
        """If no job matches, the jobs that miss the fewest of the filters."""
        if self.total:
            return []

        def misses(traits: _Traits) -> int:
            missed = self._worded is not None and traits.pk not in self._worded
            return 2 * missed + sum(
                not fits(traits.values, {name: values}) for name, values in self.asked.items()
            )

        # Sorting is stable: among equals the newest stays first.
        ranked = sorted(self.openings.traits, key=misses)
        return self.openings.rows([traits.pk for traits in ranked[:NEAREST]])

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
