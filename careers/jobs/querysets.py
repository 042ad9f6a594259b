"""Which jobs are open, which match a search, and which page a job key means."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, Min, Q
from django.db.models.functions import Coalesce
from django.utils import timezone, translation
from wagtail.models.pages import PageQuerySet

from careers.search.content import rows_of
from careers.search.terms import terms_of
from careers.search.words import words

#: The order of lists, by the latest opening (``JobPage.posted_at``).
NEWEST_FIRST = (Coalesce("opened_at", "first_published_at").desc(nulls_last=True), "-pk")


class JobPageQuerySet(PageQuerySet):
    def with_own_words(self) -> JobPageQuerySet:
        """Without aliases in other languages: their words are not in the language of the page."""
        return self.filter(Q(alias_of=None) | Q(alias_of__locale=F("locale")))

    def open(self) -> JobPageQuerySet:
        """Jobs that accept applications now, newest first."""
        now = timezone.now()
        return (
            self.live()
            .public()
            .with_own_words()
            .filter(Q(opens_at=None) | Q(opens_at__lte=now))
            .filter(Q(closes_at=None) | Q(closes_at__gt=now))
            .filter(Q(expire_at=None) | Q(expire_at__gt=now))
            .order_by(*NEWEST_FIRST)
        )

    def next_change(self) -> dt.datetime | None:
        """When the next of the published jobs opens, closes or is unpublished by itself."""
        now = timezone.now()
        times = self.live().aggregate(
            **{
                f"next_{name}": Min(name, filter=Q(**{f"{name}__gt": now}))
                for name in ("opens_at", "closes_at", "expire_at")
            }
        )
        return min((at for at in times.values() if at), default=None)

    def matching(self, query: str) -> JobPageQuerySet:
        """Jobs that fit the search words ``query``; all of them if it is empty."""
        if not query:
            return self
        found = words(query)
        if not found:
            return self.none()
        # A job has a word in its texts or in the names beside it, such as its location.
        labels = {
            field: self._labels(field)
            for field in ("department", "locations", "workplace", "employment_type")
        }
        matching = self
        for word in found:
            either = Q(Exists(rows_of(self.model).filter(word.query("terms"))))
            for field, names in labels.items():
                keys = [key for key, terms in names.items() if word.within(terms)]
                if field == "locations":
                    having = self.model.locations.through.objects.filter(location__in=keys)
                    either |= Q(pk__in=having.values("jobpage"))
                else:
                    either |= Q(**{f"{field}__in": keys})
            matching = matching.filter(either)
        return matching

    def _labels(self, field: str) -> dict[Any, str]:
        """The terms of the names that jobs have in a field, by the value of the field."""
        column = self.model._meta.get_field(field)
        if column.related_model is None:
            return {value: terms_of(str(label)) for value, label in column.flatchoices}
        names = column.related_model.objects.values_list("pk", "name")
        return {key: terms_of(name) for key, name in names}

    def with_labels(self) -> JobPageQuerySet:
        """With what a row of a list shows."""
        return self.select_related("department").prefetch_related("locations")

    def by_key(self, job_key: UUID) -> Any:
        """The page of a job in the active language, else in another one, live pages first.

        Returns:
            A ``JobPage``, or None.
        """
        language = translation.get_language()
        pages = self.with_own_words().filter(translation_key=job_key).select_related("locale")
        return min(
            pages.order_by("pk"),
            key=lambda page: (page.locale.language_code != language, not page.live),
            default=None,
        )
