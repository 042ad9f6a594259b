"""The message broker: publish to it, ask whether it works, and name its errors."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Sequence
from typing import Any

from celery import Celery, current_app
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

#: In seconds. A person waits while we publish, so these are far below the workers' own limits.
TIMEOUTS = {
    "socket_timeout": 0.5,
    "socket_connect_timeout": 0.5,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}

_connection: Connection | None = None


def send(task: str, **options: Any) -> None:
    """Publish a message for a task; see ``send_all``.

    Args:
        options: further arguments of ``Celery.send_task``.
    """
    send_all([(task, options)])


def send_all(tasks: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Publish a message for each of some tasks, at once where the broker can (Redis).

    Args:
        tasks: the name of each task, and further arguments of ``Celery.send_task``.

    Raises:
        Exception: whatever kombu and redis-py raise when the broker does not accept them all. It
            may have accepted some of them.
    """
    app = _app()
    with pools.producers[_shared(app)].acquire(block=True, timeout=2) as producer:
        try:
            # One round trip for all. Preparing each message for another try would take as long.
            with producer.batch():
                for task, options in tasks:
                    app.send_task(task, producer=producer, retry=False, **options)
        except Exception:
            # The broker may have closed a connection that was idle. A message that comes twice
            # does no harm.
            for task, options in tasks:
                app.send_task(task, producer=producer, **options)


def forget_connections() -> None:
    """Open new connections from now on; a forked child must not share its parent's."""
    global _connection
    _connection = None
    pools.reset()


def _app() -> Celery:
    app: Celery = current_app._get_current_object()  # type: ignore[attr-defined]
    return app


def _shared(app: Celery) -> Connection:
    global _connection
    if _connection is None:
        _connection = _connect(app)
    return _connection


def _connect(app: Celery | None = None) -> Connection:
    app = app or _app()
    options: dict[str, Any] = {**app.conf.broker_transport_options, **TIMEOUTS}
    return app.connection_for_write(transport_options=options)


def _redis(connection: Connection) -> Any:
    # kombu's own client, which puts our prefix before every key.
    return connection.default_channel.client  # type: ignore[attr-defined]


def broker_error() -> str:
    """Ask the broker whether it accepts a write: one that is full, or a read-only copy, does not.

    Returns:
        "" when it does; else the cause and the next action. The words name no address and no
        secret, because they are shown, logged and mailed.
    """
    try:
        with _connect() as connection:
            _redis(connection).set("probe", 1, ex=60)
    except Exception as error:  # any failure is an answer to the question
        return _cause(error)
    return ""


def _cause(error: BaseException) -> str:
    """What a failed connection means; kombu and redis-py wrap the errors that they caught."""
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
            "Nothing listens at the message broker's address. Start it, or correct host and port "
            "in REDIS_URL."
        )
    if _has(chain, ReadOnlyError):
        return _(
            "The message broker is a read-only copy of another one. Name that one in REDIS_URL, or "
            "make this one the primary."
        )
    if _has(chain, OutOfMemoryError):
        return _(
            "The message broker's memory is full. Raise its maxmemory, and check what else is "
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
    """How many messages wait in a queue; 0 when the broker does not answer."""
    try:
        with _connect() as connection:
            return int(_redis(connection).llen(queue))
    except Exception:  # the count only saves needless messages
        return 0
