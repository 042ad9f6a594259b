"""The heartbeat of a Celery worker, from a thread of its main process.

The worker's event loop can't write it: while the loop connects to the broker again, it runs nothing
else, for as long as the broker is down. The thread says what the loop does meanwhile: ``trouble``
is "" for a loop that works, ``no-broker`` for one that connects again, and ``stalled`` for one that
hangs. The watchdog ends a worker that hangs.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import suppress
from typing import Any

from celery import bootsteps
from celery.signals import celeryd_init
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from careers.documents import missing_scripts
from careers.operations import findings, heartbeat
from careers.operations.heartbeat import INTERVAL
from careers.operations.models import Finding, Heartbeat, Severity
from careers.pipeline.transitions import db_now
from careers.pipeline.worker import end_after, owner

log = logging.getLogger(__name__)

#: Seconds between two signs of life of the event loop, and after how long without one it hangs.
TURN = 2.0
STALLED_AFTER = 30.0
#: Seconds for which a fork, or the end of the worker, waits for a beat that is being written.
PATIENCE = INTERVAL / 4


class Beats:
    """Writes the heartbeat of one worker until it is stopped.

    Args:
        worker: the Celery worker of this process.
    """

    def __init__(self, worker: Any) -> None:
        self.worker = worker
        self.queues = ",".join(sorted(worker.app.amqp.queues.consume_from))
        # Fonts matter where PDFs are made. A new font is used from the next start on.
        missing = missing_scripts() if "cpu" in self.queues.split(",") else []
        fonts = Finding(code="fonts", severity=Severity.ADVICE, facts={"scripts": missing})
        self.findings = [fonts] if missing else []
        self.lost: list[dict[str, Any]] | None = None
        self.trouble, self.trouble_since = "", ""
        self.turned_at = time.monotonic()
        self.ended = threading.Event()
        #: Held while the thread uses the database.
        self.writing = threading.Lock()

    def run(self) -> None:
        """Write at intervals; the thread of the worker's main process calls it."""
        while not self.ended.is_set():
            with self.writing:
                if not self.ended.is_set():
                    try:
                        self.write()
                    except Exception:  # no error may end the thread: nothing starts it again
                        log.exception("no heartbeat written")
                    finally:
                        # A child that is forked must not inherit it.
                        connection.close()
            self.ended.wait(INTERVAL)

    def write(self) -> None:
        """Write one heartbeat and renew the findings of this worker."""
        name = self.worker.hostname
        if connection.vendor == "sqlite":
            with suppress(DatabaseError), connection.cursor() as cursor:
                cursor.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000:.0f}")
        facts = {**heartbeat.own_facts(), "owner": owner(), **self._state()}
        if self.lost is None:
            self.lost = heartbeat.begin(
                Heartbeat.Kind.WORKER, name, queues=self.queues, facts=facts
            )
        else:
            facts["lost"] = self.lost
            heartbeat.beat(Heartbeat.Kind.WORKER, name, queues=self.queues, facts=facts)
        findings.report(f"worker:{name}", self.findings, lasts=findings.PROCESS)

    def turned(self) -> None:
        """The event loop works; its timer calls this."""
        self.turned_at = time.monotonic()

    def stop(self) -> None:
        """Write no more."""
        self.ended.set()
        # A beat that is being written would bring the row back.
        if self.writing.acquire(timeout=PATIENCE):
            self.writing.release()

    def _state(self) -> dict[str, str]:
        consumer = getattr(self.worker, "consumer", None)
        trouble = ""
        if self.lost is not None and (consumer is None or consumer.connection is None):
            trouble = "no-broker"
        elif time.monotonic() - self.turned_at > STALLED_AFTER:
            trouble = "stalled"
        if trouble != self.trouble:
            # The database may fail together with the broker. Then the next beat notes both.
            since = db_now().isoformat() if trouble else ""
            self.trouble, self.trouble_since = trouble, since
        return {"trouble": self.trouble, "trouble_since": self.trouble_since}


class WorkerHeartbeat(bootsteps.StartStopStep):
    """Makes a Celery worker's main process write heartbeats."""

    requires = ("celery.worker.components:Timer", "celery.worker.components:Pool")

    def start(self, worker: Any) -> None:
        self.beats = Beats(worker)
        worker.timer.call_repeatedly(TURN, self.beats.turned)
        guard_forks(self.beats.writing)
        threading.Thread(target=self.beats.run, name="heartbeat", daemon=True).start()

    def stop(self, worker: Any) -> None:
        # By then other workers have taken over the steps of the children. This call comes first,
        # because the database may not answer the next ones.
        end_after(settings.PIPELINE_LEASE)
        self.beats.stop()
        findings.report(f"worker:{worker.hostname}", [], lasts=findings.PROCESS)
        heartbeat.end(Heartbeat.Kind.WORKER, worker.hostname)

    def terminate(self, worker: Any) -> None:
        # A cold shutdown, which is how our workers end, calls this one instead.
        self.stop(worker)


def guard_forks(writing: threading.Lock) -> None:
    """Let this process fork only while the thread does not use the database.

    A child that is forked during a query of SQLite inherits its record of locks without the locks:
    what it commits later can be lost (https://www.sqlite.org/howtocorrupt.html, 2.6). SQLite gives
    up by itself after ``PATIENCE``. PostgreSQL may never answer, but a child does it no harm.
    """
    timeout = -1 if connection.vendor == "sqlite" else PATIENCE
    held: list[bool] = []

    def before() -> None:
        held.append(writing.acquire(timeout=timeout))

    def after() -> None:
        if held.pop():
            writing.release()

    os.register_at_fork(before=before, after_in_parent=after, after_in_child=after)


@celeryd_init.connect
def _install(instance: Any, **_kwargs: Any) -> None:
    instance.app.steps["worker"].add(WorkerHeartbeat)
