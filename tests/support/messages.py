"""The broker of a site, as seen by any client that has its password."""

from __future__ import annotations

from collections.abc import Sequence

from celery import Celery

from tests.support.processes import until
from tests.support.stack import Receipt, Stack


def celery_client(site: Stack) -> Celery:
    """A Celery client with the broker's password."""
    app = Celery(broker=site.environ["REDIS_URL"], set_as_current=False)
    app.conf.update(
        broker_transport_options={"global_keyprefix": "careers:", "socket_timeout": 5},
        task_ignore_result=True,
    )
    return app


def drained(site: Stack) -> bool:
    """Whether the workers have taken and acknowledged every message."""
    redis = site.redis()
    keys = ("careers:cpu", "careers:io", "careers:unacked_index")
    return not any(redis.exists(key) for key in keys)


def messages(site: Stack) -> int:
    """How many messages wait for workers."""
    redis = site.redis()
    return int(redis.llen("careers:cpu") + redis.llen("careers:io"))


def wait_for_messages(site: Stack, receipts: Sequence[Receipt], seconds: float) -> None:
    """Wait until each sent step of these applications has its message, while no worker takes any.

    The web server publishes them after its answer, so a test that clears the queue waits first.
    """
    sent = sum(list(site.states(receipt).values()).count("sent") for receipt in receipts)
    until(lambda: messages(site) >= sent, seconds, "the messages were not published")
