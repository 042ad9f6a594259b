"""The open jobs below a page: how many there are of each kind, and which ones are alike.

They are read once for each version of the content, in two queries. A set of jobs is then a whole
number in which each bit stands for a job, the newest first: to filter ten thousand jobs takes
microseconds.
"""

from __future__ import annotations

import datetime as dt
import re
from array import array
from collections.abc import Iterable, Iterator
from functools import reduce
from operator import or_
from typing import Any

from wagtail.models import Page

from careers.jobs.querysets import JobPageQuerySet
from careers.search.content import keys_with
from careers.search.terms import terms_of
from careers.search.words import words
from home.content_cache import cached

#: How many rows are kept, for instance those of the first pages and of similar jobs.
MOST_ROWS = 500
#: Four letters or more; digits and signs do not describe the work.
_LETTERS = re.compile(r"[^\W\d_]{4,}")

#: The parameters of an address. Bookmarks hold them, so they never change.
DEPARTMENT, LOCATION, WORKPLACE, EMPLOYMENT = "department", "place", "workplace", "type"
NAMES = (DEPARTMENT, LOCATION, WORKPLACE, EMPLOYMENT)


class Openings:
    """The open jobs of a query, with the values of each facet.

    Attributes:
        all: the set of all jobs.
        until: when the next job opens or closes by itself.
        having: for each facet, the set of jobs that have a value.
        labels: for each facet, the names of the values as visitors read them.
    """

    def __init__(self, jobs: JobPageQuerySet) -> None:
        #: Read first: what changes meanwhile must not be kept.
        self.until: dt.datetime | None = jobs.next_change()
        self.model = jobs.model
        workplaces, types = (
            dict(self.model._meta.get_field(name).flatchoices)  # type: ignore[union-attr]
            for name in ("workplace", "employment_type")
        )
        self._choices = {WORKPLACE: workplaces, EMPLOYMENT: types}
        self._keys = array("q")
        self._titles: list[str] = []
        self._names: dict[str, dict[str, str]] = {DEPARTMENT: {}, LOCATION: {}}
        members: dict[str, dict[str, list[int]]] = {name: {} for name in NAMES}
        open_now = jobs.open()
        for place, (pk, title, slug, department, workplace, employment) in enumerate(
            open_now.values_list(
                "pk",
                "title",
                "department__slug",
                "department__name",
                "workplace",
                "employment_type",
            )
        ):
            self._keys.append(pk)
            self._titles.append(title)
            if slug is not None:
                self._names[DEPARTMENT][slug] = department
                members[DEPARTMENT].setdefault(slug, []).append(place)
            members[WORKPLACE].setdefault(workplace, []).append(place)
            members[EMPLOYMENT].setdefault(employment, []).append(place)
        self.all = (1 << len(self._keys)) - 1
        self._places = {pk: place for place, pk in enumerate(self._keys)}
        located = open_now.order_by().exclude(locations=None)
        for pk, slug, name in located.values_list("pk", "locations__slug", "locations__name"):
            if pk in self._places:  # it may have opened between the two queries
                self._names[LOCATION][slug] = name
                members[LOCATION].setdefault(slug, []).append(self._places[pk])
        self.having: dict[str, dict[str, int]] = {
            name: {
                value: _set_of(places)
                for value, places in sorted(
                    values.items(), key=lambda item: self.order(name, item[0])
                )
            }
            for name, values in members.items()
        }
        self._rows: dict[int, Any] = {}
        self._company: Any = None
        self._in_titles: dict[str, int] | None = None

    def __len__(self) -> int:
        return len(self._keys)

    def label(self, name: str, value: str) -> str:
        """A value of a facet as visitors read it, in the active language."""
        return str(self._labels(name)[value])

    def order(self, name: str, value: str, label: str = "") -> Any:
        """Where a value of a facet stands: by its name, or as HR chooses it."""
        if name in self._names:
            return (label or self._names[name][value]).casefold()
        return list(self._choices[name]).index(value)

    def _labels(self, name: str) -> dict[str, Any]:
        return self._names.get(name) or self._choices.get(name) or {}

    def known(self, name: str, values: Iterable[str]) -> dict[str, str]:
        """Those of ``values`` that an open job has or could choose, with their labels."""
        labels = self._labels(name)
        return {value: str(labels[value]) for value in values if value in labels}

    # ── Sets ────────────────────────────────────────────────────────────────────────────

    def with_any(self, name: str, values: Iterable[str]) -> int:
        """The jobs that have one of the values of a facet."""
        having = self.having[name]
        return reduce(or_, (having.get(value, 0) for value in values), 0)

    def matching(self, query: str) -> int:
        """The jobs that fit the search words ``query``; none if it has no word.

        One query. A job has a word in its texts or in the names beside it, such as its location.
        """
        found = words(query)
        if not found:
            return 0
        matching = self.all
        in_texts = keys_with(self.model, found)
        for number, word in enumerate(found):
            jobs = self._set_of_keys(in_texts[number])
            for name in NAMES:
                for value, having in self.having[name].items():
                    if having & ~jobs and word.within(terms_of(self.label(name, value))):
                        jobs |= having
            matching &= jobs
        return matching

    def _set_of_keys(self, keys: Iterable[int]) -> int:
        places = self._places
        return _set_of([places[key] for key in keys if key in places])

    def without(self, key: int) -> int:
        """All jobs but one."""
        return self.all & ~self._set_of_keys([key])

    def in_titles(self, word: str) -> int:
        """The jobs whose title has a word of letters, also within a longer word."""
        if self._in_titles is None:
            places: dict[str, list[int]] = {}
            for place, title in enumerate(self._titles):
                for one in set(letters(title)):
                    places.setdefault(one, []).append(place)
            self._in_titles = {one: _set_of(found) for one, found in places.items()}
        return reduce(or_, (having for one, having in self._in_titles.items() if word in one), 0)

    # ── Rows ────────────────────────────────────────────────────────────────────────────

    def keys(self, jobs: int, start: int = 0, most: int | None = None) -> list[int]:
        """The keys of a set of jobs, the newest first, from a position on."""
        found = []
        stop = None if most is None else start + most
        for number, place in enumerate(_places(jobs)):
            if stop is not None and number >= stop:
                break
            if number >= start:
                found.append(self._keys[place])
        return found

    def rows(self, keys: list[int]) -> list[Any]:
        """The jobs of ``keys``, in their order, with what a row shows."""
        kept = self._rows
        rows = {key: kept[key] for key in keys if key in kept}
        if missing := [key for key in keys if key not in rows]:
            found = self.model.objects.filter(pk__in=missing).with_labels().in_bulk()
            for job in found.values():
                # Saves a query per row: all jobs of a list belong to one company.
                job.company = self._company = self._company or job.company
            rows |= found
            self._rows = kept | found if len(kept) + len(found) <= MOST_ROWS else found
        return [rows[key] for key in keys if key in rows]


def openings_below(page: Page, model: Any) -> Openings:
    """The open jobs below a page.

    Args:
        model: ``JobPage``.
    """
    return cached(
        ("openings", page.pk),
        lambda: Openings(model.objects.descendant_of(page)),
        until=lambda found: found.until,
    )


def letters(title: str) -> list[str]:
    """The words of a title that have four letters or more, folded."""
    return _LETTERS.findall(title.casefold())


def _set_of(places: list[int]) -> int:
    """The set of the jobs at some places."""
    if not places:
        return 0
    found = bytearray(max(places) // 8 + 1)
    for place in places:
        found[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(found, "little")


def _places(jobs: int) -> Iterator[int]:
    """The places of the jobs of a set, in order."""
    content = jobs.to_bytes((jobs.bit_length() + 7) // 8, "little")
    for number, byte in enumerate(content):
        while byte:
            lowest = byte & -byte
            yield number * 8 + lowest.bit_length() - 1
            byte ^= lowest
