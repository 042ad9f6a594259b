"""The broker loses its data, dies, refuses or does not answer: nothing is lost.

All traffic to the broker passes ``site.middle``, which can stop answering. The broker is the
embedded Valkey, or Debian's Redis where a test needs its data to survive.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from tests.support.mailed import assert_mailed_once
from tests.support.messages import celery_client, drained, messages, wait_for_messages
from tests.support.processes import Process, until
from tests.support.servers import HOST, reserve_port
from tests.support.speed import patient
from tests.support.stack import Receipt, Stack, column, shared_template

PATIENCE = 240  # seconds; ends a hang
#: Seconds that an applicant may wait while the broker is unusable.
BEARABLE = 10
#: Milliseconds; longer than any client waits.
ENDLESS = 600_000


class Middle:
    """A proxy between the site and its broker, which forwards everything or nothing.

    Attributes:
        target: the broker's port.
        silent: accepts connections and bytes and answers nothing. Connections that were open then
            stay dead afterwards, as behind a firewall that has dropped its state.
    """

    def __init__(self, target: int) -> None:
        self.target, self.silent = target, False
        self._listener = socket.create_server((HOST, 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                self._open.append(client)
                if self.silent:
                    continue
                try:
                    server = socket.create_connection((HOST, self.target))
                except OSError:
                    client.close()
                    continue
                self._open.append(server)
                alive = threading.Event()
                alive.set()
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._hand_on, args=(*ends, alive), daemon=True).start()

    def _hand_on(self, source: socket.socket, to: socket.socket, alive: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while content := source.recv(65536):
                if self.silent:
                    alive.clear()
                if alive.is_set():
                    to.sendall(content)
        for end in (source, to) if alive.is_set() else ():
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.silent = True
        for connection in (self._listener, *self._open):
            connection.close()


class BrokerFaultSite(Stack):
    """A site whose sweeper does not wait long for the broker."""

    def __init__(self, directory: Path) -> None:
        # The sweeper's children load WeasyPrint again for each PDF.
        slow = {"PIPELINE_SOFT_LIMIT": "100", "PIPELINE_HARD_LIMIT": "105", "PIPELINE_LEASE": "110"}
        grace = {"PIPELINE_BROKER_GRACE": "2"}
        super().__init__(shared_template(), directory, environ=slow | grace)
        self.middle = Middle(self.broker_port)
        straight, through = f":{self.broker_port}/", f":{self.middle.port}/"
        self.environ["REDIS_URL"] = self.environ["REDIS_URL"].replace(straight, through)

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        self.middle.close()

    @contextlib.contextmanager
    def redis_of_debian(self, *, keeps: bool) -> Iterator[Process]:
        """Use Debian's Redis as the broker, with or without persistence."""
        program = shutil.which("redis-server") or shutil.which("redis-check-rdb")
        assert program, "`bin/setup --dev` installs Redis"
        port, directory = reserve_port(), self.var / f"redis-{keeps}"
        directory.mkdir()
        configuration = directory / "redis.conf"
        configuration.write_text(
            f'bind {HOST}\nport {port}\nrequirepass {self.broker_password}\nsave ""\n'
            f"dir {directory}\nappendonly {'yes' if keeps else 'no'}\nappendfsync always\n"
        )
        become = f"import os; os.execv({program!r}, ['redis-server', {str(configuration)!r}])"
        redis = Process(
            "redis",
            [sys.executable, "-c", become],
            environ=self.environ,
            log=self.var / "log" / "redis.log",
        )
        redis.start()
        self["broker"].kill()
        self.middle.target = port
        try:
            yield redis
        finally:
            redis.kill()
            self.middle.target = self.broker_port
            self.start("broker")

    def faults(self) -> dict[str, str]:
        """What the site reports as wrong, by code."""
        return {fault["code"]: fault["message"] for fault in self.status()["findings"]}

    def answers(self) -> bool:
        """Whether the broker answers now; the client's own time-out would outlast a fault."""
        once = Retry(NoBackoff(), 0)
        with contextlib.suppress(RedisError):
            return bool(
                Redis.from_url(self.environ["REDIS_URL"], socket_timeout=1, retry=once).ping()
            )
        return False

    def an_hour_passes(self, receipts: list[Receipt]) -> None:
        """Move the times of these steps one hour into the past."""
        ids = ",".join(str(step["id"]) for receipt in receipts for step in self.steps(receipt))
        for field in ("state_since", "dispatched_at", "ready_at", "created_at"):
            name = column(field)
            self.query(
                f"UPDATE careers_step SET {name} = strftime('%Y-%m-%d %H:%M:%f000', {name},"
                f" '-1 hour') WHERE {name} IS NOT NULL AND id IN ({ids})"
            )


@pytest.fixture(scope="module")
def _site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerFaultSite]:
    with BrokerFaultSite(tmp_path_factory.mktemp("broker-faults")) as stack:
        yield stack


@pytest.fixture
def site(_site: BrokerFaultSite) -> BrokerFaultSite:
    """A site on SQLite whose every part runs."""
    _site.middle.silent = False
    _site.start("broker", "archive", "web", "cpu", "io", "sweeper")
    _site.form_address()
    return _site


def several(site: Stack, count: int, between: Callable[[], object] = lambda: None) -> list[Receipt]:
    """People apply one after the other; none waits long, and each gets a receipt."""
    receipts = []
    for _number in range(count):
        receipts.append(site.apply())
        between()
    assert {receipt.status for receipt in receipts} == {303}
    assert max(receipt.seconds for receipt in receipts) < patient(BEARABLE)
    return receipts


def pids(site: Stack) -> list[list[int]]:
    return [[site[name].pid, *site[name].children()] for name in ("cpu", "io")]


def test_broker_flushed_repeatedly_loses_no_step(site: BrokerFaultSite) -> None:
    """``FLUSHALL`` after each application and every second: the sweeper dispatches what was lost,
    and a worker that gets two messages for a step runs it once.
    """
    redis = site.redis()
    receipts = several(site, 6, between=redis.flushall)
    for _second in range(4):
        redis.flushall()
        threading.Event().wait(1)
    site.wait_for_end(receipts, PATIENCE)
    assert_mailed_once(site, receipts)


@pytest.mark.parametrize("keeps", [True, False], ids=["with its data", "without its data"])
def test_broker_outage_of_an_hour_delays_steps_and_loses_none(
    site: BrokerFaultSite, keeps: bool
) -> None:
    """``kill -9`` of Debian's Redis before a worker has read its messages. People continue to
    apply, an hour passes by the rows' times, and the sweeper runs the steps. With persistence
    Redis returns with messages for steps that are done, and they change nothing; without, it
    returns empty. Workers run the steps of those who apply then.
    """
    with site.redis_of_debian(keeps=keeps) as redis:
        until(site.answers, PATIENCE, "Redis did not start")
        site.stop("cpu", "io")
        receipts = several(site, 1)
        wait_for_messages(site, receipts, PATIENCE)
        redis.kill()
        receipts += several(site, 1)
        site.an_hour_passes(receipts)
        until(lambda: "broker" in site.faults(), PATIENCE, "no finding reports it")
        site.wait_for_end(receipts, PATIENCE)
        done = [site.steps(receipt) for receipt in receipts]
        assert {step["owner"].partition(":")[0] for steps in done for step in steps} == {"sweeper"}

        redis.start()
        until(site.answers, PATIENCE, "Redis did not start")
        assert (messages(site) > 0) == keeps
        site.start("cpu", "io")
        fresh = several(site, 1)
        site.wait_for_end(fresh, PATIENCE)
        until(lambda: drained(site), PATIENCE, "the messages were not taken")
        assert [site.steps(receipt) for receipt in receipts] == done
        assert {step["owner"].partition(":")[0] for step in site.steps(fresh[0])} == {"worker"}
        assert_mailed_once(site, [*receipts, *fresh])


def test_workers_reconnect_after_their_broker_connections_are_cut(site: BrokerFaultSite) -> None:
    """``CLIENT KILL`` of all connections, several times: the workers reconnect by themselves."""
    before = pids(site)
    redis = site.redis()

    def cut() -> None:
        for kind in ("normal", "pubsub"):
            redis.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")

    receipts = several(site, 5, between=cut)
    for _half_second in range(6):
        cut()
        threading.Event().wait(0.5)
    receipts += several(site, 1)
    site.wait_for_end(receipts, PATIENCE)
    assert_mailed_once(site, receipts)
    assert pids(site) == before


def test_applicant_gets_receipt_at_once_while_broker_is_paused(site: BrokerFaultSite) -> None:
    """``CLIENT PAUSE``: the broker accepts commands and answers none. People get their receipts
    during the pause, and all steps are done after a restart; the broker would not even accept the
    end of the pause.
    """
    site.redis().execute_command("CLIENT", "PAUSE", ENDLESS)
    receipts = several(site, 4)
    assert not site.answers()
    site["broker"].kill()
    site.start("broker")
    site.wait_for_end(receipts, PATIENCE)
    assert_mailed_once(site, receipts)


@pytest.mark.parametrize("fault", ["read-only", "full"])
def test_sweeper_runs_steps_while_broker_rejects_writes(site: BrokerFaultSite, fault: str) -> None:
    """After a failover the broker may be a read-only replica, or its memory is full
    (``noeviction``): it answers a ping and accepts no message. The site names the fault, and the
    sweeper runs the steps until it is over.
    """
    redis = site.redis()
    if fault == "read-only":
        redis.execute_command("REPLICAOF", HOST, str(reserve_port()))
    else:
        redis.config_set("maxmemory", "1mb")
    try:
        receipts = several(site, 3)
        until(lambda: "broker" in site.faults(), PATIENCE, "no finding reports it")
        said = site.faults()["broker"]
        assert fault.replace("full", "memory is full") in said
        site.wait_for_end(receipts, PATIENCE)
        assert_mailed_once(site, receipts)
    finally:
        redis.execute_command("REPLICAOF", "NO", "ONE")
        redis.config_set("maxmemory", "0")
    until(lambda: "broker" not in site.faults(), PATIENCE, "the fault stayed")


def test_silent_network_to_the_broker_delays_no_applicant_and_workers_reconnect(
    site: BrokerFaultSite,
) -> None:
    """Connections are accepted and never answered. The sweeper runs the steps. Afterwards the old
    connections stay half-open; the workers notice and reconnect by themselves.
    """
    before = pids(site)
    site.middle.silent = True
    receipts = several(site, 3)
    site.wait_for_end(receipts, PATIENCE)
    assert_mailed_once(site, receipts)
    assert "did not answer" in site.faults()["broker"]

    site.middle.silent = False
    until(lambda: "broker" not in site.faults(), PATIENCE, "the fault stayed")
    receipts = several(site, 1)
    site.wait_for_end(receipts, PATIENCE)
    assert_mailed_once(site, receipts)
    assert {step["owner"].partition(":")[0] for step in site.steps(receipts[0])} == {"worker"}
    assert pids(site) == before


def test_message_of_a_newer_release_runs_its_step_and_ignores_unknown_fields(
    site: BrokerFaultSite,
) -> None:
    """During a deployment old workers get messages of the new web process. They ignore unknown
    arguments, and leave an unknown task to the sweeper.
    """
    site.stop("cpu", "io", "sweeper")
    receipt = site.apply()
    wait_for_messages(site, [receipt], PATIENCE)
    site.redis().flushall()
    app = celery_client(site)
    for step in site.steps(receipt):
        message: dict[str, Any] = {"step_id": step["id"], "priority": 3, "trace": {"a": [1]}}
        queue = "cpu" if step["kind"] == "render_pdf" else "io"
        app.send_task(f"careers.{step['kind']}", kwargs=message, queue=queue)
        app.send_task("careers.of_tomorrow", kwargs=message, queue=queue)
    site.start("cpu", "io")
    until(
        lambda: set(site.states(receipt).values()) == {"succeeded"},
        PATIENCE,
        "the messages were not obeyed",
    )
    assert_mailed_once(site, [receipt])
