"""The life of a worker: the name under which it claims steps, and how it stops.

A Celery worker is a main process and its children, the pool. The children run the steps; the main
process enforces the time limits and returns the steps of children that have ended.
"""

from __future__ import annotations

import atexit
import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import uuid4

from billiard import active_children
from celery.signals import celeryd_init, worker_init, worker_process_init
from django.db import Error as DatabaseError
from django.db import connection
from django.utils.translation import gettext as _

from careers import documents
from careers.applications.errors import EffectError
from careers.pipeline import broker, restored_database, unconfirmed
from careers.pipeline.models import Step
from careers.pipeline.states import Phase, State
from careers.pipeline.transitions import move

log = logging.getLogger(__name__)

#: The children of a worker's pool share this name, so that the main process can return their steps.
_owner = f"worker:{uuid4()}"
#: The queue of the steps that make PDFs, and whether this worker serves it.
_PDF_QUEUE = "cpu"
_makes_pdfs = False


def owner() -> str:
    """The name under which this worker claims steps."""
    return _owner


@worker_init.connect
def _start(sender: Any = None, **_kwargs: Any) -> None:
    """Start a worker, before it forks its children and consumes its first message."""
    global _owner, _makes_pdfs
    # Two workers may be forks of one process that had imported this module already.
    _owner = f"worker:{uuid4()}"
    restored_database.recognise_at_start()
    _makes_pdfs = sender is not None and _PDF_QUEUE in sender.app.amqp.queues.consume_from
    if _makes_pdfs:
        # Without the libraries of the PDF each step says so itself.
        with suppress(OSError):
            documents.load()
    # The garbage collector writes into each object that it visits, and the children would get a
    # copy of that memory. It leaves frozen objects alone.
    gc.collect()
    gc.freeze()


@worker_process_init.connect
def _start_child(**_kwargs: Any) -> None:
    broker.forget_connections()
    if _makes_pdfs:
        try:
            documents.warm_up()
        except EffectError as error:
            log.warning("the first PDF could not be made: %s", error.code)


def hand_back(actor: str = "") -> None:
    """Queue again the steps that this worker's children held; call it when they have ended.

    Args:
        actor: the name under which they claimed, if it is not this worker's.
    """
    actor = actor or owner()
    held = Step.objects.filter(owner=actor, state=State.STARTED)
    for step in held:
        if step.phase != Phase.NONE:
            unconfirmed.settle(step, unconfirmed.interrupted(), actor=actor)
        else:
            move(
                step.pk,
                State.QUEUED,
                leaving=[State.STARTED],
                fence=step.token,
                guard={"phase": Phase.NONE},
                actor=actor,
                reason=_("Given back: the worker was stopped."),
            )


def let_finish(seconds: float) -> None:
    """Wait until this worker's children hold no step, but no longer than ``seconds``.

    It replaces Celery's own wait, which sleeps the whole time even when all are done.
    """
    # A signal handler calls it, perhaps in the middle of a query of the main thread.
    wait_for(_until_nothing_is_held, seconds)


def _until_nothing_is_held() -> None:
    held = Step.objects.filter(owner=owner(), state=State.STARTED)
    while True:
        try:
            if not held.exists():
                return
        except DatabaseError as error:
            # The database may answer soon, and the children continue meanwhile.
            log.warning("the steps of the children are unknown: %s", type(error).__name__)
            connection.close()
        time.sleep(0.2)


def wait_for(query: Callable[[], None], seconds: float | None) -> threading.Thread:
    """Run a query in a thread with a connection of its own, and wait for it.

    Nothing else ends the wait for a PostgreSQL server that is up and does not answer. While the
    caller waits, it forks no child that would inherit the thread's connection.

    Args:
        seconds: the longest wait; None waits as long as the query takes.

    Returns:
        The thread, which may still run.
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


def end_after(seconds: float) -> None:
    """End this worker if it has not ended by itself by then, so that it is started again.

    A worker that no longer knows the state of its children asks them once more when it ends, and
    may wait for their answer without end.
    """

    def end() -> None:
        time.sleep(seconds)
        os.write(2, b"The worker could not end in order. It ends now.\n")
        for pid in filter(None, (child.pid for child in active_children())):
            # It would wait for its next task without end.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        os._exit(os.EX_SOFTWARE)

    threading.Thread(target=end, daemon=True).start()


@celeryd_init.connect
def _install(instance: Any, **_kwargs: Any) -> None:
    instance.wait_for_soft_shutdown = partial(
        let_finish, instance.app.conf.worker_soft_shutdown_timeout
    )
    # Celery's own signal comes at a warm shutdown only, and every boot step of the worker ends
    # before the pool does. The children exit without running this.
    atexit.register(hand_back)
