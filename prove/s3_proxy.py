"""A proxy in front of a real S3 server that damages single requests."""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import sys
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from tests.support.servers import HOST

#: What it does to a request, and to which methods.
SPOILED = {
    "500": ("PUT", "GET", "HEAD"),
    "503": ("PUT", "GET", "HEAD"),
    "403": ("PUT", "GET", "HEAD"),
    "cut in the upload": ("PUT",),
    "cut after the upload": ("PUT",),
    "bit flipped in the download": ("GET",),
    "slow": ("PUT", "GET"),
    "200 without storing": ("PUT",),
}
_CODES = {"500": "InternalError", "503": "SlowDown", "403": "AccessDenied"}
SLOW_SECONDS = 3


class S3Proxy:
    """Forwards everything to ``port``, except the requests that it damages on demand.

    Attributes:
        url: for ``AWS_S3_ENDPOINT_URL``.
        spoiled: how many requests it has damaged.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.spoiled = 0
        self._next: deque[str] = deque()
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = _Server((HOST, 0), handler)
        self.url = f"http://{HOST}:{self._server.server_port}"

    def spoil(self, how: str, times: int) -> None:
        """Damage the next ``times`` requests of a suitable method in this way."""
        self._next.extend([how] * times)

    @property
    def pending(self) -> int:
        return len(self._next)

    def stop_spoiling(self) -> None:
        self._next.clear()

    def fault_for(self, method: str) -> str:
        with self._lock:
            if self._next and method in SPOILED[self._next[0]]:
                self.spoiled += 1
                return self._next.popleft()
        return ""

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore resets by killed workers."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    proxy: ClassVar[S3Proxy]
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *args: Any) -> None:
        """Write no log."""

    def handle_any(self) -> None:
        # Questions about the bucket come from probes as well; only objects are spoiled.
        fault = self.proxy.fault_for(self.command) if self.path.count("/") > 2 else ""
        length = int(self.headers.get("Content-Length") or 0)
        if fault == "cut in the upload":
            self.rfile.read(length // 2)
            self.drop()
            return
        body = self.rfile.read(length)
        if fault in _CODES:
            self.answer(int(fault), _error(_CODES[fault]), {"Content-Type": "application/xml"})
            return
        if fault == "200 without storing":
            self.answer(200, b"", {"ETag": '"d41d8cd98f00b204e9800998ecf8427e"'})
            return
        if fault == "slow":
            time.sleep(SLOW_SECONDS)
        try:
            status, headers, content = self.forward(body)
        except (OSError, http.client.HTTPException):
            self.drop()
            return
        if fault == "cut after the upload":
            self.drop()
            return
        if fault == "bit flipped in the download" and content:
            place = self.proxy.spoiled * 7919 % len(content)
            content = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        self.answer(status, content, headers)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815 -- http.server's

    def forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(HOST, self.proxy.port, timeout=25)
        with contextlib.closing(connection):
            # The signature covers the headers as they are, with the host that was asked.
            connection.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in self.headers.items():
                if name.lower() not in ("connection", "expect"):
                    connection.putheader(name, value)
            connection.endheaders(body or None)
            answer = connection.getresponse()
            content = answer.read()
            headers = {
                name: value
                for name, value in answer.getheaders()
                if name.lower() not in ("connection", "transfer-encoding", "date", "server")
            }
            return answer.status, headers, content

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        names = {name.lower() for name in headers}
        for name, value in headers.items():
            self.send_header(name, value)
        if "content-length" not in names and status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def drop(self) -> None:
        """Reset the connection."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()


def _error(code: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f"<Error><Code>{code}</Code><Message>Told to.</Message></Error>"
    ).encode()
