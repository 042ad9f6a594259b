"""Publish messages after the applicant has their answer, in a thread of its own.

A broker that hangs holds up this thread, and neither the answer nor the next request. The rows are
committed and marked as sent before. If the process dies with messages in the queue, no worker
answers, and the sweeper dispatches their steps.
"""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from django.db import DatabaseError, connection

from careers.pipeline import dispatch
from careers.pipeline.dispatch import Message

log = logging.getLogger(__name__)

#: Applications whose messages wait. A web process handles 13 forms at once.
PLACES = 100
#: Seconds that a process which ends waits for the last messages.
LAST_SECONDS = 2


class Publisher:
    """Publishes what it is given, in the order in which it came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: queue.Queue[Sequence[Message] | None] = queue.Queue(PLACES)
        self._thread: threading.Thread | None = None

    def put(self, messages: Sequence[Message]) -> None:
        """Publish messages soon; it returns at once.

        If too many wait, or if no thread starts, the steps are queued again for the sweeper.
        """
        if not messages:
            return
        try:
            self._start()
            self._waiting.put_nowait(messages)
        except queue.Full:
            log.warning("%d steps are left to the sweeper: the broker is slow", len(messages))
            _take_back(messages)
        except RuntimeError:
            log.warning("%d steps are left to the sweeper: no thread starts", len(messages))
            _take_back(messages)

    def _start(self) -> None:
        """Start the thread, unless it runs.

        Raises:
            RuntimeError: the process can have no more threads.
        """
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                thread = threading.Thread(target=self._run, name="publisher", daemon=True)
                thread.start()
                self._thread = thread

    def end(self) -> None:
        """Publish what waits, but wait no longer than ``LAST_SECONDS``."""
        thread = self._thread
        if thread is None or not thread.is_alive():
            return
        until = time.monotonic() + LAST_SECONDS
        try:
            self._waiting.put(None, timeout=LAST_SECONDS)
        except queue.Full:
            return
        thread.join(max(0, until - time.monotonic()))

    def _run(self) -> None:
        while (messages := self._waiting.get()) is not None:
            try:
                dispatch.publish(messages)
            except Exception as error:  # the sweeper dispatches them
                log.warning("steps were not dispatched: %s", type(error).__name__)
            finally:
                # Only a step that is queued again needs the database. No error ends the thread.
                with suppress(Exception):
                    connection.close()


def _take_back(messages: Sequence[Message]) -> None:
    try:
        dispatch.take_back(messages)
    except DatabaseError as error:  # no worker answers, so the sweeper dispatches them later
        log.warning("steps stay as they are: %s", type(error).__name__)


PUBLISHER = Publisher()
atexit.register(lambda: PUBLISHER.end())


def _begin_anew() -> None:
    """Leave thread and messages to the process that this one was forked from."""
    global PUBLISHER
    PUBLISHER = Publisher()


os.register_at_fork(after_in_child=_begin_anew)
