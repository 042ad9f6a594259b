"""A site on its own PostgreSQL server, which tests may kill, with a proxy between them."""

from __future__ import annotations

import contextlib
import secrets
import socket
import struct
import threading
from pathlib import Path

from tests.support.postgresql import PostgreSQL
from tests.support.servers import HOST
from tests.support.stack import Stack, shared_template


class OwnServer(Stack):
    """A site with its own PostgreSQL server and a proxy between them.

    Attributes:
        middle: the proxy through which all processes of the site reach the server.
    """

    def __init__(self, directory: Path) -> None:
        self.server = PostgreSQL(password=secrets.token_hex(12)).__enter__()
        short = {
            "PIPELINE_SOFT_LIMIT": "13",
            "PIPELINE_HARD_LIMIT": "14",
            "PIPELINE_LEASE": "15",
        }
        super().__init__(shared_template(), directory, server=self.server.url, environ=short)
        self.middle = CommitCutter(self.server.port)
        straight, through = f":{self.server.port}/", f":{self.middle.port}/"
        self.environ["DATABASE_URL"] = self.database.replace(straight, through)

    def __exit__(self, *exception: object) -> None:
        # The rest can only be cleared away on a server that runs.
        self.server.__enter__()
        super().__exit__(*exception)
        self.middle.close()
        self.server.__exit__()


class CommitCutter:
    """A proxy that cuts a connection exactly at a COMMIT or at a statement.

    It parses as much of PostgreSQL's protocol as that needs. After the start, each message is a
    letter and its length; ``Q`` and ``P`` carry statements, ``B`` values
    (https://www.postgresql.org/docs/current/protocol-message-formats.html).
    """

    TOLD_APART = 80877103, 80877104  # requests for TLS and GSSAPI, each answered with one byte

    def __init__(self, port: int) -> None:
        self._server = (HOST, port)
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._plan: tuple[bytes, bool, bool] | None = None
        self.cuts = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def cut_at_commit_of(self, words: bytes, *, arrives: bool) -> None:
        """Cut once, at the COMMIT of a transaction that contained ``words``.

        Args:
            arrives: whether the server still gets the COMMIT; its answer is lost in any case.
        """
        self._plan = (words, arrives, True)

    def cut_at(self, words: bytes, *, arrives: bool) -> None:
        """Cut once, at a statement that contains ``words``."""
        self._plan = (words, arrives, False)

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, EOFError):
            server = socket.create_connection(self._server)
            with server:
                self._start(client, server)
                is_cut = threading.Event()
                threading.Thread(
                    target=self._answer, args=[client, server, is_cut], daemon=True
                ).start()
                self._ask(client, server, is_cut)

    def _start(self, client: socket.socket, server: socket.socket) -> None:
        while True:
            head = _exactly(client, 8)
            length, code = struct.unpack("!II", head)
            server.sendall(head + _exactly(client, length - 8))
            if code not in self.TOLD_APART:
                return
            client.sendall(_exactly(server, 1))

    def _ask(self, client: socket.socket, server: socket.socket, is_cut: threading.Event) -> None:
        transaction = exchange = b""
        try:
            while True:
                head = _exactly(client, 5)
                body = _exactly(client, struct.unpack("!xI", head)[0] - 4)
                statement = body.lstrip(b"\0") if head[:1] in b"QP" else b""
                if statement.startswith(b"BEGIN"):
                    transaction = b""
                transaction += body[:4000]
                exchange += body[:4000]
                planned = None
                if statement.startswith(b"COMMIT"):
                    planned = self._planned(transaction, at_commit=True)
                elif head[:1] == b"S":
                    planned = self._planned(exchange, at_commit=False)
                    exchange = b""
                if planned is False:
                    break
                if planned:
                    # The other thread hangs up when the server has done it.
                    is_cut.set()
                server.sendall(head + body)
        except (OSError, EOFError):
            pass
        _hang_up(client, server)

    def _planned(self, sent: bytes, *, at_commit: bool) -> bool | None:
        """Whether the server is to get it before the connection is cut; None: no cut here."""
        with self._lock:
            if self._plan is None or self._plan[0] not in sent or self._plan[2] != at_commit:
                return None
            _words, arrives, _at_commit = self._plan
            self._plan = None
            self.cuts += 1
            return arrives

    def _answer(
        self, client: socket.socket, server: socket.socket, is_cut: threading.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if is_cut.is_set():
                    break
                client.sendall(data)
        _hang_up(client, server)


def _exactly(connection: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        part = connection.recv(size - len(content))
        if not part:
            raise EOFError
        content += part
    return content


def _hang_up(*connections: socket.socket) -> None:
    for connection in connections:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
