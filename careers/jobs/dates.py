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

    class Meta:
        abstract = True

    # The page class provides these.
    live: Any
    company: Any

    @cached_property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The job's own time zone, else that of the company."""
        if self.time_zone:
            return zoneinfo.ZoneInfo(self.time_zone)
        zone: zoneinfo.ZoneInfo = self.company.zone
        return zone

    @property
    def is_open(self) -> bool:
        """Whether the job accepts applications now."""
        now = timezone.now()
        return bool(
            self.live
            and (self.opens_at is None or self.opens_at <= now)
            and (self.closes_at is None or self.closes_at > now)
        )

    @property
    def is_upcoming(self) -> bool:
        """Whether the job will accept applications later."""
        now = timezone.now()
        return bool(
            self.opens_at
            and self.opens_at > now
            and (self.closes_at is None or self.closes_at > now)
        )

    @property
    def closes_in_days(self) -> int | None:
        """Days until the job closes, by the calendar of its time zone; None without an end."""
        if self.closes_at is None:
            return None
        today = timezone.now().astimezone(self.zone).date()
        return int((self.closes_at.astimezone(self.zone).date() - today).days)

    def moment(self, at: dt.datetime) -> str:
        """A moment as visitors read it: in the job's time zone, with the zone's name."""
        local = at.astimezone(self.zone)
        return f"{formats.date_format(local, 'DATETIME_FORMAT')} ({local.tzname()})"

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
