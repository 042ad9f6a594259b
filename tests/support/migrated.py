"""A migrated SQLite database to start from: migrating takes longer than most test runs.

The copy is found by the content of all migrations, so a changed one makes a new copy.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import time
from pathlib import Path

from django.apps import apps
from django.db import connection

#: Seconds that a copy for other migrations is kept.
KEPT = 24 * 3600


def database() -> Path:
    """The file of this run's test database."""
    return Path(connection.settings_dict["TEST"]["NAME"])


def template() -> Path:
    """Where the migrated copy for the present migrations is, or would be."""
    mark = hashlib.sha256()
    for app in apps.get_app_configs():
        for path in sorted(Path(app.path, "migrations").glob("*.py")):
            mark.update(f"{app.label} {path.name}".encode())
            mark.update(path.read_bytes())
    return database().parent / f"migrated-{mark.hexdigest()[:16]}.sqlite3"


def start_from_template() -> bool:
    """Put the copy where the test database belongs; False when there is none yet."""
    if connection.vendor != "sqlite" or not template().exists():
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
