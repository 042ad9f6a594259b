"""Flower's heartbeat, so that Flower is watched like the other processes.

Flower writes a first heartbeat before it opens its port, and says that it runs only once it serves.
So a Flower that ends again and again is noticed, and a program that holds its port is not taken for
it.
"""

from __future__ import annotations

import atexit
import errno
import socket
import sys
import threading
import time
from contextlib import suppress
from typing import Any

from django.db import DatabaseError, connection

from careers.operations import findings, heartbeat
from careers.operations.heartbeat import INTERVAL
from careers.operations.models import Finding, Heartbeat, Severity

SOURCE = "flower"
#: Seconds for which the port may still be used by the Flower before this one.
PATIENCE = 5.0
#: Seconds between two signs of life of Flower's loop, and after how long without one it hangs.
TURN = 2.0
HANGS_AFTER = 30.0


class FlowerHeartbeat:
    """Writes the heartbeat of this process's Flower."""

    def __init__(self) -> None:
        self.name = f"flower@{socket.gethostname()}"
        self.serves = False
        self.ended = threading.Event()
        self.turned_at = time.monotonic()
        facts = {**heartbeat.own_facts(), "starting": True}
        self.lost = heartbeat.begin(Heartbeat.Kind.FLOWER, self.name, facts=facts)

    def claim(self, address: str, port: int) -> None:
        """Check that Flower can listen here.

        Raises:
            SystemExit: another program holds the port. It is reported as a finding.
        """
        deadline = time.monotonic() + PATIENCE
        while not is_free(address, port):
            if time.monotonic() > deadline:
                taken = Finding(
                    code="flower-port", severity=Severity.WARNING, facts={"port": str(port)}
                )
                # The supervisor tries again within half a minute, and that renews it.
                findings.report(SOURCE, [taken], lasts=3 * findings.PROCESS)
                # This finding says why it ends.
                heartbeat.end(Heartbeat.Kind.FLOWER, self.name)
                connection.close()
                sys.exit(f"{taken.message} {taken.action}")
            time.sleep(0.2)

    def start(self, loop: Any) -> None:
        """Write at intervals, from the moment at which Flower's loop runs.

        Args:
            loop: Tornado's. Flower starts it when it listens on its port.
        """
        connection.close()
        loop.add_callback(self._serve, loop)
        atexit.register(self.stop)

    def stop(self) -> None:
        """Delete the heartbeat, unless Flower never served: then it did not stop in order."""
        self.ended.set()
        if self.serves:
            with suppress(DatabaseError):
                heartbeat.end(Heartbeat.Kind.FLOWER, self.name)

    def _serve(self, loop: Any) -> None:
        self.serves = True
        self._turn(loop)
        threading.Thread(target=self._run, name="heartbeat", daemon=True).start()

    def _turn(self, loop: Any) -> None:
        self.turned_at = time.monotonic()
        loop.call_later(TURN, self._turn, loop)

    def _run(self) -> None:
        findings.report(SOURCE, [], lasts=findings.PROCESS)
        while not self.ended.is_set():
            if time.monotonic() - self.turned_at < HANGS_AFTER:
                facts = {**heartbeat.own_facts(), "lost": self.lost}
                heartbeat.beat(Heartbeat.Kind.FLOWER, self.name, facts=facts)
            connection.close()
            self.ended.wait(INTERVAL)


def serve(flower: Any) -> Any:
    """In place of ``Flower.start_http_server``: open Flower's port, and watch this Flower.

    Args:
        flower: Flower's app; ``open_port`` is what its ``start_http_server`` was.
    """
    beats = FlowerHeartbeat()
    beats.claim(flower.options.address, flower.options.port)
    port = flower.open_port()
    beats.start(flower.io_loop)
    return port


def is_free(address: str, port: int) -> bool:
    """Whether a server could listen on this address now."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            probe.listen(1)
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True
