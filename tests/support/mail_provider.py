"""A mail provider of our own on loopback, which remembers keys and misbehaves on demand.

It speaks what Resend, Brevo and Postmark speak, as far as we use it, and keeps its own ledger:

    with HostileProvider() as provider:
        settings.EMAIL_PROVIDER, settings.EMAIL_API_URL = "resend", provider.url
        provider.once("accept_cut", "ok")       # takes the mail, and hangs up without an answer
        ...
        assert len(provider.mails) == 1         # what it really sends
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import uuid
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.support.servers import HANG_SECONDS, HOST

API_KEY = "test-api-key"
#: Modes that refuse before they read the mail: status, body and headers of the answer.
REFUSALS: dict[str, tuple[int, dict[str, Any], dict[str, str]]] = {
    "401": (401, {"name": "restricted_api_key", "message": "This API key is restricted"}, {}),
    "402": (402, {"code": "not_enough_credits", "message": "Not enough credits"}, {}),
    "403": (403, {"name": "validation_error", "message": "The domain is not verified."}, {}),
    "404": (404, {"message": "Not here."}, {}),
    "408": (408, {}, {}),
    "409_concurrent": (409, {"name": "concurrent_idempotent_requests", "message": "Wait."}, {}),
    "422": (422, {"name": "validation_error", "message": "Not good: jane.miller@x.example"}, {}),
    "422_sender": (422, {"ErrorCode": 400, "Message": "The Sender Signature is unknown."}, {}),
    "422_inactive": (
        422,
        {
            "ErrorCode": 406,
            "Message": "You tried to send to a recipient that has been marked as inactive.\n Found "
            "inactive addresses: jane.miller@applicants.example.\n Inactive recipients are ones "
            "that have generated a hard bounce or a spam complaint. ",
        },
        {},
    ),
    "422_unknown": (422, {"ErrorCode": 406, "Message": "Found inactive addresses."}, {}),
    "429": (429, {"name": "rate_limit_exceeded", "message": "Slowly."}, {"Retry-After": "77"}),
    "429_long": (429, {}, {"Retry-After": "99999999"}),
    "429_silent": (429, {}, {"Retry-After": "soon"}),
    "500": (500, {"message": "Oh no."}, {}),
    "307": (307, {}, {"Location": "http://127.0.0.1:9/elsewhere"}),
}


@dataclass(frozen=True)
class Mail:
    """A mail that the provider sends."""

    key: str
    payload: dict[str, Any]

    @property
    def recipient(self) -> str:
        to = self.payload.get("to") or self.payload.get("To")
        one = to[0] if isinstance(to, list) else to
        return str(one["email"] if isinstance(one, dict) else one)

    @property
    def mark(self) -> str:
        """What we gave it to be named in its reports."""
        headers = {k.lower(): v for k, v in dict(self.payload.get("headers", {})).items()}
        metadata = headers.get("x-metadata") or headers.get("x-mailin-custom")
        given = json.loads(metadata) if metadata else self.payload.get("Metadata", {})
        return str(given.get("mail", ""))


class _OnLoopback(ThreadingHTTPServer):
    """A server on the loopback address; leaving its context does not wait for clients."""

    daemon_threads = True
    block_on_close = False

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=[0.05], daemon=True).start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self.shutdown()
        self.server_close()


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        """Say nothing on stderr."""


class HostileProvider(_OnLoopback):
    """See the module. Modes are the keys of ``REFUSALS`` and:

    ``ok``; ``accept_cut``, ``accept_hang``, ``accept_500``, ``accept_garbage``: it sends the mail
    and then closes the connection, does not answer, fails, or answers nonsense; ``cut`` and
    ``hang``: the same without having sent it.
    """

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Handler)
        self.mode = "ok"
        self._script: deque[str] = deque()
        self.requests: list[tuple[str, bytes]] = []
        self.mails: list[Mail] = []
        self.answers: dict[str, tuple[bytes, dict[str, Any]]] = {}
        self.lock = threading.Lock()
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}/"

    def once(self, *modes: str) -> None:
        """The modes of the next requests, one each."""
        self._script.extend(modes)

    def next_mode(self) -> str:
        return self._script.popleft() if self._script else self.mode

    def __exit__(self, *_raised: object) -> None:
        self.closing.set()
        super().__exit__()


class _Handler(_Quiet):
    server: HostileProvider

    def do_GET(self) -> None:
        self._answer(404, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server, payload = self.server, json.loads(body)
        key = self.headers.get("Idempotency-Key") or payload.get("headers", {}).get(
            "idempotencyKey", ""
        )
        with server.lock:
            mode = server.next_mode()
            server.requests.append((key, body))
        given = [self.headers.get(name, "") for name in ("Authorization", "api-key")]
        given.append(self.headers.get("X-Postmark-Server-Token", ""))
        if not any(API_KEY in word for word in given):
            mode = "401"
        if mode in REFUSALS:
            self._answer(*REFUSALS[mode])
        elif mode == "cut":
            self._hang_up()
        elif mode == "hang":
            self.server.closing.wait(HANG_SECONDS)
        else:
            status, answer = self._take(key, body, payload)
            if mode == "accept_cut":
                self._hang_up()
            elif mode == "accept_hang":
                self.server.closing.wait(HANG_SECONDS)
            elif mode == "accept_500":
                self._answer(500, {})
            elif mode == "accept_garbage":
                self._answer(200, "<h1>Welcome to the hotel</h1>")
            else:
                self._answer(status, answer)

    def _take(self, key: str, body: bytes, payload: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        brevo = self.path == "/smtp/email"
        with self.server.lock:
            if key and key in self.server.answers:
                before, answer = self.server.answers[key]
                if brevo:
                    return 400, {"code": "duplicate_parameter", "message": "Key was used."}
                if before != body:
                    return 409, {"name": "invalid_idempotent_request", "message": "Other payload."}
                return 200, answer
            name = str(uuid.uuid4())
            answer = {"messageId": f"<{name}@smtp>"} if brevo else {"id": name}
            if self.path == "/email":
                answer = {"ErrorCode": 0, "Message": "OK", "MessageID": name, "To": payload["To"]}
            self.server.mails.append(Mail(key, payload))
            self.server.answers[key] = (body, answer)
            return 201 if brevo else 200, answer

    def _answer(
        self, status: int, body: dict[str, Any] | str, headers: dict[str, str] | None = None
    ) -> None:
        content = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = True

    def _hang_up(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()


class Proxy(_OnLoopback):
    """A proxy between us and the provider, as companies have them; ``asked`` are the first lines.

    It passes on what is encrypted (CONNECT, RFC 9110, 9.3.6) and what is not (RFC 9112, 3.2.2).
    """

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Passer)
        self.refuses = False
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}"


class _Passer(_Quiet):
    server: Proxy

    def do_CONNECT(self) -> None:
        self._pass_on(self.path)

    def do_POST(self) -> None:
        _scheme, _slashes, rest = self.path.partition("://")
        host, _slash, path = rest.partition("/")
        body = self.rfile.read(int(self.headers["Content-Length"]))
        head = f"{self.command} /{path} HTTP/1.1\r\n{self.headers}".replace("\n", "\r\n")
        self._pass_on(host, head.replace("\r\r\n", "\r\n").encode() + body)

    def _pass_on(self, host: str, begun: bytes = b"") -> None:
        self.server.asked.append(self.requestline)
        self.close_connection = True
        if self.server.refuses:
            self.send_error(502)
            return
        name, _colon, port = host.partition(":")
        with socket.create_connection((name, int(port)), timeout=HANG_SECONDS) as there:
            if begun:
                there.sendall(begun)
            else:
                self.send_response(200)
                self.end_headers()
            back = threading.Thread(target=_pour, args=[there, self.connection], daemon=True)
            back.start()
            _pour(self.connection, there)
            back.join()


def _pour(source: socket.socket, into: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            into.sendall(piece)
    for one in (source, into):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
