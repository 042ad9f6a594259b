"""When applications for a job open and close."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

from django.db import models
from django.utils import formats, timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from home.models import time_zones
from home.values.zone import local, zone_named


class ApplicationDates(models.Model):
    """The application dates of a job, as fields of its page."""

    opens_at = models.DateTimeField(gettext_lazy("applications open"), null=True, blank=True)
    closes_at = models.DateTimeField(
        gettext_lazy("applications close"),
        null=True,
        blank=True,
        help_text=gettext_lazy("Leave empty while the job is open until filled."),
    )
    time_zone = models.CharField(
        gettext_lazy("time zone"),
        max_length=64,
        blank=True,
        choices=time_zones,
        help_text=gettext_lazy(
            "Visitors read the dates in this time zone. If left empty, in that of the company."
        ),
    )

    #: When the job was last opened for applications; in the future, when it will be.
    opened_at = models.DateTimeField(gettext_lazy("open since"), null=True, editable=False)
    #: When the form left the page, if that was not at the deadline.
    closed_at = models.DateTimeField(gettext_lazy("form removed"), null=True, editable=False)

    class Meta:
        abstract = True

    # The page class provides these.
    live: Any
    expired: Any
    expire_at: Any
    first_published_at: Any
    company: Any
    get_latest_revision_as_object: Any

    def save(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("update_fields") is None:
            self._note_opening_or_closing()
        super().save(*args, **kwargs)

    def _note_opening_or_closing(self) -> None:
        """Set ``opened_at`` and ``closed_at`` if storing the job opens or closes it."""
        before = None if self._state.adding else self._stored()
        was_open = before is not None and before.is_open
        now = timezone.now()
        if self.live and not self.is_over:
            if self.is_upcoming or not was_open:
                self.opened_at = max(now, self.opens_at or now)
            self.closed_at = None
        elif self.live and was_open:
            self.closed_at = now

    def _stored(self) -> Any:
        """The job as the database has it, with what ``is_open`` reads."""
        manager: Any = type(self)._default_manager
        names = ("live", "opens_at", "closes_at", "expire_at")
        return manager.only(*names).filter(pk=self.pk).first()

    def with_content_json(self, content: dict[str, Any]) -> Any:
        """The job as a revision describes it; when it was opened and closed stays."""
        page = super().with_content_json(content)  # type: ignore[misc]
        page.opened_at, page.closed_at = self.opened_at, self.closed_at
        return page

    @property
    def exclude_fields_in_copy(self) -> list[str]:
        """What a copy does not get: the dates of the original that have passed."""
        latest = self.get_latest_revision_as_object()
        now = timezone.now()
        times = {name: getattr(latest, name) for name in ("opens_at", "closes_at")}
        passed = [name for name, at in times.items() if at and at <= now]
        return [*super().exclude_fields_in_copy, "opened_at", "closed_at", *passed]  # type: ignore[misc]

    @cached_property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The job's own time zone, else that of the company."""
        zone: zoneinfo.ZoneInfo = zone_named(self.time_zone) or self.company.zone
        return zone

    @property
    def deadline(self) -> dt.datetime | None:
        """When applications end: the closing time or the scheduled unpublishing, if earlier."""
        return min(filter(None, (self.closes_at, self.expire_at)), default=None)

    @property
    def posted_at(self) -> dt.datetime | None:
        """When the job was last opened; None for a job that never was on the site."""
        # Jobs of earlier releases have only the date of their first publication.
        return self.opened_at or self.first_published_at

    @property
    def is_over(self) -> bool:
        """Whether the deadline has passed."""
        return self.deadline is not None and self.deadline <= timezone.now()

    @property
    def is_open(self) -> bool:
        """Whether the job accepts applications now, and shows its form."""
        now = timezone.now()
        return bool(
            self.live and (self.opens_at is None or self.opens_at <= now) and not self.is_over
        )

    @property
    def is_upcoming(self) -> bool:
        """Whether the job will accept applications later."""
        return bool(self.opens_at and self.opens_at > timezone.now() and not self.is_over)

    @property
    def grace_until(self) -> dt.datetime | None:
        """Until when people who had the form open may send it, once the job is closed.

        None outside that time. A job that a person unpublished has none: it may have been
        published by mistake.
        """
        closed = self.deadline
        if self.live and closed and self.closed_at:
            closed = max(closed, self.closed_at)
        elif self.expired and self.closed_at:
            closed = self.closed_at
        if closed is None or not (self.live or self.expired):
            return None
        end = closed + dt.timedelta(minutes=self.company.closing_grace)
        return end if closed <= timezone.now() < end else None

    @property
    def next_change(self) -> dt.datetime | None:
        """When the page next changes by itself: the job opens, closes or is unpublished."""
        now = timezone.now()
        times = (self.opens_at, self.closes_at, self.expire_at)
        return min((at for at in times if at and at > now), default=None)

    def never_opens(self, published_at: dt.datetime) -> bool:
        """Whether nobody can apply for the job, if it is published at this time."""
        opens = max(published_at, self.opens_at or published_at)
        return self.deadline is not None and self.deadline <= opens

    @property
    def closes_in_days(self) -> int | None:
        """Days until the job closes, by the calendar of its time zone; None without an end."""
        if self.deadline is None:
            return None
        today = timezone.now().astimezone(self.zone).date()
        return int((local(self.deadline, self.zone).date() - today).days)

    def moment(self, at: dt.datetime) -> str:
        """A moment as visitors read it: in the job's time zone, with the zone's name."""
        shown = local(at, self.zone)
        return f"{formats.date_format(shown, 'DATETIME_FORMAT')} ({shown.tzname()})"

    def closing_words(self) -> str:
        """When the job closes, in words; "" without an end."""
        days = self.closes_in_days
        if days is None:
            return ""
        if days < 0:
            return _("Closed")
        if days == 0:
            return _("Closes today")
        return ngettext("Closes in %(days)d day", "Closes in %(days)d days", days) % {"days": days}

    def date_errors(self) -> dict[str, str]:
        """What HR must correct, by field name."""
        if self.opens_at and self.closes_at and self.closes_at <= self.opens_at:
            return {"closes_at": _("Applications would close before they open.")}
        return {}
