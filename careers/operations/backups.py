"""How old the last backup is, if the backup job tells: it touches a file when it has succeeded."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from careers.operations.models import Finding, Severity
from careers.operations.words import Facts, Words, says


def check() -> list[Finding]:
    """A finding if the last backup is too old; nothing where no file is named."""
    if not settings.BACKUP_STAMP:
        return []
    facts: Facts
    try:
        seconds = Path(settings.BACKUP_STAMP).stat().st_mtime
    except OSError as error:
        facts = {"path": settings.BACKUP_STAMP, "error": type(error).__name__}
        return [Finding(code="backup-unknown", severity=Severity.WARNING, facts=facts)]
    made = dt.datetime.fromtimestamp(seconds, dt.UTC)
    age = timezone.now() - made
    if age <= dt.timedelta(hours=settings.BACKUP_MAX_HOURS):
        return []
    # Whole days, so that the facts change once a day.
    facts = {"made_at": made.isoformat(), "days": max(1, age.days)}
    return [Finding(code="backup-old", severity=Severity.WARNING, facts=facts)]


@says("backup-old")
def _old(facts: Facts) -> Words:
    return Words(
        ngettext(
            "The last backup is more than %(count)d day old.",
            "The last backup is more than %(count)d days old.",
            facts["days"],
        )
        % {"count": facts["days"]}
        + " "
        + _("If the database were lost now, every application since then would be lost."),
        _("Read the log of the backup job, correct the job, and run it once."),
    )


@says("backup-unknown")
def _unknown(facts: Facts) -> Words:
    return Words(
        _("The file that the backup job touches can’t be read: %(path)s (%(error)s).")
        % {"path": facts["path"], "error": facts["error"]},
        _("Check BACKUP_STAMP, and that the sweeper may read the file. Then run the backup once."),
    )
