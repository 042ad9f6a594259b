"""The broker of a site, as seen by any client that has its password."""

from __future__ import annotations

from celery import Celery

from tests.support.stack import Stack


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
