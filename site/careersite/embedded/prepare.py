"""Prepare database, static files, archive and demo content before the site starts.

``python -m careersite.embedded.prepare SERVICE…`` names the services that are not embedded. It
reports to the supervisor with one JSON object per line: ``{"note": …}`` about a service that does
not answer, ``{"checked": true}`` after all named services were probed, ``{"doing": …}`` before
something slow, ``{"refused": …}`` with a sentence for a person, ``{"logins": […]}`` at the end.
All other output goes to its log.
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

#: Seconds that an embedded service may take to start.
PATIENCE = 15


def check(services: set[str]) -> list[str]:
    """Probe the database and the services that the environment names, as the site does.

    Returns:
        A sentence for each service that does not answer but may recover. The site accepts
        applications meanwhile.

    Raises:
        Refused: a service refuses us, or the site can't run without it, or a newer version has
            changed the database.
    """
    from careers.operations.probes import all_probes, ask_once

    prober = ask_once([probe for probe in all_probes() if probe.name in services | {"database"}])
    notes = []
    for finding in prober.findings:
        if finding.level == "warning":
            notes.append(f"{finding.message} {finding.action}")
        elif finding.code == "database-newer":
            raise Refused(f"{finding.message} {finding.action}")
        elif finding.code != "archive-bucket":
            # The bucket is created later, if that is allowed.
            raise Refused(finding.message)
    return notes


def prepare(named: set[str], out: TextIO) -> None:
    """Bring database, static files, bucket and demo content up to date."""
    from django.core.management import call_command

    def tell(**what: object) -> None:
        print(json.dumps(what), file=out, flush=True)

    for note in check(named):
        tell(note=note)
    if "archive" in named:
        make_bucket()
    tell(checked=True)
    call_command("check")
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


def make_bucket() -> None:
    """Create the bucket unless it exists; ``check`` has reported an archive that is away."""
    from careers import archive
    from careers.applications.errors import EffectError, Transient

    try:
        archive.ensure_bucket()
    except Transient:
        return
    except EffectError as error:
        raise Refused(error.public) from None


def must_migrate() -> bool:
    """Whether the database lacks a migration (checking is much faster than ``migrate``)."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def collect_static(tell: Callable[..., None]) -> None:
    """Collect and compress static files if one of them has changed."""
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
    """Prepare for the supervisor; exit 2 with a sentence when that is impossible."""
    import django
    from django.core.management import CommandError

    out = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        try:
            django.setup()
            prepare(named, out)
        except (Refused, ImproperlyConfigured, CommandError) as error:
            print(json.dumps({"refused": str(error)}), file=out, flush=True)
            sys.exit(2)


if __name__ == "__main__":
    main(set(sys.argv[1:]))
