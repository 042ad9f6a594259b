"""Which jobs are open, which match a search, and which page a job key means."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone, translation
from wagtail.models.pages import PageQuerySet


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
            .order_by("-first_published_at", "-pk")
        )

    def matching(self, query: str) -> JobPageQuerySet:
        """Jobs that fit the search words ``query``; all of them if it is empty."""
        if not query:
            return self
        # Other characters may be operators, or errors, of the database's search.
        words = " ".join(re.findall(r"\w+", query))
        everything = self.model.objects.live()
        whole = {page.pk for page in everything.search(words)} if words else set()
        begun = {page.pk for page in everything.autocomplete(words)} if words else set()
        labels = Q(locations__name__icontains=query) | Q(department__name__icontains=query)
        return self.filter(Q(pk__in=whole | begun) | labels).distinct()

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
