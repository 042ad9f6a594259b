"""Everything that must be true before the site starts.

Run by the supervisor in a process of its own, from which it hears one JSON object a line:
``{"checked": true}`` once the services that the environment names have answered, ``{"doing": …}``
before what takes long, ``{"refused": …}`` with a sentence for a person, ``{"logins": […]}`` when
all is done. What it does otherwise say goes to its log.
"""

import contextlib
import hashlib
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from typing import TextIO

from django.core.exceptions import ImproperlyConfigured

from careersite.embedded.environment import Refused, port_of

#: Seconds that an embedded service may take until it listens.
PATIENCE = 15


def check(services: set[str]) -> None:
    """Ask the database and those services that the environment names, as the site will do.

    Raises:
        Refused: one doesn't answer, or not to us, or the database is a newer version's.
    """
    from careers.pipeline.probes import all_probes, ask_once

    # The archive may lack its bucket, which is made later.
    wanted = (services - {"archive"}) | {"database"}
    prober = ask_once([probe for probe in all_probes() if probe.name in wanted])
    for finding in prober.findings:
        if finding.code == "database-newer":
            raise Refused(f"{finding.message} {finding.action}")
        if finding.code != "clock":
            raise Refused(finding.message)


def prepare(named: set[str], out: TextIO) -> None:
    """Make database, static files, bucket and demo content what the code expects."""
    from django.core.management import call_command

    def tell(**what: object) -> None:
        print(json.dumps(what), file=out, flush=True)

    check(named)
    if "archive" in named:
        call_command("prepare_archive")
    tell(checked=True)
    if must_migrate():
        tell(doing="Preparing the database")
        call_command("migrate", interactive=False)
    collect_static(tell)
    if "archive" not in named:
        _wait_for_archive()
        call_command("prepare_archive")
    call_command("seed_demo")
    from django.contrib.auth import get_user_model

    there = get_user_model().objects.filter(username__in=["admin", "hanna"], is_active=True)
    tell(logins=sorted(there.values_list("username", flat=True)))


def must_migrate() -> bool:
    """Whether the database lacks a migration (asking is much cheaper than ``migrate``)."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def collect_static(tell: Callable[..., None]) -> None:
    """Collect and compress static files when one of them changed since the last time."""
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            state = os.stat(storage.path(path))
            digest.update(f"{path} {state.st_size} {state.st_mtime_ns}\n".encode())
    stamp = settings.VAR_DIR / "static.stamp"
    if stamp.exists() and stamp.read_text() == digest.hexdigest() and settings.STATIC_ROOT.exists():
        return
    tell(doing="Collecting static files")
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(digest.hexdigest())


def _wait_for_archive() -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port_of("AWS_S3_ENDPOINT_URL")), 1).close()
            return
        time.sleep(0.05)


def main(named: set[str]) -> None:
    """Prepare for the supervisor; exit 2 with a sentence when it can't be done."""
    from django.core.management import CommandError

    out = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        try:
            prepare(named, out)
        except (Refused, ImproperlyConfigured, CommandError) as error:
            print(json.dumps({"refused": str(error)}), file=out, flush=True)
            sys.exit(2)
