"""``manage.py data_map``: print the data map, or write it into a document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from careers.retention.record import markdown

#: What ``--write`` replaces stands between these lines.
BEGIN, END = "<!-- data map: begin -->", "<!-- data map: end -->"


class Command(BaseCommand):
    help = "Print as Markdown what the site stores about people, why, and for how long."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--write",
            type=Path,
            metavar="FILE",
            help=f"replace what stands between “{BEGIN}” and “{END}” in this file",
        )

    def handle(self, *_args: Any, write: Path | None, **_options: Any) -> None:
        with translation.override("en"):
            text = "\n".join(markdown())
        if write is None:
            self.stdout.write(text)
            return
        document = write.read_text()
        if BEGIN not in document or END not in document:
            raise CommandError(f"{write} has no lines “{BEGIN}” and “{END}”. Add them.")
        before, _begin, rest = document.partition(BEGIN)
        _old, _end, after = rest.partition(END)
        write.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")
