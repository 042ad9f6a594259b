"""Faults of SQLite and PostgreSQL: locked, restarted, killed, frozen."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
from typing import Any

from prove.injection.kinds import (
    DATABASE,
    Fault,
    Site,
    kind,
    until,
)


@kind("sqlite: another process holds the write lock", "database", DATABASE, "sqlite")
def _sqlite_locked(site: Site, fault: Fault) -> Any:
    path = site.stack.var / "db.sqlite3"
    with contextlib.closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield fault.seconds
        other.execute("ROLLBACK")
    return True


@kind("sqlite: locked for longer than any request waits", "database", DATABASE, "sqlite")
def _sqlite_locked_long(site: Site, fault: Fault) -> Any:
    path = site.stack.var / "db.sqlite3"
    with contextlib.closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield 22
        other.execute("ROLLBACK")
    return True


@kind(
    "sqlite: a long read keeps the log from shrinking",
    "database",
    needs="sqlite",
    gentle=True,
)
def _sqlite_read(site: Site, fault: Fault) -> Any:
    path = site.stack.var / "db.sqlite3"
    with contextlib.closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM careers_step").fetchall()
        yield 3 * fault.seconds
        other.execute("ROLLBACK")
    return True


def _postgres(site: Site) -> Any:
    import psycopg

    return psycopg.connect(site.stack.database, autocommit=True, connect_timeout=5)


@kind("postgresql: all sessions terminated", "database", DATABASE, "postgresql")
def _postgres_terminated(site: Site, fault: Fault) -> Any:
    for _time in range(fault.times):
        with _postgres(site) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        yield 1
    return True


def _postgres_lock(table: str) -> None:
    @kind(f"postgresql: {table} locked", "database", DATABASE, "postgresql")
    def locked(site: Site, fault: Fault) -> Any:
        with _postgres(site) as connection, connection.transaction():
            connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
            yield fault.seconds
        return True


for _table in ("careers_step", "careers_application", "careers_stepevent"):
    _postgres_lock(_table)


@kind("postgresql: immediate restart", "database", DATABASE, "server")
def _postgres_restarts(site: Site, fault: Fault) -> Any:
    assert site.postgres is not None
    process = site.postgres.process
    process.signal(signal.SIGQUIT)
    yield from until(lambda: not process.running)
    process.kill()
    process.start()
    return (yield from until(site.postgres.answers))


@kind("postgresql: kill -9", "database", DATABASE, "server")
def _postgres_dies(site: Site, fault: Fault) -> Any:
    assert site.postgres is not None
    site.postgres.process.kill()
    yield fault.seconds / 2
    site.postgres.process.start()
    return (yield from until(site.postgres.answers))


@kind("postgresql: frozen", "database", DATABASE, "server")
def _postgres_frozen(site: Site, fault: Fault) -> Any:
    assert site.postgres is not None
    pids = [site.postgres.process.pid, *site.postgres.process.children()]
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    yield fault.seconds
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    return True
