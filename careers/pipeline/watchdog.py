"""End a worker that no longer takes messages, so that its supervisor starts it again.

A Celery worker can stay alive and take nothing: its event loop hangs, or it has lost its consumer
while it reconnected to the broker. It still has a heartbeat, so nothing else would notice.

The watchdog is a thread of the worker's main process, because the event loop may be what hangs. It
acts only when all of these hold for ``PATIENCE`` seconds: messages wait in a queue of this worker,
the worker has received none, and it runs no task, or only tasks that should have ended long ago.
A broker that does not answer counts as one without waiting messages, so a worker that the broker
refuses continues to try.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from billiard import active_children
from celery.bootsteps import RUN  # type: ignore[attr-defined]
from celery.signals import task_received, worker_ready
from celery.worker import state

from careers.pipeline import broker

log = logging.getLogger(__name__)

#: Seconds between two checks.
INTERVAL = 5.0
#: Seconds. Longer than the longest pause between two attempts of Celery to reconnect (32 s).
PATIENCE = 60.0
#: Seconds. Longer than any task may run. The event loop enforces the time limits and notices when
#: a task ends. If the same tasks seem to run for longer than this, the event loop hangs.
LONGEST_TASK = 1800.0


class Watchdog:
    """Watches one worker.

    Args:
        worker: the Celery worker of this process.
        end: what to do with a worker that takes nothing.
    """

    def __init__(self, worker: Any, end: Callable[[], None]) -> None:
        self.worker = worker
        self.end = end
        self.received_at = time.monotonic()
        #: Since when messages wait in the queues of this worker; None if none wait.
        self.waiting_since: float | None = None
        #: The ids of the tasks that run, and since when they are the same.
        self.active: set[str] = set()
        self.active_since = self.received_at

    def note_message(self, **_: Any) -> None:
        """For the signal ``task_received``."""
        self.received_at = time.monotonic()

    def run(self) -> None:
        """Check at intervals until the worker stops."""
        while self.worker.blueprint.state == RUN:
            time.sleep(INTERVAL)
            try:
                self.check()
            except Exception as error:  # a watchdog that ends by an error watches nothing
                log.warning("the watchdog could not check: %s", type(error).__name__)

    def check(self) -> None:
        """End the worker if it has taken nothing for too long while messages wait."""
        now = time.monotonic()
        # The broker is asked only when the worker seems to do nothing. Nothing forks then: a
        # child must not be forked while this thread is in the middle of a connection.
        if self._works(now) or now - self.received_at < INTERVAL or not self._waiting():
            self.waiting_since = None
            return
        if self.waiting_since is None or self.waiting_since < self.received_at:
            self.waiting_since = now
        if now - self.waiting_since < PATIENCE:
            return
        # It may be stopping by now, which is no error and may take a while.
        if self.worker.blueprint.state == RUN:
            log.critical(
                "this worker has taken no message for %.0f seconds while messages wait; it ends "
                "so that it is started again",
                now - self.waiting_since,
            )
            self.end()

    def _works(self, now: float) -> bool:
        active = {request.id for request in list(state.active_requests)}
        if active != self.active:
            self.active, self.active_since = active, now
        return bool(active) and now - self.active_since < LONGEST_TASK

    def _waiting(self) -> int:
        # A queue that an administrator took away from the worker is not in this list.
        queues = self.worker.app.amqp.queues.consume_from
        return sum(broker.queue_length(queue) for queue in list(queues))


def end_worker() -> None:
    """End this process at once. The event loop may hang, so it can't be asked to stop."""
    for pid in filter(None, (child.pid for child in active_children())):
        # A child would wait for its next task without end.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    os._exit(os.EX_SOFTWARE)


@worker_ready.connect
def watch(sender: Any, **_: Any) -> None:
    """Start the watchdog once the worker has connected for the first time.

    Args:
        sender: the worker's consumer.
    """
    watchdog = Watchdog(sender.controller, end_worker)
    task_received.connect(watchdog.note_message, weak=False)
    threading.Thread(target=watchdog.run, name="watchdog", daemon=True).start()
