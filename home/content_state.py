"""What this process knows of the content: its version, and when pages change by themselves.

A page changes without any write to the database when a job opens or closes, and at midnight, when
a job "closes in 3 days" closes in 2. An app names such moments with the hook
``next_content_moment``: a function that takes the present and returns the next moment or None.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from django.db import Error, ProgrammingError, connection
from django.utils import timezone
from wagtail import hooks
from wagtail.models import Site

from home import content_version
from home.values.zone import UTC, next_midnight

log = logging.getLogger(__name__)

#: Seconds for which a state is current. Within this time all processes learn of a change.
INTERVAL = 0.5
#: Seconds to wait for the database before it counts as down: as long as a connection to PostgreSQL
#: may take. On a busy machine an answer takes some seconds, and an old page must not be sent then.
PATIENCE = 5.0
#: Seconds without a request after which the connection is closed.
IDLE = 60.0


@dataclass(frozen=True, slots=True)
class State:
    """The content as the database had it at one moment.

    Attributes:
        version: see ``home.content_version``.
        until: when a page may next change by itself, in seconds since 1970.
        read_at: when the database was asked, in seconds of ``time.monotonic``.
    """

    version: str
    until: float
    read_at: float


def read(known: State | None = None) -> State:
    """Ask the database for the state.

    Args:
        known: an earlier state. While it holds, this costs one query.

    Raises:
        Error: the database does not answer.
    """
    read_at = time.monotonic()
    version = content_version.current()
    if known and known.version == version and time.time() < known.until:
        return replace(known, read_at=read_at)
    # Wagtail keeps the addresses of the sites in the memory of each process.
    Site.clear_site_root_paths_cache()
    return State(version, next_moment().timestamp(), read_at)


def next_moment() -> dt.datetime:
    """When a page may next change by itself; the next midnight in UTC at the latest."""
    now = timezone.now()
    found = [ask(now) for ask in hooks.get_hooks("next_content_moment")]
    # The field for a date in a form knows today's.
    return min([moment for moment in found if moment], default=next_midnight(now, UTC))


class Watcher:
    """Keeps the state current while somebody asks for it.

    A thread of its own reads it: a database that hangs holds up no request for long, and each
    process needs one more connection only. Without requests nothing is read.

    Args:
        read: returns the state, given the known one.
    """

    def __init__(self, read: Callable[[State | None], State] = read) -> None:
        self._read = read
        self._state: State | None = None
        #: When the database was asked for ``_state``, also if it has none.
        self._read_at = -1.0
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._wanted = self._is_down = self._closed = False
        #: States that were read earlier than this are known to be outdated.
        self._outdated = -1.0
        content_version.committed.append(self.outdate)

    def state(self, since: float | None = None) -> State | None:
        """The state, or the last known one while the database is down.

        Args:
            since: the state must have been read at or after this moment of ``time.monotonic``;
                by default within the last half second. Compare ``read_at`` to learn whether it was.

        Returns:
            None before the first answer of the database, and while it lacks a migration.
        """
        now = time.monotonic()
        since = max(now - INTERVAL if since is None else since, self._outdated)
        if self._read_at >= since:
            return self._state
        with self._condition:
            self._wanted = True
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="content", daemon=True)
                self._thread.start()
            self._condition.notify_all()
            while self._read_at < since and not self._is_down:
                if not self._condition.wait(now + PATIENCE - time.monotonic()):
                    self._is_down = True
                    self._condition.notify_all()
            # This process has changed the content, so the last known state is surely old.
            return None if self._outdated > self._read_at else self._state

    def outdate(self) -> None:
        """Read the state again before it is used: this process has just changed the content."""
        self._outdated = time.monotonic()

    def close(self) -> None:
        """End the thread and its connection."""
        content_version.committed.remove(self.outdate)
        with self._condition:
            self._closed = True
            self._condition.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while True:
            with self._condition:
                while not (self._wanted or self._closed):
                    if not self._condition.wait(IDLE):
                        connection.close()
                if self._closed:
                    break
                self._wanted = False
            self._ask()
            if self._is_down:
                time.sleep(INTERVAL)
        connection.close()

    def _ask(self) -> None:
        """Read the state once; a connection that the server has closed meanwhile is replaced."""
        began = time.monotonic()
        try:
            try:
                state: State | None = self._read(self._state)
            except Error:
                connection.close()
                state = self._read(self._state)
            is_down = False
        except ProgrammingError:
            # The table is missing until the migrations have run.
            state, is_down = None, False
        except Error as error:
            connection.close()
            state, is_down = self._state, True
            if not self._is_down:
                log.warning("the database does not answer: %s", type(error).__name__)
        except Exception:
            # A hook failed, so nobody knows until when pages are right.
            log.exception("no page is kept")
            state, is_down = None, False
        with self._condition:
            self._state, self._is_down = state, is_down
            if not is_down:
                self._read_at = began
            self._condition.notify_all()
