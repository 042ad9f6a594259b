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
from collections.abc import Sequence

from django.db import connection

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

        If too many wait, these are left to the sweeper.
        """
        if not messages:
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
                self._thread.start()
        try:
            self._waiting.put_nowait(messages)
        except queue.Full:
            log.warning("%d steps are left to the sweeper: the broker is slow", len(messages))

    def end(self) -> None:
        """Publish what waits, but wait no longer than ``LAST_SECONDS``."""
        thread = self._thread
        if thread is None:
            return
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            return
        thread.join(LAST_SECONDS)

    def _run(self) -> None:
        while (messages := self._waiting.get()) is not None:
            try:
                dispatch.publish(messages)
            except Exception as error:  # the sweeper dispatches them
                log.warning("steps were not dispatched: %s", type(error).__name__)
            finally:
                # Only a step that is queued again needs the database.
                connection.close()


PUBLISHER = Publisher()
atexit.register(lambda: PUBLISHER.end())


def _begin_anew() -> None:
    """Leave thread and messages to the process that this one was forked from."""
    global PUBLISHER
    PUBLISHER = Publisher()


os.register_at_fork(after_in_child=_begin_anew)
