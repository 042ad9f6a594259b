"""The sentences for the findings about the virus scan."""

from __future__ import annotations

import datetime as dt

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from careers.operations.words import Facts, Words, says


@says("not-scanned")
def _not_scanned(facts: Facts) -> Words:
    return Words(
        _("No virus scanner is configured. Files of applicants are marked “Not scanned”."),
        _("Name a clamd in CLAMAV_URL, as docs/operations.md describes, or dismiss this advice."),
    )


@says("infected-files")
def _infected_files(facts: Facts) -> Words:
    return Words(
        ngettext(
            "%(count)d infected file arrived in the last 24 hours. It is locked: nobody can open "
            "it on the site.",
            "%(count)d infected files arrived in the last 24 hours. They are locked: nobody can "
            "open them on the site.",
            facts["count"],
        )
        % {"count": facts["count"]},
        _(
            "HR and the applicants get a mail. If many arrive, look for an attack. This alert ends "
            "by itself after a day."
        ),
    )


@says("scanner-outdated")
def _scanner_outdated(facts: Facts) -> Words:
    day = formats.date_format(dt.date.fromisoformat(facts["date"]), "SHORT_DATE_FORMAT")
    return Words(
        _("The virus scanner’s signatures date from %(day)s. It misses new viruses.")
        % {"day": day},
        _("Check that freshclam runs and reaches the internet."),
    )
