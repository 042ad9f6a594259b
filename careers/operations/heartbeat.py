"""Heartbeats of the processes; a worker that stops returns its steps to the queue."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from contextlib import suppress
from typing import Any

from celery import bootsteps
from celery.signals import celeryd_init
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from careers.documents import missing_scripts
from careers.operations import findings
from careers.operations.models import Finding, Heartbeat, Severity
from careers.pipeline.transitions import db_now
from careers.pipeline.worker import end_after, wait_for

log = logging.getLogger(__name__)

#: Seconds between two heartbeats; after what time a process without one counts as stopped.
INTERVAL = 10
GONE_AFTER = dt.timedelta(seconds=35)


def beat(kind: str, name: str, *, queues: str = "", facts: dict[str, Any] | None = None) -> None:
    """Write a heartbeat. A database error is logged, never raised."""
    try:
        now = db_now()
        defaults = {"queues": queues, "facts": facts or {}, "seen_at": now}
        Heartbeat.objects.update_or_create(
            kind=kind, name=name, defaults=defaults, create_defaults={**defaults, "started_at": now}
        )
    except DatabaseError as error:
        log.warning("no heartbeat written: %s", type(error).__name__)
        # Nothing else in these processes closes a lost connection.
        connection.close_if_unusable_or_obsolete()


def is_served(queue: str) -> bool:
    """Whether a worker that is alive takes messages from a queue."""
    now = db_now()
    served = Heartbeat.objects.filter(
        # A heartbeat from the future was written before the clock was set back.
        kind=Heartbeat.Kind.WORKER,
        seen_at__gt=now - GONE_AFTER,
        seen_at__lt=now + GONE_AFTER,
    ).values_list("queues", flat=True)
    return any(queue in names.split(",") for names in served)


class WorkerHeartbeat(bootsteps.StartStopStep):
    """Makes a Celery worker's main process write heartbeats."""

    requires = ("celery.worker.components:Timer", "celery.worker.components:Pool")

    def start(self, worker: Any) -> None:
        self.name_of_worker = worker.hostname
        self.queues = ",".join(sorted(worker.app.amqp.queues.consume_from))
        # Fonts matter where PDFs are made. A new font is used from the next start on.
        makes_pdfs = "cpu" in self.queues.split(",")
        missing = missing_scripts() if makes_pdfs else []
        fonts = Finding(code="fonts", severity=Severity.ADVICE, facts={"scripts": missing})
        self.findings = [fonts] if missing else []
        self.beating: threading.Thread | None = None
        self._beat()
        self.timer = worker.timer.call_repeatedly(INTERVAL, self._beat)

    def stop(self, worker: Any) -> None:
        # By then other workers have taken over the steps of the children. This call comes first,
        # because the database may not answer the next ones.
        end_after(settings.PIPELINE_LEASE)
        findings.report(f"worker:{worker.hostname}", [], lasts=findings.PROCESS)
        Heartbeat.objects.filter(kind=Heartbeat.Kind.WORKER, name=worker.hostname).delete()

    def terminate(self, worker: Any) -> None:
        # A cold shutdown, which is how our workers end, calls this one instead.
        self.stop(worker)

    def _beat(self) -> None:
        """Write a heartbeat, but never block the worker's own loop for long.

        A loop that was blocked for minutes enforces the expired time limits first, and only then
        reads that those tasks are done. It would kill children that already run the next tasks.
        """
        if self.beating and self.beating.is_alive():
            return  # a database that does not answer
        # A child that is forked during a query of SQLite inherits its record of locks without the
        # locks: what it commits later can be lost (https://www.sqlite.org/howtocorrupt.html, 2.6).
        gives_up_itself = connection.vendor == "sqlite"
        self.beating = wait_for(self._write, None if gives_up_itself else INTERVAL / 4)

    def _write(self) -> None:
        if connection.vendor == "sqlite":
            with suppress(DatabaseError), connection.cursor() as cursor:
                cursor.execute(f"PRAGMA busy_timeout = {INTERVAL / 4 * 1000:.0f}")
        beat(Heartbeat.Kind.WORKER, self.name_of_worker, queues=self.queues)
        findings.report(f"worker:{self.name_of_worker}", self.findings, lasts=findings.PROCESS)


@celeryd_init.connect
def _install(instance: Any, **_kwargs: Any) -> None:
    instance.app.steps["worker"].add(WorkerHeartbeat)
