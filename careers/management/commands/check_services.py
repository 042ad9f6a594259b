"""``manage.py check_services``: say at start what is wrong with the services, in sentences."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from careers.operations.probes import all_probes, ask_once

#: Without it no application can be taken. All else is done later.
NEEDED = "database"
SERVICES = ("database", "broker", "archive", "mail")


class Command(BaseCommand):
    """For the moment before ``migrate``: needs no table of ours.

    Broker, archive and mail server may be away: the site takes applications all the same, so
    they are only spoken of, unless ``--strict``.
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
        told = prober.findings
        for service in SERVICES:
            found = [
                finding
                for probe in prober.probes
                if probe.name.startswith(service)
                for finding in prober.found.get(probe.name, [])
                if finding in told
            ]
            words = [f"{one.message} {one.action}".strip() for one in dict.fromkeys(found)]
            self.stdout.write(f"{service}: {' '.join(words) or _('well')}")
            refused |= service == NEEDED and any(one.level == "critical" for one in found)
        if refused:
            sys.exit(2)
        if options["strict"] and any(finding.level != "note" for finding in told):
            sys.exit(1)
