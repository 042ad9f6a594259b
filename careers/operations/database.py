"""What the database's errors mean, and whether its migrations match this code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import CommandError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from careers.applications.sentences import sentence as _
from careers.operations.models import Finding, Severity

#: Apps whose migrations are never squashed away: one that the code doesn't know is newer.
OURS = ("careers", "home")


def newer_migrations() -> list[str]:
    """Migrations that the database has and this code doesn't know, as ``app.name``.

    Those of other packages count only when their number is above all known ones: packages
    squash old migrations away, and the database still lists them.
    """
    applied = MigrationRecorder(connection).applied_migrations()
    newer = []
    for config in apps.get_app_configs():
        files = Path(config.path, "migrations").glob("[0-9]*.py")
        known = {path.stem for path in files}
        latest = max(map(_number, known), default=0)
        newer += [
            f"{label}.{name}"
            for label, name in applied
            if label == config.label
            and name not in known
            and (label in OURS or _number(name) > latest)
        ]
    return sorted(newer)


def missing_migrations() -> list[str]:
    """Migrations of ours that the database does not have yet, as ``app.name``."""
    applied = MigrationRecorder(connection).applied_migrations()
    return sorted(
        f"{label}.{path.stem}"
        for label in OURS
        for path in Path(apps.get_app_config(label).path, "migrations").glob("[0-9]*.py")
        if (label, path.stem) not in applied
    )


def refuse_newer(**_signal: Any) -> None:
    """Stop ``migrate``: it would find nothing to do, and old code would start on new tables.

    Raises:
        CommandError: the database was made by a newer version.
    """
    if newer := newer_migrations():
        found = newer_finding(newer)
        raise CommandError(f"{found.message} {found.action}", returncode=2)


def newer_finding(migrations: list[str]) -> Finding:
    """The finding for what ``newer_migrations`` returned."""
    facts = {"migration": migrations[0]}
    return Finding(code="database-newer", severity=Severity.CRITICAL, facts=facts)


def _number(migration: str) -> int:
    found = re.match(r"\d+", migration)
    return int(found[0]) if found else 0


def cause(error: Exception) -> tuple[str, str]:
    """What a failure to use the database means.

    libpq gives no code for a refused connection, only a text.

    Returns:
        The code of the finding, and a sentence with the cause and what to do.
    """
    words = str(error).lower()
    if "password" in words or "authentication failed" in words or 'role "' in words:
        return "database-login", _(
            "The database refused the user or the password. Correct them in DATABASE_URL."
        )
    if "pg_hba.conf" in words:
        return "database-login", _(
            "The database does not let this machine in (pg_hba.conf). Allow it there, or correct "
            "user, database and sslmode in DATABASE_URL."
        )
    if "certificate" in words:
        return "database-tls", _(
            "The database's certificate was refused. Renew it, or name the authority that signed "
            "it: DATABASE_URL=…?sslmode=verify-full&sslrootcert=FILE."
        )
    if "ssl" in words or "tls" in words:
        return "database-tls", _(
            "The database does not encrypt as DATABASE_URL asks. Turn TLS on in the server, or "
            "correct sslmode in DATABASE_URL."
        )
    if 'database "' in words and "does not exist" in words:
        return "database-missing", _(
            "There is no such database on the server. Create it, or correct its name in "
            "DATABASE_URL."
        )
    if any(part in words for part in ("resolve", "translate host", "name or service")):
        return "database-unreachable", _(
            "The database's host was not found. Check the name in DATABASE_URL."
        )
    if "refused" in words:
        return "database-unreachable", _(
            "Nothing listens where the database should be. Start it, or correct host and port in "
            "DATABASE_URL."
        )
    if "timeout" in words or "timed out" in words:
        return "database-unreachable", _(
            "The database did not answer in time. Check that its host is up, and host and port in "
            "DATABASE_URL."
        )
    if "unable to open database file" in words or "readonly database" in words:
        return "database-unreachable", _(
            "The database's file can't be opened for writing. Check the path in DATABASE_URL and "
            "who may write there."
        )
    return "database-unreachable", _(
        "The database can't be used (%(error)s). Check DATABASE_URL and the server's log."
    ) % {"error": type(error).__name__}
