"""An S3 server in memory that misbehaves on demand."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import struct
import threading
from base64 import b64encode
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.support.servers.ports import HANG_SECONDS, HOST
from tests.support.servers.storages import BUCKET, archive_storages

S3_MODES = {
    "ok": "honours If-None-Match, returns checksums, knows versions",
    "no_checksum": "the same without checksums",
    "ignores_conditions": "overwrites in spite of If-None-Match; 501 to questions for versions",
    "refuses_conditions": "501 to If-None-Match and to questions for versions",
    "error_500": "500 InternalError",
    "slow_down": "503 SlowDown with Retry-After: 4",
    "busy_503": "503 ServiceUnavailable",
    "full_507": "507 InsufficientStorage",
    "bad_key": "403 InvalidAccessKeyId",
    "bad_signature": "403 SignatureDoesNotMatch",
    "denied": "403 AccessDenied",
    "no_bucket": "404 NoSuchBucket",
    "wrong_clock": "403 RequestTimeTooSkewed",
    "wrong_region": "400 AuthorizationHeaderMalformed",
    "conflict_409": "409 ConditionalRequestConflict to PUT",
    "hang": "answers nothing",
    "hang_get": "answers nothing to GET",
    "close": "closes without an answer",
    "lost_reply": "stores what is PUT, then closes without an answer",
    "bit_flip": "each GET has another wrong bit",
    "truncated": "each GET breaks off in the middle",
    "stores_garbage": "stores something else than what is PUT",
    "taken": "another client writes under the key right before each PUT",
    "stores_nothing": "says that what is PUT is stored, and does not store it",
    "drip": "begins each answer with a byte a second, and never ends it",
}
_S3_ERRORS = {
    "error_500": (500, "InternalError"),
    "slow_down": (503, "SlowDown"),
    "busy_503": (503, "ServiceUnavailable"),
    "full_507": (507, "InsufficientStorage"),
    "bad_key": (403, "InvalidAccessKeyId"),
    "bad_signature": (403, "SignatureDoesNotMatch"),
    "denied": (403, "AccessDenied"),
    "no_bucket": (404, "NoSuchBucket"),
    "wrong_clock": (403, "RequestTimeTooSkewed"),
    "wrong_region": (400, "AuthorizationHeaderMalformed"),
}


class HostileS3:
    """An S3 server in memory that follows a mode of ``S3_MODES``; it checks no signature.

    Attributes:
        mode: what to do from the next request on.
        objects: key → versions, each (version id, content); the last one is current.
        requests: (method, path) of every request.
        buckets: names that exist; others answer 404.
        takes_names: whether creating a bucket answers that the name is taken.
        fates: what to do to an object, by a part of its key: for each method the modes of so
            many requests.
    """

    def __init__(self, mode: str = "ok") -> None:
        self.mode = mode
        self.fates: dict[str, dict[str, list[str]]] = {}
        self.objects: dict[str, list[tuple[str, bytes]]] = {}
        self.requests: list[tuple[str, str]] = []
        self.buckets = {BUCKET}
        self.takes_names = False
        self._stop = threading.Event()
        self._once: deque[str] = deque()
        handler = type("Handler", (_S3Handler,), {"s3": self})
        self._server = ThreadingHTTPServer((HOST, 0), handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://{HOST}:{self._server.server_port}"

    def once(self, *modes: str) -> None:
        """Follow each of ``modes`` for one request, then ``mode`` again."""
        self._once.extend(modes)

    def mode_of(self, method: str, key: str) -> str:
        """What to do to a request; a mode from ``once`` or ``fates`` is used up."""
        for part, modes in self.fates.items():
            if part in key and modes.get(method):
                return modes[method].pop(0)
        return self._once.popleft() if self._once else self.mode

    def storages(self, **options: Any) -> Any:
        """The ``STORAGES`` setting for this server."""
        return archive_storages(self.endpoint, patience=1, **options)

    def content(self, key: str) -> bytes | None:
        """What a key holds, or None."""
        versions = self.objects.get(key)
        return versions[-1][1] if versions else None

    def put(self, key: str, content: bytes) -> None:
        """Store an object without the client, as a new version."""
        versions = self.objects.setdefault(key, [])
        versions.append((f"v{len(versions) + 1}", content))

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, t: TracebackType | None
    ) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()


class _S3Handler(BaseHTTPRequestHandler):
    s3: ClassVar[HostileS3]
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        """Write no log; tests read ``requests``."""

    def handle_any(self) -> None:
        s3 = self.s3
        url = urlsplit(self.path)
        self.query = parse_qs(url.query, keep_blank_values=True)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        _slash, bucket, key = [*unquote(url.path).split("/", 2), ""][:3]
        s3.requests.append((self.command, unquote(url.path)))
        mode = s3.mode_of(self.command, key)
        if mode == "hang" or (mode == "hang_get" and self.command == "GET"):
            s3._stop.wait(HANG_SECONDS)
            self.drop()
        elif mode == "drip":
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            with contextlib.suppress(OSError):
                while not s3._stop.wait(1):
                    self.wfile.write(b"%")
            self.drop()
        elif mode == "close":
            self.drop()
        elif mode in _S3_ERRORS:
            self.error(*_S3_ERRORS[mode])
        elif bucket not in s3.buckets and not (self.command == "PUT" and not key):
            self.error(404, "NoSuchBucket")
        elif not key:
            self.on_bucket(bucket, mode)
        else:
            getattr(self, f"on_{self.command.lower()}")(key, body, mode)

    do_GET = do_HEAD = do_PUT = do_DELETE = handle_any  # noqa: N815 -- http.server's names

    def on_bucket(self, bucket: str, mode: str) -> None:
        if self.command == "PUT":
            if self.s3.takes_names or bucket in self.s3.buckets:
                self.error(409, "BucketAlreadyExists")
                return
            self.s3.buckets.add(bucket)
        if "versions" in self.query:
            if mode in ("ignores_conditions", "refuses_conditions"):
                self.error(501, "NotImplemented")
                return
            prefix = self.query.get("prefix", [""])[0]
            self.answer(200, _listing(self.s3.objects, prefix))
            return
        if "list-type" in self.query:
            self.answer(200, _keys(self.s3.objects, self.query.get("prefix", [""])[0]))
            return
        self.answer(200)

    def on_put(self, key: str, body: bytes, mode: str) -> None:
        s3 = self.s3
        if mode == "conflict_409":
            self.error(409, "ConditionalRequestConflict")
            return
        if mode == "taken":
            s3.put(key, b"another writer's")
        if self.headers.get("If-None-Match") == "*":
            if mode == "refuses_conditions":
                self.error(501, "NotImplemented")
                return
            if mode != "ignores_conditions" and key in s3.objects:
                self.error(412, "PreconditionFailed")
                return
        if mode == "stores_nothing":
            self.answer(200, headers={"ETag": f'"{hashlib.md5(body).hexdigest()}"'})
            return
        s3.put(key, b"garbage" if mode == "stores_garbage" else body)
        if mode == "lost_reply":
            self.drop()
            return
        headers = {"ETag": f'"{hashlib.md5(body).hexdigest()}"'}
        if mode not in ("ignores_conditions", "refuses_conditions"):
            headers["x-amz-version-id"] = s3.objects[key][-1][0]
            if mode != "no_checksum" and self.headers.get("x-amz-checksum-sha256"):
                checksum = b64encode(hashlib.sha256(s3.objects[key][-1][1]).digest())
                headers["x-amz-checksum-sha256"] = checksum.decode()
        self.answer(200, headers=headers)

    def on_get(self, key: str, body: bytes, mode: str) -> None:
        versions = self.s3.objects.get(key)
        if not versions:
            self.error(404, "NoSuchKey")
            return
        version, content = versions[-1]
        if mode == "bit_flip" and content:
            place = len(self.s3.requests) % len(content)
            content = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        headers = {"Content-Type": "application/pdf", "x-amz-version-id": version}
        if mode == "truncated":
            self.answer(200, content[: len(content) // 2], headers, length=len(content))
            self.drop()
            return
        self.answer(200, content, headers)

    on_head = on_get

    def on_delete(self, key: str, body: bytes, mode: str) -> None:
        version = self.query.get("versionId", [""])[0]
        kept = [entry for entry in self.s3.objects.get(key, []) if version and entry[0] != version]
        if kept:
            self.s3.objects[key] = kept
        else:
            self.s3.objects.pop(key, None)
        self.answer(204)

    def answer(
        self,
        status: int,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        *,
        length: int | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def error(self, status: int, code: str) -> None:
        more = "<Region>eu-north-1</Region>" * (code == "AuthorizationHeaderMalformed")
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f"<Error><Code>{code}</Code><Message>Told to.</Message>{more}</Error>"
        ).encode()
        headers = {"Content-Type": "application/xml"}
        if code == "SlowDown":
            headers["Retry-After"] = "4"
        self.answer(status, body, headers)

    def drop(self) -> None:
        """Reset the connection."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.flush()
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()


def _listing(objects: dict[str, list[tuple[str, bytes]]], prefix: str) -> bytes:
    versions = "".join(
        f"<Version><Key>{escape(key)}</Key><VersionId>{version}</VersionId>"
        f"<Size>{len(content)}</Size></Version>"
        for key, entries in objects.items()
        if key.startswith(prefix)
        for version, content in entries
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        "<ListVersionsResult><IsTruncated>false</IsTruncated>"
        f"{versions}</ListVersionsResult>"
    ).encode()


def _keys(objects: dict[str, list[tuple[str, bytes]]], prefix: str) -> bytes:
    found = "".join(
        f"<Contents><Key>{escape(key)}</Key></Contents>"
        for key in sorted(objects)
        if key.startswith(prefix)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>"
    ).encode()
