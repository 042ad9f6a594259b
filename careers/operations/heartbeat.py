"""Processes of ours say that they are alive; a stopped worker hands back what it held."""

from __future__ import annotations

import atexit
import datetime as dt
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from billiard import active_children
from celery import bootsteps
from celery.signals import celeryd_init
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.utils.translation import gettext as _

from careers.documents import missing_scripts
from careers.operations import findings
from careers.operations.models import Finding, Severity
from careers.pipeline.models import Heartbeat, Step
from careers.pipeline.runner import interrupted, unconfirmed
from careers.pipeline.states import Phase, State
from careers.pipeline.tasks import owner
from careers.pipeline.transitions import db_now, move

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
        self.beating = _wait_for(self._write, None if gives_up_itself else INTERVAL / 4)

    def _write(self) -> None:
        if connection.vendor == "sqlite":
            with suppress(DatabaseError), connection.cursor() as cursor:
                cursor.execute(f"PRAGMA busy_timeout = {INTERVAL / 4 * 1000:.0f}")
        beat(Heartbeat.Kind.WORKER, self.name_of_worker, queues=self.queues)
        findings.report(f"worker:{self.name_of_worker}", self.findings, lasts=findings.PROCESS)


def end_after(seconds: float) -> None:
    """End this worker if it has not ended by itself by then, so that it is started again.

    A worker that lost track of what its children tell it ends by asking them once more, and may
    wait for their answer for ever.
    """

    def end() -> None:
        time.sleep(seconds)
        os.write(2, b"The worker could not end in order. It ends now.\n")
        for pid in filter(None, (child.pid for child in active_children())):
            # It would wait for its next task for ever.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        os._exit(os.EX_SOFTWARE)

    threading.Thread(target=end, daemon=True).start()


def hand_back(actor: str = "") -> None:
    """Queue again what this worker's children held; they are gone when this is called.

    Args:
        actor: under which name they claimed, if not under this worker's.
    """
    actor = actor or owner()
    held = Step.objects.filter(owner=actor, state=State.STARTED)
    for step in held:
        if step.phase != Phase.NONE:
            unconfirmed(step, interrupted(), actor=actor)
        else:
            move(
                step.pk,
                State.QUEUED,
                leaving=[State.STARTED],
                fence=step.token,
                guard={"phase": Phase.NONE},
                actor=actor,
                reason=_("Handed back: the worker was stopped."),
            )


def let_finish(seconds: float) -> None:
    """Wait until this worker's children hold no step, but no longer than ``seconds``.

    In place of Celery's own wait, which sleeps the whole time however soon they are done.
    """
    # It is called by a signal handler, which may have come into a query of the main thread's.
    _wait_for(_until_nothing_is_held, seconds)


def _until_nothing_is_held() -> None:
    held = Step.objects.filter(owner=owner(), state=State.STARTED)
    while True:
        try:
            if not held.exists():
                return
        except DatabaseError as error:
            # It may answer in a moment, and the children go on meanwhile.
            log.warning("nobody knows what the children hold: %s", type(error).__name__)
            connection.close()
        time.sleep(0.2)


def _wait_for(query: Callable[[], None], seconds: float | None) -> threading.Thread:
    """Ask the database in a thread, which has a connection of its own, and wait so long for it.

    Nothing else ends the wait for a PostgreSQL that is there and does not answer. While the
    caller waits, nobody forks a child that would inherit what this thread is about to do.

    Args:
        seconds: None waits as long as the query takes.
    """

    def ask() -> None:
        try:
            query()
        finally:
            connection.close()

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(seconds)
    return asking


@celeryd_init.connect
def _install(instance: Any, **_kwargs: Any) -> None:
    instance.app.steps["worker"].add(WorkerHeartbeat)
    instance.wait_for_soft_shutdown = partial(
        let_finish, instance.app.conf.worker_soft_shutdown_timeout
    )
    # Celery's own signal comes at a warm shutdown only, and every step of the worker's ends
    # before the pool does. The children leave without running this.
    atexit.register(hand_back)
