"""Threads that a test moves from one database statement to the next.

A test decides which thread moves, so that every order of statements can be tried and repeated. Each
actor is a thread with a connection of its own. It stops before each statement that touches a table
of interest, before each COMMIT, and wherever the test calls ``pause``.

A thread that waits for a lock waits here, too: PostgreSQL is asked which connection waits; on
SQLite, where one transaction writes at a time, the next writer starts after the first has ended.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connection

#: Tables at whose statements a thread stops: other threads act on what is written there.
TABLES = re.compile(
    r'"careers_(step|application|applicationfile|filebytes)"[ (.]|pg_advisory_xact_lock', re.ASCII
)
WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE)", re.ASCII)
#: Statements that belong to another one, and those that undo a transaction, are no stops.
NEVER = re.compile(r'\s*(SAVEPOINT|RELEASE|ROLLBACK|INSERT INTO "careers_stepevent")', re.ASCII)
#: Seconds after which a thread that neither stops nor waits for a lock counts as lost.
PATIENCE = 120


class Killed(BaseException):
    """The actor's process was killed; its open transaction is rolled back."""


class Actor(threading.Thread):
    """One simulated process.

    Attributes:
        point: where it stopped: the next statement, or the words of a ``pause``; "" when idle.
        result: what its last job returned.
        error: what its last job raised.
    """

    def __init__(self, turns: Turns, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.turns = turns
        self.point = ""
        self.moving = False
        self.dying = False
        #: Whether the next statement takes SQLite's one lock for writing.
        self.will_write = False
        self.result: Any = None
        self.error: BaseException | None = None
        self.pid = 0
        self._go = threading.Semaphore(0)
        self._job: Callable[[], Any] | None = None
        self._ending = False
        #: Tables that its transaction has written.
        self._written: set[str] = set()

    @property
    def busy(self) -> bool:
        return self._job is not None

    def run(self) -> None:
        try:
            self._open()
            self._done()
            while True:
                self._go.acquire()
                if self._ending:
                    break
                assert self._job is not None
                try:
                    with connection.execute_wrapper(self._statement):
                        self.result = self._job()
                except Killed:
                    pass
                except BaseException as error:  # handed to the test
                    self.error = error
                self._done()
        finally:
            connection.close()

    def _open(self) -> None:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SELECT set_config('lock_timeout', '0', false)")
                cursor.execute("SELECT set_config('statement_timeout', '0', false)")
                cursor.execute(
                    "SELECT set_config('idle_in_transaction_session_timeout', '0', false)"
                )
                self.pid = connection.connection.info.backend_pid
            else:
                # These tests do not cover what a disk keeps after a power failure.
                cursor.execute("PRAGMA synchronous=OFF")
        commit, rollback = connection._commit, connection._rollback

        def stopped_commit() -> None:
            try:
                self.pause("COMMIT")
            except Killed:
                # Django undoes a commit that the database refused, no other.
                rollback_and_let_go()
                raise
            commit()
            self.turns.changed |= self._written
            self._written.clear()
            self.turns.let_go(self)

        def rollback_and_let_go() -> None:
            rollback()
            self._written.clear()
            self.turns.let_go(self)

        connection._commit = stopped_commit  # type: ignore[method-assign]
        connection._rollback = rollback_and_let_go  # type: ignore[method-assign]

    def _statement(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        if NEVER.match(sql):
            return execute(sql, params, many, context)
        begins = sql.startswith("BEGIN")
        writes_alone = bool(WRITES.match(sql)) and not connection.in_atomic_block
        if begins or writes_alone or TABLES.search(sql):
            self.pause(_words(sql), will_write=begins or writes_alone)
        if begins:
            self.turns.holder = self
        if WRITES.match(sql):
            seen_at_once = not connection.in_atomic_block
            written = self.turns.changed if seen_at_once else self._written
            written.add(_words(sql).split()[-1])
        return execute(sql, params, many, context)

    def pause(self, point: str, *, will_write: bool = False) -> None:
        """Stop until the test continues; raises Killed when the test kills the actor."""
        if not self.dying and self.turns.stopping:
            self._stop_at(point, will_write)
            self._go.acquire()
        if self.dying:
            raise Killed

    def _stop_at(self, point: str, will_write: bool) -> None:
        with self.turns.condition:
            self.point, self.will_write, self.moving = point, will_write, False
            self.turns.condition.notify_all()

    def _done(self) -> None:
        with self.turns.condition:
            self._job = None
            self.dying = False
            self.point, self.will_write, self.moving = "", False, False
            self.turns.condition.notify_all()

    def begin(self, job: Callable[[], Any]) -> None:
        """Start a job; the actor stops at the first point."""
        assert not self.busy, f"{self.name} is busy at {self.point!r}"
        self._job, self.error, self.result = job, None, None
        self._release()

    def _release(self) -> None:
        self.moving = True
        self._go.release()


class Turns:
    """All actors; as a context manager it ends their threads."""

    def __init__(self, *names: str) -> None:
        self.condition = threading.Condition()
        #: The actor that has SQLite's lock for writing.
        self.holder: Actor | None = None
        #: Tables that were written, and committed, since the last check; a test may add
        #: words of its own.
        self.changed: set[str] = set()
        #: Whether points are stops: switched off, a job runs through.
        self.stopping = True
        self.actors = {name: Actor(self, name) for name in names}
        self._one_writer = connection.vendor == "sqlite"

    def __enter__(self) -> Turns:
        for actor in self.actors.values():
            actor.moving = True
            actor.start()
        self._all_stand()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.kill_all()
        for actor in self.actors.values():
            actor._ending = True
            actor._go.release()
            actor.join(PATIENCE)

    def __getitem__(self, name: str) -> Actor:
        return self.actors[name]

    def me(self) -> Actor:
        """The actor whose thread calls this."""
        actor = threading.current_thread()
        assert isinstance(actor, Actor)
        return actor

    def let_go(self, actor: Actor) -> None:
        if self.holder is actor:
            self.holder = None

    def begin(self, name: str, job: Callable[[], Any]) -> None:
        """Start a job up to its first point."""
        self[name].begin(job)
        self._all_stand()

    def step(self, name: str) -> bool:
        """Let an actor continue to its next point; False when it waits for a lock."""
        actor = self[name]
        if not actor.busy:
            return False
        if self._one_writer and actor.will_write and self.holder not in (None, actor):
            return False
        if not actor.moving:
            actor._release()
        self._all_stand()
        return not actor.moving

    def kill(self, name: str) -> None:
        """End an actor's job at its point, as ``kill -9`` would."""
        actor = self[name]
        if actor.busy:
            # An actor that waits for a lock is killed once the server has answered.
            actor.dying = True
            if not actor.moving:
                actor._release()
            self._all_stand()

    def kill_all(self) -> None:
        while any(actor.busy for actor in self.actors.values()):
            for name in self.actors:
                self.kill(name)

    def _all_stand(self) -> None:
        """Wait until each actor is at a point, is done, or waits for a lock."""
        until = time.monotonic() + PATIENCE
        with self.condition:
            while moving := [actor for actor in self.actors.values() if actor.moving]:
                if self.condition.wait(0.02):
                    continue
                if time.monotonic() > until:
                    raise TimeoutError(f"{moving[0].name} does not stop after {moving[0].point!r}")
                if all(_waits(actor) for actor in moving if actor.moving):
                    return


def _waits(actor: Actor) -> bool:
    """Whether the actor's statement waits for a lock of a stopped actor."""
    if connection.vendor != "postgresql" or not actor.pid:
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [actor.pid])
        return bool(cursor.fetchone()[0])


def _words(sql: str) -> str:
    """A statement in a few words: what it does to which table."""
    verb = sql.split(None, 1)[0]
    table = re.search(r'(?:FROM|UPDATE|INTO) "careers_(\w+)"', sql)
    return f"{verb} {table[1]}" if table else verb
