"""What can break, each as a generator: it strikes, yields the seconds to wait, and puts right.

A fault has a victim (``target``); one victim suffers one fault at a time, different victims
suffer at the same time. A fault returns whether it really struck: a planned death that nobody
died of does not count.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.s3_proxy import SPOILED, S3Proxy
from tests.support.postgresql import PostgreSQL
from tests.support.processes import Process
from tests.support.servers import HOST, free_port
from tests.support.stack import ROOT, Stack

#: Seconds that a fault waits for the moment that it needs.
PATIENCE = 30
Strike = Iterator[float]


@dataclass(frozen=True)
class Fault:
    """One planned fault: what, when (the application that is posted then), and how much of it.

    Attributes:
        seconds: how long it lasts, for those that last.
        times: how often it strikes in a row, for those that strike single requests.
        chance: for what else the fault has to draw.
    """

    kind: str
    at: int
    seconds: float
    times: int
    chance: int

    def as_plan(self) -> str:
        """One line that differs when anything differs."""
        return f"{self.at}: {self.kind} ({self.seconds} s, ×{self.times}, {self.chance})"


@dataclass
class Site:
    """What the faults work on."""

    stack: Stack
    proxy: S3Proxy
    plan: Path
    lease: float
    admin: Any = None
    postgres: PostgreSQL | None = None
    #: Parts that are down on purpose: nobody restarts them.
    away: set[str] = field(default_factory=set)
    #: Whether nothing more will happen by itself: then no fault finds what it waits for.
    idle: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Kind:
    """A kind of fault.

    Attributes:
        target: the victim.
        blames: what it may excuse: ``web`` (an applicant may be asked to try again); and that a
            mail stays unconfirmed, because its sender was ``killed``, ``frozen`` or kept from
            writing (``stalled``), because one ``child`` of the worker died, or because the
            connection was ``cut`` in mid-message. Who dies at a named point of a step writes
            that down himself (see ``tests.faults.app``).
        needs: ``sqlite``, ``postgresql``, or ``server`` for a PostgreSQL that may be killed.
        gentle: whether it only disturbs, and breaks nothing: then it is counted apart.
    """

    name: str
    target: str
    strike: Callable[[Site, Fault], Any]
    blames: frozenset[str] = frozenset()
    needs: str = ""
    gentle: bool = False


KINDS: dict[str, Kind] = {}
NOBODY: frozenset[str] = frozenset()
WEB, KILLED, FROZEN = frozenset({"web"}), frozenset({"killed"}), frozenset({"frozen"})
CHILD, CUT, DATABASE = frozenset({"child"}), frozenset({"cut"}), frozenset({"web", "stalled"})


def kind(
    name: str,
    target: str,
    blames: frozenset[str] = NOBODY,
    needs: str = "",
    *,
    gentle: bool = False,
) -> Callable[[Callable[[Site, Fault], Any]], Callable[[Site, Fault], Any]]:
    def known(strike: Callable[[Site, Fault], Any]) -> Callable[[Site, Fault], Any]:
        KINDS[name] = Kind(name, target, strike, blames, needs, gentle)
        return strike

    return known


def until(
    condition: Callable[[], object],
    seconds: float = PATIENCE,
    pause: float = 0.3,
    unless: Callable[[], bool] = lambda: False,
) -> Any:
    """Yield until a condition holds; returns whether it did."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(Exception):
            if condition():
                return True
        if time.monotonic() > deadline or unless():
            return False
        yield pause


# ── Workers ─────────────────────────────────────────────────────────────────────────────


def _of_a_worker(part: str) -> None:
    @kind(f"worker {part}: kill -9 of all its processes", part, KILLED)
    def group(site: Site, fault: Fault) -> Any:
        site.stack[part].kill()
        yield from until(lambda: site.stack._ready(part), 90)
        return True

    @kind(f"worker {part}: kill -9 of a pool child", part, CHILD)
    def child(site: Site, fault: Fault) -> Any:
        # Just started, it has none yet.
        yield from until(site.stack[part].children)
        children = site.stack[part].children()
        if children:
            os.kill(children[fault.chance % len(children)], signal.SIGKILL)
            yield 1
        return bool(children)

    @kind(f"worker {part}: frozen past its lease, then woken", part, FROZEN)
    def frozen(site: Site, fault: Fault) -> Any:
        site.stack[part].freeze()
        yield site.lease + 3
        site.stack[part].thaw()
        return True

    @kind(f"worker {part}: frozen for a moment", part, FROZEN)
    def nap(site: Site, fault: Fault) -> Any:
        site.stack[part].freeze()
        yield fault.seconds
        site.stack[part].thaw()
        return True

    @kind(f"worker {part}: SIGTERM and restart", part, KILLED)
    def restart(site: Site, fault: Fault) -> Any:
        before = site.stack[part].pid
        site.stack[part].signal(signal.SIGTERM)
        yield from until(lambda: site.stack[part].pid != before)
        yield from until(lambda: site.stack._ready(part), 90)
        return True

    @kind(f"worker {part}: SIGTERM, then kill -9 at once", part, KILLED)
    def impatient(site: Site, fault: Fault) -> Any:
        site.stack[part].signal(signal.SIGTERM)
        yield fault.times / 3
        site.stack[part].kill()
        yield from until(lambda: site.stack._ready(part), 90)
        return True


_of_a_worker("cpu")
_of_a_worker("io")


def _at_a_point(step: str, point: str, victim: str) -> None:
    part = "cpu" if step == "render_pdf" else "io"
    who = {"child": "child dies", "group": "worker dies", "freeze": "worker freezes"}[victim]
    where = {"before": "before it", "dot": "at the dot", "after": "after it"}[point]

    @kind(f"{step}: {who} {where}", part)
    def at_the_point(site: Site, fault: Fault) -> Any:
        file = site.plan / f"{step}.{point}.{victim}.{fault.at}"
        file.touch()
        struck = yield from until(lambda: not file.exists(), pause=0.1, unless=site.idle)
        if not struck:
            with contextlib.suppress(FileNotFoundError):
                file.unlink()
                return False
        if victim == "freeze":
            yield site.lease + 3
            site.stack[part].thaw()
        elif victim == "group":
            yield from until(lambda: site.stack._ready(part))
        return True


for _step in ("render_pdf", "archive", "mail_applicant", "mail_hr"):
    for _point in ("before", "dot", "after"):
        if _point == "dot" and not _step.startswith("mail"):
            continue
        for _victim in ("child", "group"):
            _at_a_point(_step, _point, _victim)
for _point in ("before", "dot", "after"):
    _at_a_point("mail_applicant", _point, "freeze")


# ── Web, sweeper ────────────────────────────────────────────────────────────────────────


@kind("web: kill -9 of a child", "web", WEB)
def _web_child(site: Site, fault: Fault) -> Any:
    yield from until(site.stack["web"].children)
    children = site.stack["web"].children()
    if children:
        os.kill(children[fault.chance % len(children)], signal.SIGKILL)
        yield 2
    return bool(children)


def _web_is_back(site: Site, before: int) -> Any:
    """Another master, whose own children answer: those of the dead one still listen a while."""
    yield from until(lambda: site.stack["web"].pid != before, 90)
    yield 2
    yield from until(lambda: site.stack.get("/health/live")[0] == 200, 90)
    return True


@kind("web: kill -9 of the master", "web", WEB)
def _web_master(site: Site, fault: Fault) -> Any:
    before = site.stack["web"].pid
    site.stack["web"].signal(signal.SIGKILL)
    return (yield from _web_is_back(site, before))


@kind("web: kill -9 of all its processes", "web", WEB)
def _web_group(site: Site, fault: Fault) -> Any:
    before = site.stack["web"].pid
    site.stack["web"].kill()
    return (yield from _web_is_back(site, before))


@kind("web: SIGTERM and restart", "web", WEB)
def _web_restart(site: Site, fault: Fault) -> Any:
    before = site.stack["web"].pid
    site.stack["web"].signal(signal.SIGTERM)
    return (yield from _web_is_back(site, before))


@kind("web: frozen for a moment", "web", WEB)
def _web_frozen(site: Site, fault: Fault) -> Any:
    site.stack["web"].freeze()
    yield fault.seconds
    site.stack["web"].thaw()
    return True


@kind("sweeper: kill -9", "sweeper", KILLED)
def _sweeper_dies(site: Site, fault: Fault) -> Any:
    site.stack["sweeper"].kill()
    yield from until(lambda: site.stack._ready("sweeper"), 90)
    return True


@kind("sweeper: away", "sweeper", KILLED)
def _sweeper_away(site: Site, fault: Fault) -> Any:
    site.away.add("sweeper")
    site.stack["sweeper"].kill()
    yield 2 * fault.seconds
    site.away.discard("sweeper")
    yield from until(lambda: site.stack._ready("sweeper"), 90)
    return True


@kind("sweeper: frozen, then woken", "sweeper", FROZEN)
def _sweeper_frozen(site: Site, fault: Fault) -> Any:
    site.stack["sweeper"].freeze()
    yield 2 * fault.seconds
    site.stack["sweeper"].thaw()
    return True


@kind("sweeper: a second one beside it", "sweeper", KILLED, gentle=True)
def _second_sweeper(site: Site, fault: Fault) -> Any:
    argv, environ = site.stack._command("sweeper")
    log = site.stack.var / "log" / "second-sweeper.log"
    second = Process("second-sweeper", argv, environ=environ, log=log, cwd=ROOT)
    second.start()
    try:
        yield 8 + fault.seconds
        return second.running
    finally:
        second.kill()


# ── Redis ───────────────────────────────────────────────────────────────────────────────


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
    site.stack.redis().replicaof(HOST, free_port())
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
    """Messages as any program could send them that knows the broker's password."""
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


# ── S3 ──────────────────────────────────────────────────────────────────────────────────


@kind("s3: kill -9", "archive")
def _s3_dies(site: Site, fault: Fault) -> Any:
    site.away.add("archive")
    site.stack["archive"].kill()
    yield fault.seconds
    site.away.discard("archive")
    yield from until(lambda: site.stack._ready("archive"), 90)
    return True


@kind("s3: frozen", "archive")
def _s3_frozen(site: Site, fault: Fault) -> Any:
    site.stack["archive"].freeze()
    yield fault.seconds
    site.stack["archive"].thaw()
    return True


def _s3_spoils(how: str) -> None:
    @kind(f"s3: {how}", "archive")
    def spoils(site: Site, fault: Fault) -> Any:
        before = site.proxy.spoiled
        site.proxy.spoil(how, fault.times)
        yield from until(lambda: not site.proxy.pending, unless=site.idle)
        site.proxy.stop_spoiling()
        return site.proxy.spoiled > before


for _how in SPOILED:
    _s3_spoils(_how)


# ── Mail ────────────────────────────────────────────────────────────────────────────────

#: What the mail server does to single connections, in words.
MAIL_MODES = {
    "banner_421": "421 instead of a banner",
    "no_banner": "no banner",
    "garbage_banner": "speaks HTTP",
    "closed_at_once": "closes at once",
    "banner_554": "554 instead of a banner",
    "mail_451": "451 to the sender",
    "mail_530": "530 login wanted",
    "rcpt_450": "450 greylisted",
    "rcpt_421": "421 to the recipient",
    "rcpt_550": "550 unknown recipient",
    "rcpt_relay": "554 no relay",
    "data_451": "451 to DATA",
    "data_close": "closes at DATA",
    "close_in_data": "closes in mid-message",
    "dot_451": "451 after the dot",
    "dot_552": "552 after the dot",
    "close_after_dot": "takes it, closes without a word",
    "hang_after_dot": "takes it, hangs",
    "dot_garbage": "takes it, talks nonsense",
    "hang_at_quit": "hangs at QUIT",
    "garbage_at_quit": "nonsense at QUIT",
}


def _mail_misbehaves(mode: str, words: str) -> None:
    # Cut off in the middle of its last bytes, a sender can't know what has arrived.
    blames = CUT if mode == "close_in_data" else NOBODY

    @kind(f"mail: {words}", "mail", blames)
    def misbehaves(site: Site, fault: Fault) -> Any:
        smtp = site.stack.smtp
        before = len(smtp.struck)
        smtp.once(*[mode] * (1 if "hang" in mode or mode == "no_banner" else fault.times))
        yield from until(lambda: not smtp._next, unless=site.idle)
        smtp._next.clear()
        return (yield from until(lambda: len(smtp.struck) > before, 5))


for _mode, _words in MAIL_MODES.items():
    _mail_misbehaves(_mode, _words)


@kind("mail: connections refused", "mail")
def _mail_off(site: Site, fault: Fault) -> Any:
    site.stack.smtp.refuse_connections()
    yield fault.seconds
    site.stack.smtp.listen_again()
    return True


# ── Database ────────────────────────────────────────────────────────────────────────────


@kind("sqlite: somebody else holds the write lock", "database", DATABASE, "sqlite")
def _sqlite_locked(site: Site, fault: Fault) -> Any:
    path = site.stack.var / "db.sqlite3"
    with contextlib.closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield fault.seconds
        other.execute("ROLLBACK")
    return True


@kind("sqlite: locked for longer than anybody waits", "database", DATABASE, "sqlite")
def _sqlite_locked_long(site: Site, fault: Fault) -> Any:
    path = site.stack.var / "db.sqlite3"
    with contextlib.closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield 22
        other.execute("ROLLBACK")
    return True


@kind(
    "sqlite: an endless reader keeps the log from shrinking",
    "database",
    needs="sqlite",
    gentle=True,
)
def _sqlite_read(site: Site, fault: Fault) -> Any:
    path = site.stack.var / "db.sqlite3"
    with contextlib.closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM careers_step").fetchall()
        yield 3 * fault.seconds
        other.execute("ROLLBACK")
    return True


def _postgres(site: Site) -> Any:
    import psycopg

    return psycopg.connect(site.stack.database, autocommit=True, connect_timeout=5)


@kind("postgresql: all sessions terminated", "database", DATABASE, "postgresql")
def _postgres_terminated(site: Site, fault: Fault) -> Any:
    for _time in range(fault.times):
        with _postgres(site) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        yield 1
    return True


def _postgres_lock(table: str) -> None:
    @kind(f"postgresql: {table} locked", "database", DATABASE, "postgresql")
    def locked(site: Site, fault: Fault) -> Any:
        with _postgres(site) as connection, connection.transaction():
            connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
            yield fault.seconds
        return True


for _table in ("careers_step", "careers_application", "careers_stepevent"):
    _postgres_lock(_table)


@kind("postgresql: immediate restart", "database", DATABASE, "server")
def _postgres_restarts(site: Site, fault: Fault) -> Any:
    assert site.postgres is not None
    site.postgres.process.signal(signal.SIGQUIT)
    yield from until(lambda: not site.postgres.process.running)
    site.postgres.process.kill()
    site.postgres.process.start()
    return (yield from until(site.postgres._answers))


@kind("postgresql: kill -9", "database", DATABASE, "server")
def _postgres_dies(site: Site, fault: Fault) -> Any:
    assert site.postgres is not None
    site.postgres.process.kill()
    yield fault.seconds / 2
    site.postgres.process.start()
    return (yield from until(site.postgres._answers))


@kind("postgresql: frozen", "database", DATABASE, "server")
def _postgres_frozen(site: Site, fault: Fault) -> Any:
    assert site.postgres is not None
    pids = [site.postgres.process.pid, *site.postgres.process.children()]
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    yield fault.seconds
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    return True


# ── A person ────────────────────────────────────────────────────────────────────────────


@kind("person: settles what is unconfirmed", "person", gentle=True)
def _person_settles(site: Site, fault: Fault) -> Any:
    """Looks into the mail server's log, as the page asks: confirms, or sends again."""
    return (
        yield from until(
            lambda: site.admin.settle_unconfirmed(fault.times), pause=1, unless=site.idle
        )
    )


@kind("person: retries what failed", "person", gentle=True)
def _person_retries(site: Site, fault: Fault) -> Any:
    return (
        yield from until(lambda: site.admin.retry_failed(fault.times), pause=1, unless=site.idle)
    )


@kind("person: retries what only waits", "person", gentle=True)
def _person_hurries(site: Site, fault: Fault) -> Any:
    return (
        yield from until(lambda: site.admin.retry_waiting(fault.times), pause=1, unless=site.idle)
    )


# ── The plan ────────────────────────────────────────────────────────────────────────────


def faults(
    seed: int,
    count: int,
    applications: int,
    *,
    database: str,
    own_server: bool = True,
    only: Collection[str] = KINDS.keys(),
) -> list[Fault]:
    """The faults of a campaign, in the order in which they strike.

    Each of the kinds that the database knows comes about equally often. The first applications
    and the last are left in peace: what is posted then shows how fast the site is by itself.

    Args:
        own_server: whether PostgreSQL may be killed.
        only: the kinds to choose from.
    """
    having = {"", database} | ({"server"} if own_server and database == "postgresql" else set())
    known = [name for name, each in KINDS.items() if each.needs in having and name in only]
    chance = random.Random(f"faults {seed} {database}")
    names: list[str] = []
    while len(names) < count:
        names += chance.sample(known, len(known))
    first, last = max(2, applications // 20), max(3, applications * 19 // 20)
    return [
        Fault(
            name,
            at,
            seconds=round(chance.uniform(2, 6), 1),
            times=chance.randint(1, 3),
            chance=chance.randrange(10**6),
        )
        for at, name in zip(
            sorted(chance.randint(first, last) for _ in range(count)), names[:count], strict=True
        )
    ]
