"""``bin/prove``: many applications while everything breaks, and an independent count afterwards.

    bin/prove --seed 1 --applications 2000        # on both databases, prints a table
    bin/prove --seed 1 --applications 2000 --plan # what it would do

A seed fixes the plan (which fault happens when which application is posted, and how) and every
byte that is sent. It does not fix how threads and processes are scheduled: the same seed finds
the same faults at other instructions.

Exits 0 when nothing was lost, doubled, altered, stuck or shown wrongly; 1 when something was;
2 when the campaign could not be run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from prove import forms, injection
from prove.campaign import run_campaign
from prove.report import Report, complaints, table, write_docs
from tests.support.servers import clamd
from tests.support.stack import ROOT, shared_postgresql, shared_template

DATABASES = ("sqlite", "postgresql")


def plan_lines(seed: int, applications: int, faults: int, database: str) -> Iterator[str]:
    """What a campaign will do."""
    yield f"seed {seed}, {applications} applications, {faults} faults on {database}"
    scanner = clamd() is not None
    for fault in injection.faults(seed, faults, applications, database=database, scanner=scanner):
        yield fault.as_plan()
    for form in forms.forms(seed, applications):
        yield form.as_plan()


def _prepare(databases: Sequence[str]) -> None:
    """Make the templates before the threads start: two threads must not make them at once."""
    template = shared_template()
    for database in databases:
        template.database(shared_postgresql() if database == "postgresql" else "")
    assert template.static


def _side_by_side(databases: Sequence[str], run: Callable[[str], Report]) -> list[Report]:
    """A campaign on each database at the same time; returns those that could be run.

    Each has a thread that lives until the end, because a process ends with the thread that started
    it.
    """
    done: dict[str, Report] = {}

    def campaign(database: str) -> None:
        try:
            done[database] = run(database)
        except Exception as error:
            message = f"{database}: the campaign could not be run: {type(error).__name__}: {error}"
            print(message, file=sys.stderr)
            if os.environ.get("DEBUG"):
                raise
        else:
            # Print each outcome at once, in case the other campaign cannot be run.
            report = done[database]
            print("\n".join([*table([report]), "", *complaints(report)]), flush=True)

    threads = [threading.Thread(target=campaign, args=[name], daemon=True) for name in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [done[name] for name in databases if name in done]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/prove", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--applications", type=int, default=200)
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    parser.add_argument("--faults", type=int, help="one for each six applications by default")
    parser.add_argument("--plan", action="store_true", help="only say what would be done")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcome there, too")
    parser.add_argument(
        "--write-docs", action="store_true", help="put the outcome into docs/reliability.md, too"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep ledgers, logs and objects")
    options = parser.parse_args(arguments)
    faults = options.applications // 6 if options.faults is None else options.faults
    databases = DATABASES if options.database == "both" else (options.database,)
    if options.plan:
        with contextlib.suppress(BrokenPipeError):
            for database in databases:
                for line in plan_lines(options.seed, options.applications, faults, database):
                    print(line)
        return 0
    directory = options.keep or Path(tempfile.mkdtemp(prefix="careers-prove-"))
    try:
        _prepare(databases)
        reports = _side_by_side(
            databases,
            lambda database: run_campaign(
                seed=options.seed,
                applications=options.applications,
                faults=faults,
                database=database,
                directory=directory / database,
                say=lambda line: print(line, file=sys.stderr, flush=True),
            ),
        )
    except KeyboardInterrupt:
        return 2
    except Exception as error:
        print(f"No campaign could be begun: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    finally:
        if not options.keep:
            shutil.rmtree(directory, ignore_errors=True)
    if len(reports) < len(databases):
        return 2
    print("\n".join(table(reports)))
    for report in reports:
        print("\n".join(complaints(report)), file=sys.stderr)
    if options.json:
        options.json.write_text(json.dumps([r.as_json() for r in reports], indent=2, default=str))
    if options.write_docs:
        write_docs(reports, ROOT)
    return 0 if all(report.ok for report in reports) else 1


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careersite.settings.test")
    django.setup()
    sys.exit(main(sys.argv[1:]))
