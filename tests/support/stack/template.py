"""What every site of the tests starts from: a seeded database and static files."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import functools
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.support import postgresql
from tests.support.postgresql import new_database

ROOT = Path(__file__).resolve().parents[3]
SEED = [ROOT / "careers" / "management" / name for name in ("commands/seed_demo.py", "demo_fr.po")]
#: The demo company, without operators to mail: tests break things all the time.
SEEDED = """
from django.contrib.auth import get_user_model
from django.core.management import call_command
call_command("seed_demo")
get_user_model().objects.update(email="")
"""
BUCKET = "careers"


class Template:
    """A seeded site that stacks start from: its database on either engine, its static files.

    Made once a test session, because migrating takes longer than most tests.

    Args:
        directory: for the database and the static files.
        code: the folder of the project whose code makes them.
    """

    def __init__(self, directory: Path, code: Path = ROOT) -> None:
        self.directory, self.code = directory, code
        self.secret_key = secrets.token_hex(25)

    def environ(self, database: str) -> dict[str, str]:
        return plain_environ(self.code) | {
            "VAR_DIR": str(self.directory),
            "SECRET_KEY": self.secret_key,
            "DATABASE_URL": database,
            "AWS_STORAGE_BUCKET_NAME": BUCKET,
            "SITE_URL": "http://127.0.0.1:8000",
            "ADMIN_PASSWORD": "admin-of-tests",
            "DEMO_PASSWORD": "hanna-of-tests",
        }

    @contextlib.contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """Lock out other processes that would make or copy this at the same time."""
        with (self.directory / f"{what}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @property
    def static(self) -> Path:
        """The collected static files."""
        with self.alone("static"):
            if not (self.directory / "static" / "staticfiles.json").exists():
                self._manage("sqlite:///:memory:", "collectstatic", "--noinput", "-v0")
        return self.directory / "static"

    def database(self, server: str = "") -> str:
        """The address of the seeded database.

        Args:
            server: of PostgreSQL; "" for SQLite.
        """
        mark = hashlib.sha256(server.encode())
        for made_of in (*sorted(self.code.glob("*/migrations/*.py")), *SEED):
            mark.update(made_of.read_bytes())
        # The file shows other processes that the database is finished.
        note = self.directory / f"database-{mark.hexdigest()[:16]}"
        foreign = self.code == ROOT and server and server != shared_postgresql()
        source = self.database(shared_postgresql()) if foreign else ""
        with self.alone("postgresql" if server else "sqlite"):
            if not note.exists():
                note.write_text(self._make(server, source))
        return note.read_text()

    def _make(self, server: str, source: str) -> str:
        """Make the database, by copying ``source`` if there is one; returns its address."""
        path = self.directory / "db.sqlite3"
        known = _migrated(server) if self.code == ROOT and not source else ""
        url = new_database(server, template=known) if server else f"sqlite:///{path}"
        if source:
            postgresql.copy(source, url)
            return url
        if known:
            if not server:
                shutil.copyfile(known, path)
        else:
            if not server:
                path.unlink(missing_ok=True)
            self._manage(url, "migrate", "--noinput", "-v0")
        self._manage(url, "shell", "-v0", "-c", SEEDED)
        return url

    def _manage(self, database: str, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.code,
            env=self.environ(database),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@functools.cache
def shared_template() -> Template:
    """The template in ``TEST_TEMPLATE_DIR``, or else one of this process.

    ``bin/test`` names a directory for all processes of a run. Keeping one for later runs saves a
    minute each; delete it after changing static files.
    """
    if given := os.environ.get("TEST_TEMPLATE_DIR"):
        Path(given).mkdir(parents=True, exist_ok=True)
        return Template(Path(given))
    directory = Path(tempfile.mkdtemp(prefix="careers-template-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return Template(directory)


@functools.cache
def shared_postgresql() -> str:
    """The address of this test run's PostgreSQL server."""
    context = postgresql.server()
    atexit.register(context.__exit__, None, None, None)
    return context.__enter__()


def _migrated(server: str) -> str:
    """The migrated database that the tests keep for each other, or "": a file, or on a server."""
    from django.db import connection

    from tests.support import migrated

    if server:
        return migrated.on_server(server)
    if connection.vendor == "sqlite" and migrated.template().exists():
        return str(migrated.template())
    return ""


def path_of(code: Path) -> str:
    """``PYTHONPATH`` with which a folder's code is found before the installed one."""
    return os.pathsep.join(map(str, dict.fromkeys([code, code / "site", ROOT])))


def plain_environ(code: Path = ROOT) -> dict[str, str]:
    """The variables that a program of ``code`` needs, without the person's own settings."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {
        "PATH": path,
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": path_of(code),
        "DJANGO_SETTINGS_MODULE": "careersite.settings.local",
    }
