"""Ring for a worker: tell Celery that a row is ready.

Best effort by design. When nobody can be rung the row stays queued, and the sweeper finds
it; nothing here ever raises into a request.
"""

from __future__ import annotations

import logging
import socket
import ssl
import time
import uuid
from collections.abc import Iterable
from typing import Any

from celery import Celery, current_app
from django.db.models import F
from kombu import Connection, pools
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
)
from redis.exceptions import TimeoutError as RedisTimeout

from careers.applications.sentences import sentence as _
from careers.pipeline.models import Step, StepKind
from careers.pipeline.states import State
from careers.pipeline.steps import BY_KIND
from careers.pipeline.transitions import db_now, move

log = logging.getLogger(__name__)

#: Seconds without an attempt after the broker failed to answer, so that a dead broker costs
#: one applicant in ten seconds a moment, and all others nothing.
REST = 10
#: A person waits while we publish: these are far below the workers' own patience.
TIMEOUTS = {
    "socket_timeout": 0.5,
    "socket_connect_timeout": 0.5,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}

_resting_until = 0.0
_connection: Connection | None = None


def dispatch_steps(step_ids: Iterable[int], *, actor: str = "intake", insist: bool = False) -> int:
    """Publish a message for each step that is ready.

    Args:
        actor: who rings, for the history.
        insist: try even though the broker failed a moment ago.

    Returns:
        How many messages the broker took.
    """
    global _resting_until
    dispatched = 0
    for step_id in step_ids:
        if not insist and time.monotonic() < _resting_until:
            break
        # A kind that only a newer release knows waits for that release.
        step = Step.objects.filter(pk=step_id, kind__in=StepKind.values)
        kind = step.values_list("kind", flat=True).first()
        if kind is None:
            continue
        task_id = str(uuid.uuid4())
        # Written first: a worker that is fast enough must find the row already sent.
        if not move(
            step_id,
            State.SENT,
            leaving=[State.QUEUED, State.RETRYING],
            actor=actor,
            dispatched_at=db_now(),
            dispatches=F("dispatches") + 1,
            celery_task_id=task_id,
        ):
            continue
        definition = BY_KIND[StepKind(kind)]
        try:
            _publish(definition.task_name, definition.queue, step_id, task_id)
        except Exception as error:  # whatever it is, the row is safe and the sweeper comes
            _resting_until = time.monotonic() + REST
            log.warning("the broker took no message: %s", type(error).__name__)
            move(
                step_id,
                State.QUEUED,
                leaving=[State.SENT],
                actor=actor,
                guard={"celery_task_id": task_id},
                reason=_("The message broker did not take the message."),
            )
            break
        _resting_until = 0.0
        dispatched += 1
    return dispatched


def dispatch_task(task: str) -> bool:
    """Publish a task that is no step; False when the broker does not take it."""
    try:
        _send(task)
    except Exception as error:  # whatever it is, the person who asked is told
        log.warning("the broker took no message: %s", type(error).__name__)
        return False
    return True


def _app() -> Celery:
    app: Celery = current_app._get_current_object()  # type: ignore[attr-defined]
    return app


def _publish(task: str, queue: str, step_id: int, task_id: str) -> None:
    _send(task, kwargs={"step_id": step_id}, task_id=task_id, queue=queue)


def _send(task: str, **options: Any) -> None:
    app = _app()
    with pools.producers[_broker(app)].acquire(block=True, timeout=2) as producer:
        app.send_task(task, producer=producer, **options)


def _broker(app: Celery) -> Connection:
    global _connection
    if _connection is None:
        options: dict[str, Any] = {**app.conf.broker_transport_options, **TIMEOUTS}
        _connection = app.connection_for_write(transport_options=options)
    return _connection


def _redis(connection: Connection) -> Any:
    # kombu's own client, which puts our prefix before every key.
    return connection.default_channel.client  # type: ignore[attr-defined]


def forget_connections() -> None:
    """To be called in a forked child: connections must not be shared with the parent."""
    global _connection
    _connection = None
    pools.reset()


def broker_error() -> str:
    """Ask the broker whether it takes something; "" when it does, else cause and next action.

    One that is full, or only a copy of another, answers every question and takes no message.

    The words name no address and no secret: they are shown, logged and mailed.
    """
    app = _app()
    options = {**app.conf.broker_transport_options, **TIMEOUTS}
    try:
        with app.connection_for_write(transport_options=options) as connection:
            _redis(connection).set("probe", 1, ex=60)
    except Exception as error:  # any failure is an answer to the question
        return _cause(error)
    return ""


def _cause(error: BaseException) -> str:
    """What a failure of the connection means; kombu and redis-py wrap what they caught."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    words = " ".join(str(link) for link in chain)
    if _has(chain, AuthenticationError, AuthorizationError, NoPermissionError):
        return _("The message broker refused the password. Correct it in REDIS_URL.")
    if _has(chain, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in words:
        return _(
            "The message broker's certificate was refused. Renew it, or name the authority that "
            "signed it in SSL_CERT_FILE, and check the name in REDIS_URL."
        )
    if _has(chain, FileNotFoundError, IsADirectoryError, PermissionError):
        return _(
            "A certificate file for the message broker can't be read. Check SSL_CERT_FILE and "
            "ssl_ca_certs in REDIS_URL."
        )
    if _has(chain, ssl.SSLError):
        return _(
            "The message broker does not speak TLS at this port. Check the port in REDIS_URL, and "
            "whether it must start with redis:// or rediss://."
        )
    if _has(chain, socket.gaierror):
        return _("The message broker's host was not found. Check the name in REDIS_URL.")
    if _has(chain, ConnectionRefusedError) or "refused" in words:
        return _(
            "Nothing listens where the message broker should be. Start it, or correct host and "
            "port in REDIS_URL."
        )
    if _has(chain, ReadOnlyError):
        return _(
            "The message broker is a read-only copy of another one. Name that one in REDIS_URL, or "
            "make this one the primary."
        )
    if _has(chain, OutOfMemoryError):
        return _(
            "The message broker's memory is full. Raise its maxmemory, and look what else is "
            "stored in it."
        )
    if "MISCONF" in words or "errors writing to the AOF" in words:
        return _("The message broker can't write to its disk. Look into its log and make room.")
    if _has(chain, BusyLoadingError):
        return _("The message broker is still reading its data. Wait until it has.")
    if "closed by server" in words.lower() or _has(chain, ConnectionResetError):
        return _(
            "The message broker closed the connection. Look into its log, and check whether "
            "REDIS_URL must start with rediss:// (TLS)."
        )
    if _has(chain, RedisTimeout, TimeoutError):
        return _(
            "The message broker did not answer in time. Check that its host is up, and host and "
            "port in REDIS_URL."
        )
    return _("The message broker can't be used (%(error)s). Check REDIS_URL and its log.") % {
        "error": type(chain[-1]).__name__
    }


def _has(chain: Iterable[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(link, kinds) for link in chain)


def queue_length(queue: str) -> int:
    """Messages that wait in a queue; 0 when the broker can't tell."""
    app = _app()
    try:
        with app.connection_for_write(
            transport_options={**app.conf.broker_transport_options, **TIMEOUTS}
        ) as connection:
            return int(_redis(connection).llen(queue))
    except Exception:  # counting is a courtesy
        return 0
