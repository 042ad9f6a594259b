"""Which jobs are open, which match a search, and which page a job key means."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.db.models import F, Min, Q
from django.db.models.functions import Coalesce
from django.utils import timezone, translation
from wagtail.models.pages import PageQuerySet

from home.site_pages import has_restrictions

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

    def with_labels(self) -> JobPageQuerySet:
        """With what a row of a list shows, and without long texts."""
        return (
            self.defer("body", "questions", "privacy_notice", "hr_recipients")
            .select_related("department")
            .prefetch_related("locations")
        )

    def private_q(self) -> Q:
        """The pages that are for some visitors only."""
        return super().private_q() if has_restrictions() else Q(pk__in=[])

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
