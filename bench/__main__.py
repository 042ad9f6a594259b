"""``bin/bench``: measure, print a table."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench import rows as result
from bench.rows import Figure, Row
from bench.targets import GROUPS, TARGETS

if TYPE_CHECKING:
    from bench.sites import Bench

DOCUMENT = Path(__file__).parent.parent / "docs" / "performance.md"
#: What ``--markdown`` writes stands between these lines.
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
#: Groups that take minutes even for an impression; those that run only when they are named.
NOT_QUICK = ("start", "lighthouse", "backoffice", "applications")
ON_REQUEST = ("applications",)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="NAME", help=f"of {', '.join(GROUPS)}")
    parser.add_argument("--quick", action="store_true", help="only prove that it works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there, too")
    parser.add_argument(
        "--markdown", action="store_true", help="write the tables into docs/performance.md, too"
    )
    options = parser.parse_args(arguments)
    if unknown := set(options.groups) - set(GROUPS):
        parser.error(f"no such group: {', '.join(sorted(unknown))}")
    try:
        rows, figures = take(options.groups or default(options.quick), quick=options.quick)
    except KeyboardInterrupt:
        return 2
    print("\n".join(["", *result.table(rows), "", *result.figures_as_text(figures)]))
    if options.json:
        options.json.write_text(json.dumps(result.as_json(rows, figures), indent=2) + "\n")
    if options.markdown:
        write_tables(DOCUMENT, rows, figures)
    if all(row.measured is None for row in rows):
        return 2
    return 0 if all(row.met for row in rows) else 1


def default(quick: bool) -> list[str]:
    """The groups of a run that names none; a quick one has a row for every target."""
    return [group for group in GROUPS if quick or group not in ON_REQUEST]


def take(groups: Sequence[str], *, quick: bool) -> tuple[list[Row], list[Figure]]:
    """Take the measurements of some groups.

    Returns:
        A row for each of their targets in the order of ``TARGETS``, and the numbers beside.
    """
    from bench.sites import Bench

    found: dict[str, Row] = {}
    figures: list[Figure] = []
    with Bench(quick) as bench:
        for group in groups:
            for one in measured(group, bench):
                if isinstance(one, Figure):
                    figures.append(one)
                else:
                    found[one.name] = one
                    print("  ".join(one.cells), file=sys.stderr, flush=True)
    return [found[target.name] for target in TARGETS if target.group in groups], figures


def measured(group: str, bench: Bench) -> Iterator[Row | Figure]:
    """A row for each target of a group; what fails is not measured, and the row says why."""
    targets = {target.name: target for target in TARGETS if target.group == group}
    why = "the group measured nothing"
    if bench.quick and group in NOT_QUICK:
        why = "it takes minutes"
    else:
        try:
            for one in importlib.import_module(f"bench.{group}").measure(bench):
                yield one if isinstance(one, Figure) else targets.pop(one[0]).row(one[1])
        except Exception as error:  # the other groups are still worth measuring
            why = f"{type(error).__name__}: {error}".splitlines()[0]
            if os.environ.get("DEBUG"):
                traceback.print_exc()
    for target in targets.values():
        yield target.unmeasured(why)


def write_tables(document: Path, rows: Sequence[Row], figures: Sequence[Figure]) -> None:
    """Put the tables between the two marks of a document."""
    before, _begin, rest = document.read_text().partition(BEGIN)
    _old, _end, after = rest.partition(END)
    tables = [*result.markdown(rows), "", *result.figures_as_markdown(figures)]
    document.write_text("\n".join([before + BEGIN, *tables, END + after]))


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careersite.settings.test")
    django.setup()
    # So that what was started also stops when a supervisor stops this.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
