"""Time zones by name, and moments in them."""

from __future__ import annotations

import datetime as dt
import zoneinfo

UTC = zoneinfo.ZoneInfo("UTC")


def zone_named(name: str) -> zoneinfo.ZoneInfo | None:
    """The time zone of a name of the IANA database, such as ``Europe/Oslo``.

    Returns:
        None if there is none of this name here: releases of the database drop old names.
    """
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, OSError, ValueError):
        # ValueError: the name is empty or a path; OSError: it is a directory of the database.
        return None


def local(moment: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """A moment in a time zone.

    A date such as 31 December 9999 stands for "never" and has no moment in zones east of its own;
    it is returned in its own zone.
    """
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


def next_midnight(moment: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """The next beginning of a day in a time zone."""
    tomorrow = moment.astimezone(zone).date() + dt.timedelta(days=1)
    return dt.datetime.combine(tomorrow, dt.time(), zone)
