"""``manage.py pipeline_status``: the state of the site for a shell or a monitor."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError

from careers.operations import health
from careers.pipeline import broker


class Command(BaseCommand):
    help = "Exit 0 when all is well, 1 when something needs a person, 2 when it can't be read."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = health.check(broker.broker_error())
        except DatabaseError as error:
            self.stderr.write(f"The database can't be read: {type(error).__name__}.")
            sys.exit(2)
        if options["json"]:
            self.stdout.write(json.dumps(found.as_json(), indent=2))
        else:
            self.stdout.write(found.sentence)
            for finding in found.findings:
                self.stdout.write(f"- {finding.message} {finding.action}")
            for kind, states in found.steps.items():
                counts = ", ".join(f"{state} {count}" for state, count in sorted(states.items()))
                self.stdout.write(f"{kind}: {counts or 'none'}")
        sys.exit(0 if found.ok else 1)
