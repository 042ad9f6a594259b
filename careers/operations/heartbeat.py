"""Processes of ours say that they are alive; a stopped worker hands back what it held."""

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

#: Seconds between two signs of life, and until a process counts as gone.
INTERVAL = 10
GONE_AFTER = dt.timedelta(seconds=35)


def beat(kind: str, name: str, *, queues: str = "", facts: dict[str, Any] | None = None) -> None:
    """Write a sign of life; a database that can't take it is logged, never raised."""
    try:
        now = db_now()
        defaults = {"queues": queues, "facts": facts or {}, "seen_at": now}
        Heartbeat.objects.update_or_create(
            kind=kind, name=name, defaults=defaults, create_defaults={**defaults, "started_at": now}
        )
    except DatabaseError as error:
        log.warning("no heartbeat written: %s", type(error).__name__)
        # Nothing else in these processes would let go of a connection that is gone.
        connection.close_if_unusable_or_obsolete()


def is_served(queue: str) -> bool:
    """Whether a worker that is alive takes messages from a queue."""
    now = db_now()
    served = Heartbeat.objects.filter(
        # What was seen in the future was seen before the clock was set back.
        kind=Heartbeat.Kind.WORKER,
        seen_at__gt=now - GONE_AFTER,
        seen_at__lt=now + GONE_AFTER,
    ).values_list("queues", flat=True)
    return any(queue in names.split(",") for names in served)


class WorkerHeartbeat(bootsteps.StartStopStep):
    """Lets a Celery worker's main process write its sign of life."""

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
        # What the children hold is others' by then. It comes first: the database may hang, too.
        end_after(settings.PIPELINE_LEASE)
        findings.report(f"worker:{worker.hostname}", [], lasts=findings.PROCESS)
        Heartbeat.objects.filter(kind=Heartbeat.Kind.WORKER, name=worker.hostname).delete()

    def terminate(self, worker: Any) -> None:
        # A cold shutdown, which is how our workers end, calls this one instead.
        self.stop(worker)

    def _beat(self) -> None:
        """Beat, but never stand in the way of the worker's own loop for long.

        A loop that stood still for minutes first enforces the time limits that ran out, and
        only then hears that the tasks were done long ago: it strikes children in the midst of
        the next ones.
        """
        if self.beating and self.beating.is_alive():
            return  # a database that does not answer
        # A child that is forked while SQLite is at work takes over its notes of locks, and no
        # lock: what it commits later can vanish (https://www.sqlite.org/howtocorrupt.html, 2.6).
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
