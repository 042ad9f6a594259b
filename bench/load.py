"""A client that sends many requests over a few connections, in a process of its own.

It reads one JSON object from standard input and writes one to standard output; ``bench.traffic``
starts it. It uses raw sockets and one thread, because a slower client would measure itself: a
request costs it about 30 microseconds.
"""

from __future__ import annotations

import base64
import json
import selectors
import socket
import sys
import time
from collections import Counter
from typing import Any

HOST = "127.0.0.1"
#: Stands in a request for the number of the request, which has as many digits.
NUMBER = b"NUMBER0000"
#: Seconds without any answer after which the run ends with an error.
PATIENCE = 120


class Connection:
    """One connection that is kept open, from an address of its own.

    Each has another network of the loopback interface, as different visitors have.
    """

    def __init__(self, port: int, place: int) -> None:
        self.port, self.place = port, place
        self.socket: socket.socket = self.connect()
        self.received = bytearray()
        self.length = -1
        self.began = 0.0

    def connect(self) -> socket.socket:
        connected = socket.create_connection(
            (HOST, self.port), PATIENCE, source_address=(f"127.1.{self.place}.1", 0)
        )
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected

    def send(self, request: bytes) -> None:
        self.received.clear()
        self.length = -1
        try:
            self.socket.sendall(request)
        except OSError:
            # The server had closed it; no byte of an answer has come.
            self.reconnect()
            self.socket.sendall(request)

    def reconnect(self) -> None:
        self.socket.close()
        self.socket = self.connect()

    def receive(self) -> bool:
        """Read what has arrived; returns whether the answer is complete.

        Raises:
            ConnectionError: the server closed the connection before the end.
        """
        part = self.socket.recv(1 << 18)
        if not part:
            raise ConnectionError("the server closed the connection before the end of an answer")
        self.received += part
        if self.length < 0:
            end = self.received.find(b"\r\n\r\n")
            if end < 0:
                return False
            self.length = whole_length(bytes(self.received[: end + 2]).lower(), end + 4)
        if self.length == 0:
            return self.received.endswith(b"0\r\n\r\n")
        return len(self.received) >= self.length


def whole_length(head: bytes, body_at: int) -> int:
    """The bytes of the answer with its head; 0 for an answer in chunks."""
    if head[9:12] in (b"204", b"304"):
        return body_at
    found = head.find(b"\r\ncontent-length:")
    if found >= 0:
        return body_at + int(head[found + 17 : head.index(b"\r\n", found + 2)])
    return 0


def run(
    port: int,
    requests: list[bytes],
    *,
    connections: int,
    count: int,
    seconds: float,
    interval: float,
    first: int,
) -> dict[str, Any]:
    """Send requests in turn over each connection, the next one after an answer.

    Args:
        count: how many; 0 for as many as ``seconds`` allow.
        interval: seconds between the starts of two requests of one connection; 0 for none. The
            time of a request then counts from the moment when it should have started.
        first: the number of the first request.
    """
    selector = selectors.EpollSelector()
    statuses: Counter[str] = Counter()
    latencies: list[float] = []
    taken, sent, at = 0, 0, time.time()
    places = range(1, min(connections, count or connections) + 1)
    open_ones = [Connection(port, place) for place in places]
    began = time.perf_counter()

    def more() -> bool:
        return sent < count if count else time.perf_counter() - began < seconds

    def send(connection: Connection) -> None:
        nonlocal sent
        request = requests[sent % len(requests)]
        if NUMBER in request:
            request = request.replace(NUMBER, b"%010d" % (first + sent))
        sent += 1
        now = time.perf_counter()
        due = connection.began + interval if interval and connection.began else now
        if due > now:
            time.sleep(due - now)
        connection.began = due if interval else now
        connection.send(request)

    for connection in open_ones:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        send(connection)
    while len(latencies) < sent:
        ready = selector.select(PATIENCE)
        if not ready:
            raise TimeoutError("the server did not answer")
        for key, _events in ready:
            connection = key.data
            if not connection.receive():
                continue
            latencies.append(time.perf_counter() - connection.began)
            statuses[bytes(connection.received[9:12]).decode()] += 1
            taken += len(connection.received)
            if b"\r\nconnection: close" in bytes(connection.received[:2000]).lower():
                selector.unregister(connection.socket)
                connection.reconnect()
                selector.register(connection.socket, selectors.EVENT_READ, connection)
            if more():
                send(connection)
            else:
                # The server closes it sooner or later.
                selector.unregister(connection.socket)
    ended = time.perf_counter() - began
    for connection in open_ones:
        connection.socket.close()
    return {
        "began": at,
        "seconds": ended,
        "latencies": latencies,
        "statuses": statuses,
        "bytes": taken,
    }


def main() -> None:
    given = json.load(sys.stdin)
    given["requests"] = [base64.b64decode(text) for text in given["requests"]]
    json.dump(run(given.pop("port"), given.pop("requests"), **given), sys.stdout)


if __name__ == "__main__":
    main()
