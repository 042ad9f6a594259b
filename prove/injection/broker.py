"""Faults of the broker: gone, frozen, full, and messages that are lost, forged or repeated."""

from __future__ import annotations

import shutil
from typing import Any

from prove.injection.kinds import (
    Fault,
    Site,
    kind,
    until,
)
from tests.support.servers import HOST, reserve_port


@kind("redis: kill -9, its file kept", "broker")
def _redis_dies(site: Site, fault: Fault) -> Any:
    site.away.add("broker")
    site.stack["broker"].kill()
    yield fault.seconds
    site.away.discard("broker")
    yield from until(lambda: site.stack._ready("broker"), 90)
    return True


@kind("redis: kill -9, all lost", "broker")
def _redis_loses_all(site: Site, fault: Fault) -> Any:
    site.away.add("broker")
    site.stack["broker"].kill()
    shutil.rmtree(site.stack.var / "broker", ignore_errors=True)
    yield fault.seconds
    site.away.discard("broker")
    yield from until(lambda: site.stack._ready("broker"), 90)
    return True


@kind("redis: away until the sweeper works itself", "broker")
def _redis_away(site: Site, fault: Fault) -> Any:
    site.away.add("broker")
    site.stack["broker"].kill()
    yield 10 + fault.seconds
    site.away.discard("broker")
    yield from until(lambda: site.stack._ready("broker"), 90)
    return True


@kind("redis: FLUSHALL", "broker")
def _redis_flushed(site: Site, fault: Fault) -> Any:
    for _time in range(fault.times):
        site.stack.redis().flushall()
        yield 1
    return True


@kind("redis: CLIENT KILL of all", "broker")
def _redis_kills_clients(site: Site, fault: Fault) -> Any:
    for _time in range(fault.times):
        site.stack.redis().client_kill_filter(_type="normal", skipme=True)
        yield 1
    return True


@kind("redis: frozen", "broker")
def _redis_frozen(site: Site, fault: Fault) -> Any:
    site.stack["broker"].freeze()
    yield fault.seconds
    site.stack["broker"].thaw()
    return True


@kind("redis: CLIENT PAUSE", "broker")
def _redis_paused(site: Site, fault: Fault) -> Any:
    site.stack.redis().client_pause(int(fault.seconds * 1000))
    yield fault.seconds
    return True


@kind("redis: out of memory", "broker")
def _redis_full(site: Site, fault: Fault) -> Any:
    site.stack.redis().config_set("maxmemory", "1")
    yield fault.seconds
    return (yield from until(lambda: site.stack.redis().config_set("maxmemory", "0")))


@kind("redis: became a read-only replica", "broker")
def _redis_read_only(site: Site, fault: Fault) -> Any:
    site.stack.redis().replicaof(HOST, reserve_port())
    yield fault.seconds
    return (yield from until(lambda: site.stack.redis().replicaof("NO", "ONE")))


QUEUES = ("careers:cpu", "careers:io")


@kind("redis: forged messages", "broker")
def _redis_forged(site: Site, fault: Fault) -> Any:
    redis = site.stack.redis()
    for queue in QUEUES:
        for forged in ("", "{}", "not JSON", '{"body": "x", "headers": {}}', "\x80\x04." * 1000):
            redis.rpush(queue, forged)
    _send(site, [10**12, "12; DROP TABLE careers_step", None, {"of": "nothing"}])
    yield 1
    return True


@kind("redis: messages many times over", "broker")
def _redis_repeated(site: Site, fault: Fault) -> Any:
    rows = site.stack.query("SELECT id FROM careers_step ORDER BY id DESC LIMIT 15")
    _send(site, [row["id"] for row in rows] * 5)
    yield 1
    return bool(rows)


@kind("redis: messages in reverse order", "broker")
def _redis_reversed(site: Site, fault: Fault) -> Any:
    turn = site.stack.redis().register_script(
        "local all = redis.call('LRANGE', KEYS[1], 0, -1)"
        " redis.call('DEL', KEYS[1])"
        " for _, each in ipairs(all) do redis.call('LPUSH', KEYS[1], each) end"
        " return #all"
    )
    return (
        yield from until(lambda: sum(turn(keys=[queue]) > 1 for queue in QUEUES), unless=site.idle)
    )


def _send(site: Site, ids: list[Any]) -> None:
    """Send messages as any program could that knows the broker's password."""
    from celery import Celery

    app = Celery(broker=site.stack.environ["REDIS_URL"], set_as_current=False)
    app.conf.broker_transport_options = {"global_keyprefix": "careers:", "socket_timeout": 5}
    with app.connection_for_write() as connection:
        for number, step_id in enumerate(ids):
            task, queue = (
                ("careers.render_pdf", "cpu"),
                ("careers.archive", "io"),
                ("careers.mail_applicant", "io"),
                ("careers.mail_hr", "io"),
            )[number % 4]
            app.send_task(
                task, kwargs={"step_id": step_id}, queue=queue, connection=connection, retry=False
            )
    app.close()
