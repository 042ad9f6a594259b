"""A whole site under the highest load that it sustains, for any length of time.

bin/prove soak [--minutes 60] [--database sqlite|postgresql] [--json FILE]
bin/prove soak --documents 10000 [--children 1] [--life 200] [--json FILE]

The first posts applications over HTTP, faster while the queue is short and slower when it is long.
Afterwards every queue must be empty, every step done, every mail sent once, and nothing may have
grown. The second renders so many different documents in processes like those of a worker's pool,
each replaced after ``--life`` documents; with 0 never, to find a leak. Both print what they
measured. Exit 1 when something is wrong, 2 on wrong arguments.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import django
from django.conf import settings

from prove.soak.documents import documents
from prove.soak.run import soak
from prove.soak.summary import machine, summary


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--documents", type=int, metavar="N")
    parser.add_argument("--children", type=int, default=1)
    parser.add_argument("--life", type=int, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args(arguments)
    # The stack starts from the database that unit tests keep.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careersite.settings.test")
    django.setup()
    # Told to stop, it stops what it started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    outcome = (
        documents(
            given.documents,
            children=given.children,
            life=settings.CELERY_WORKER_MAX_TASKS_PER_CHILD if given.life is None else given.life,
        )
        if given.documents
        else soak(given.database, given.minutes * 60)
    )
    print("\n".join(summary(outcome)), flush=True)
    if given.json:
        given.json.write_text(json.dumps(asdict(outcome) | {"machine": machine()}, indent=1))
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
