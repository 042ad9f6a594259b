"""The broker of a site as anybody sees it who knows its password."""

from __future__ import annotations

from celery import Celery

from tests.support.stack import Stack


def celery_client(site: Stack) -> Celery:
    """What anybody who knows the broker's password can do."""
    app = Celery(broker=site.environ["REDIS_URL"], set_as_current=False)
    app.conf.update(
        broker_transport_options={"global_keyprefix": "careers:", "socket_timeout": 5},
        task_ignore_result=True,
    )
    return app


def drained(site: Stack) -> bool:
    """Whether the workers have taken and answered every message."""
    redis = site.redis()
    keys = ("careers:cpu", "careers:io", "careers:unacked_index")
    return not any(redis.exists(key) for key in keys)
