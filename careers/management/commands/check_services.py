"""``manage.py check_services``: say before the start what is wrong with the services."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from careers.operations.models import Severity
from careers.operations.probes import all_probes, ask_once

#: Without it the site can accept no application. All other work is done later.
NEEDED = "database"
SERVICES = ("database", "broker", "archive", "mail", "scanner")


class Command(BaseCommand):
    """For the moment before ``migrate``: needs no table of ours.

    The site accepts applications without broker, archive and mail server, so their errors are
    only printed, unless ``--strict`` is given.
    """

    help = (
        "Ask every service. Exit 0 when the site may start, 2 when it must not (database); "
        "with --strict 1 when anything else is wrong."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--strict", action="store_true", help="exit 1 for any fault")

    def handle(self, *args: Any, **options: Any) -> None:
        refused = False
        prober = ask_once(all_probes())
        for sentence in settings.MISSPELT:
            self.stdout.write(f"settings: {sentence}")
        # One of each code: a database that is away is also what another probe meets.
        reported = prober.findings
        for service in SERVICES:
            found = [
                finding
                for probe in prober.probes
                if probe.name.startswith(service)
                for finding in prober.found.get(probe.name, [])
                if finding in reported
            ]
            words = [f"{one.message} {one.action}".strip() for one in found]
            asked = any(probe.name.startswith(service) for probe in prober.probes)
            well = _("well") if asked else _("not configured; files are not scanned for viruses")
            self.stdout.write(f"{service}: " + (" ".join(words) or well))
            refused |= service == NEEDED and any(one.severity == Severity.CRITICAL for one in found)
        media = media_fault(Path(settings.MEDIA_ROOT))
        self.stdout.write("media: " + (media or _("well")))
        if refused:
            sys.exit(2)
        faults = [finding for finding in reported if not finding.is_advice]
        if options["strict"] and (faults or media):
            sys.exit(1)


def media_fault(folder: Path) -> str:
    """Why this process can't store pictures of pages in ``folder``; "" if it can.

    The folder need not exist yet.
    """
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    if os.access(nearest, os.W_OK):
        return ""
    return _(
        "{folder} can't be written to, so HR can't upload pictures and documents. "
        "Mount it writable, and run: chown -R {user} {folder}"
    ).format(folder=nearest, user=os.geteuid())
