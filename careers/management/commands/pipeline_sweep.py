"""The sweeper's process."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from careers.operations.sweeper import Sweeper


class Command(BaseCommand):
    help = "Find steps that were not dispatched and workers that were lost; runs until stopped."
    # The workers check the same code when they start.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="sweep once, then exit")

    def handle(self, *args: Any, **options: Any) -> None:
        sweeper = Sweeper()
        if options["once"]:
            sweeper.once()
        else:
            sweeper.run()
