"""A migrated database to start from: migrating takes longer than most test runs.

``python -m tests.support.migrated`` makes it on the database that ``DATABASE_URL`` names;
``bin/test`` does so for SQLite and PostgreSQL. On SQLite it is a file, on PostgreSQL a database of
the server. Its name contains a hash of all migrations, so a changed one makes a new database.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import sqlite3
import time
from pathlib import Path

import django
from django.apps import apps
from django.db import connection

from tests.support.postgresql import drop_database, new_database

#: Seconds that a copy for other migrations is kept.
KEPT = 24 * 3600


def database() -> Path:
    """The file of this run's test database."""
    return Path(connection.settings_dict["TEST"]["NAME"])


def template() -> Path:
    """Where the migrated copy for the present migrations is, or would be."""
    return database().parent / f"migrated-{mark()}.sqlite3"


@functools.cache
def mark() -> str:
    """A hash of the migrations at the start of this process; they may change while it runs."""
    found = hashlib.sha256()
    for app in apps.get_app_configs():
        for path in sorted(Path(app.path, "migrations").glob("*.py")):
            found.update(f"{app.label} {path.name}".encode())
            found.update(path.read_bytes())
    return found.hexdigest()[:16]


def on_server(server: str) -> str:
    """The name of the migrated database on a PostgreSQL server; "" if there is none."""
    import psycopg

    name = f"migrated_{mark()}"
    with psycopg.connect(server) as asking:
        found = asking.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
    return name if found else ""


def start_from_template() -> bool:
    """Start the test database from the migrated one, if that exists.

    Returns:
        Whether the database exists already, as a file.
    """
    if connection.vendor == "postgresql":
        connection.settings_dict["TEST"]["TEMPLATE"] = on_server(os.environ["DATABASE_URL"]) or None
        return False
    if not template().exists():
        return False
    shutil.copyfile(template(), database())
    return True


def save_as_template() -> None:
    """Keep a copy of the freshly migrated database for the next run."""
    if connection.vendor != "sqlite" or template().exists():
        return
    # Another working copy may use another one at the same time.
    for old in template().parent.glob("migrated-*.sqlite3"):
        if time.time() - old.stat().st_mtime > KEPT:
            old.unlink(missing_ok=True)
    # Under a name of its own first: several runs may start at once.
    unfinished = template().with_suffix(f".{os.getpid()}")
    connection.ensure_connection()
    with sqlite3.connect(unfinished) as copy:
        connection.connection.backup(copy)
    copy.close()
    unfinished.rename(template())


def remove_database() -> None:
    connection.close()
    for suffix in ("", "-wal", "-shm", "-pulse"):
        Path(f"{database()}{suffix}").unlink(missing_ok=True)


def make() -> None:
    """Migrate a new database and keep it, unless that has been done."""
    import psycopg
    from django.core.management import call_command

    if connection.vendor == "sqlite":
        if not template().exists():
            connection.settings_dict["NAME"] = str(database())
            call_command("migrate", verbosity=0)
            save_as_template()
            remove_database()
        return
    server = os.environ["DATABASE_URL"]
    if on_server(server):
        return
    made = new_database(server)
    connection.settings_dict["NAME"] = made.rpartition("/")[2]
    call_command("migrate", verbosity=0)
    connection.close()
    with psycopg.connect(server, autocommit=True) as renaming:
        try:
            renaming.execute(
                f'ALTER DATABASE "{made.rpartition("/")[2]}" RENAME TO "migrated_{mark()}"'
            )
        except psycopg.errors.DuplicateDatabase:
            # Another run has made it meanwhile.
            drop_database(server, made)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careersite.settings.test")
    django.setup()
    make()
