"""Time zones by name."""

from __future__ import annotations

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
