"""Servers for tests: real ones where they exist, and hostile ones that misbehave on demand.

All listen on the loopback address on a free port, are context managers, and keep their own
ledger, so that a test counts what the *other side* got and not what we believe we sent.

    with HostileSMTP() as smtp:                 # an obedient mail server
        settings.EMAIL_HOST, settings.EMAIL_PORT = smtp.address
        ...
        assert len(smtp.accepted) == 1
        smtp.mode = "rcpt_450"                  # from now on
        smtp.once("close_after_dot", "ok")      # only for the next two connections

    with Rclone(tmp_path) as s3:                # a real S3 server; objects are files on disk
        settings.STORAGES = s3.storages()

    with HostileS3(mode="bit_flip") as s3:      # an S3 server in memory with bad habits
        settings.STORAGES = s3.storages()
        assert s3.requests == [("PUT", "/careers-test/key"), …]
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

HOST = "127.0.0.1"
BUCKET = "careers-test"
ACCESS_KEY, SECRET_KEY = "test-access-key", "test-secret-key"
#: Longer than any client waits in a test; a server that hangs lets go when it is closed.
HANG_SECONDS = 60


def free_port() -> int:
    """A TCP port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def archive_storages(endpoint: str, *, patience: float, **options: Any) -> Any:
    """The ``STORAGES`` setting with the alias ``archive`` on a test server.

    Args:
        patience: seconds to wait for an answer.
        options: replace options of the storage, such as ``bucket_name``.
    """
    from botocore.config import Config
    from django.conf import settings

    return {
        **settings.STORAGES,
        "archive": {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                **settings.STORAGES["archive"]["OPTIONS"],
                "bucket_name": BUCKET,
                "endpoint_url": endpoint,
                "access_key": ACCESS_KEY,
                "secret_key": SECRET_KEY,
                "region_name": "us-east-1",
                "client_config": Config(
                    signature_version="s3v4",
                    s3={"addressing_style": "path"},
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                    retries={"mode": "standard", "total_max_attempts": 1},
                    connect_timeout=patience,
                    read_timeout=patience,
                ),
                **options,
            },
        },
    }


def close_archive() -> None:
    """Close this thread's connections to the archive; before its server or its settings go."""
    from django.core.files.storage import storages

    storage: Any = storages["archive"]
    if getattr(storage, "_connections", None) is not None:
        storage.connection.meta.client.close()
        del storage._connections.connection


# ── Mail ────────────────────────────────────────────────────────────────────────────────

HANG, CLOSE, CLOSE_EARLY, DRIP = "hang", "close", "close early", "drip"

#: What a mode answers at which point instead of the obedient answer. The points are ``banner``,
#: ``ehlo``, ``starttls``, ``auth``, ``mail``, ``rcpt``, ``second_rcpt``, ``data``, ``dot``,
#: ``quit``.
SMTP_MODES: dict[str, dict[str, str]] = {
    "ok": {},
    "no_banner": {"banner": HANG},
    "banner_421": {"banner": "421 4.3.2 Too busy"},
    "mail_451": {"mail": "451 4.3.0 Try again later"},
    "rcpt_450": {"rcpt": "450 4.2.0 <{recipient}>: Greylisted"},
    "rcpt_421": {"rcpt": "421 4.7.0 Too many connections"},
    "rcpt_550": {"rcpt": "550 5.1.1 <{recipient}>: User unknown"},
    "second_rcpt_550": {"second_rcpt": "550 5.1.1 User unknown"},
    "close_in_data": {"dot": CLOSE_EARLY},
    "dot_451": {"dot": "451 4.3.0 Try again later"},
    "dot_552": {"dot": "552 5.2.2 Mailbox full"},
    "hang_after_dot": {"dot": HANG},
    "close_after_dot": {"dot": CLOSE},
    "hang_at_quit": {"quit": HANG},
    "garbage_at_quit": {"quit": "\x00\x16\x03 not SMTP at all"},
    # Beyond the fifteen modes that were measured with Django's own backend:
    "closed_at_once": {"banner": CLOSE},
    "banner_554": {"banner": "554 5.7.1 Your address is on a list"},
    "garbage_banner": {"banner": "HTTP/1.1 400 Bad Request"},
    "ehlo_hang": {"ehlo": HANG},
    # Never silent for long, and never done.
    "ehlo_drip": {"ehlo": DRIP},
    "auth_535": {"auth": "535 5.7.8 Authentication failed"},
    "auth_454": {"auth": "454 4.7.0 Temporary authentication failure"},
    "auth_432": {"auth": "432 4.3.2 Concurrent connections limit exceeded"},
    "starttls_454": {"starttls": "454 4.7.0 TLS not available"},
    "mail_530": {"mail": "530 5.7.0 Authentication required"},
    "mail_553": {"mail": "553 5.1.8 Sender not allowed"},
    "rcpt_relay": {"rcpt": "554 5.7.1 <{recipient}>: Relay access denied"},
    "rcpt_too_large": {"rcpt": "552 5.3.4 Message is too large"},
    "rcpt_432": {"rcpt": "432 4.3.2 Concurrent connections limit exceeded"},
    "data_451": {"data": "451 4.3.0 Try again later"},
    "data_554": {"data": "554 5.5.1 No"},
    "data_close": {"data": CLOSE},
    "dot_454": {"dot": "454 Throttling failure: Maximum sending rate exceeded."},
    "dot_550_4": {"dot": "550 4.7.1 Try again later"},
    "dot_garbage": {"dot": "whatever"},
    "dot_long_line": {"dot": "250 " + "x" * 10_000},
}
#: Points of a conversation at which nobody knows yet whether there is a mail to come.
BEFORE_MAILS = frozenset(["banner", "ehlo", "starttls", "auth"])
#: Modes in which the server takes the mail, whatever it then answers.
SMTP_TAKES = frozenset(
    [
        "ok",
        "second_rcpt_550",
        "hang_after_dot",
        "close_after_dot",
        "hang_at_quit",
        "garbage_at_quit",
        "dot_garbage",
        "dot_long_line",
    ]
)


@dataclass(frozen=True)
class AcceptedMail:
    """A mail that the server took responsibility for.

    ``answer`` is what it said to it; "" when it hung or closed instead.
    """

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    encrypted: bool
    answer: str = ""

    @property
    def message_id(self) -> str:
        import email

        return str(email.message_from_bytes(self.content)["Message-ID"])


@dataclass
class HostileSMTP:
    """A mail server on raw sockets that follows a mode of ``SMTP_MODES``.

    Attributes:
        mode: what to do from the next connection on.
        certificate: a file with key and certificate (see ``self_signed``); with it the server
            offers STARTTLS.
        login: user and password without which, and without STARTTLS, nobody may send.
        fates: what to do to a recipient, one mode for each time that a mail comes for him.
        allowance: so many mails are taken within so many seconds; the others get a 432.
        turned_away: when that was, by ``time.monotonic``.
        accepted: the ledger, in the order in which mails were taken.
        commands: every command line, and ``(message)`` for a complete message.
        refusals: every lasting refusal (5xx), as (recipient or "", answer).
        struck: the points at which it did something else than an obedient server.
        partial: what arrived of a message whose final dot never came.
    """

    mode: str = "ok"
    certificate: Path | None = None
    login: tuple[str, str] | None = None
    fates: dict[str, list[str]] = field(default_factory=dict)
    allowance: tuple[int, float] | None = None
    turned_away: list[float] = field(default_factory=list)
    accepted: list[AcceptedMail] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    refusals: list[tuple[str, str]] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)
    partial: bytes = b""

    def __post_init__(self) -> None:
        self._next: deque[str] = deque()
        self._taken: deque[float] = deque()
        self._stop = threading.Event()
        self._listener = socket.create_server((HOST, 0), backlog=64)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]

    @property
    def port(self) -> int:
        return self.address[1]

    def once(self, *modes: str) -> None:
        """Follow each of ``modes`` for one connection, then ``mode`` again.

        Who only asks how the server is takes no mode from those who bring a mail, unless it is
        about something that comes before mails.
        """
        self._next.extend(modes)

    def _mode_of(self, *, connecting: bool) -> dict[str, str] | None:
        """The script of the next mode, if it is about what happens now."""
        with contextlib.suppress(IndexError):
            script = SMTP_MODES[self._next[0]]
            if connecting == bool(script.keys() & BEFORE_MAILS):
                return SMTP_MODES[self._next.popleft()]
        return None

    def _is_crowded(self) -> bool:
        if self.allowance is None:
            return False
        number, seconds = self.allowance
        now = time.monotonic()
        while self._taken and self._taken[0] <= now - seconds:
            self._taken.popleft()
        if len(self._taken) >= number:
            self.turned_away.append(now)
            return True
        self._taken.append(now)
        return False

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, t: TracebackType | None
    ) -> None:
        self._stop.set()
        # Closing does not wake a thread in accept().
        with contextlib.suppress(OSError):
            socket.create_connection(self.address, 1).close()
        self._listener.close()

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _peer = self._listener.accept()
            except OSError:
                return
            script = self._mode_of(connecting=True) or SMTP_MODES[self.mode]
            threading.Thread(target=self._serve, args=(connection, script), daemon=True).start()

    def _serve(self, connection: socket.socket, script: dict[str, str]) -> None:
        conversation = _Conversation(self, connection, script)
        with contextlib.suppress(OSError, _HungUp):
            conversation.run()
        with contextlib.suppress(OSError):
            conversation.connection.close()


class _HungUp(Exception):
    """The server ends the conversation."""


class _Conversation:
    def __init__(
        self, server: HostileSMTP, connection: socket.socket, script: dict[str, str]
    ) -> None:
        self.server, self.connection, self.script = server, connection, script
        self.file = connection.makefile("rb")
        self.sender = ""
        self.recipients: list[str] = []
        self.encrypted = self.welcome = False

    def run(self) -> None:
        self.say("banner", "220 mail.test ESMTP")
        while line := self.file.readline():
            command = line.decode("ascii", "replace").rstrip("\r\n")
            self.server.commands.append(command)
            verb = command.partition(" ")[0].upper()
            getattr(self, f"on_{verb.lower()}", self.on_unknown)(command)

    def say(self, point: str, answer: str) -> None:
        if point in self.script:
            self.server.struck.append(point)
        answer = self.script.get(point, answer)
        if answer == HANG:
            self.server._stop.wait(HANG_SECONDS)
            raise _HungUp
        if answer == CLOSE:
            raise _HungUp
        if answer == DRIP:
            while not self.server._stop.wait(1):
                self.connection.sendall(b"2")
            raise _HungUp
        recipient = self.recipients[-1] if self.recipients else ""
        if answer[:1] == "5":
            self.server.refusals.append((recipient, answer))
        self.connection.sendall(answer.replace("{recipient}", recipient).encode() + b"\r\n")
        if answer[:3] == "421":
            raise _HungUp

    def on_ehlo(self, command: str) -> None:
        lines = ["mail.test", "SIZE 10000000", "8BITMIME", "AUTH PLAIN LOGIN"]
        if self.server.certificate and not self.encrypted:
            lines.append("STARTTLS")
        last = len(lines) - 1
        answer = "\r\n".join(f"250{' ' if n == last else '-'}{s}" for n, s in enumerate(lines))
        self.say("ehlo", answer)

    def on_starttls(self, command: str) -> None:
        self.say("starttls", "220 Go ahead")
        if "starttls" in self.script:
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(self.server.certificate))
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.file = self.connection.makefile("rb")
        self.encrypted = True

    def on_auth(self, command: str) -> None:
        _auth, _mechanism, response = [*command.split(" ", 2), ""][:3]
        given = b64decode(response).decode().split("\0")[1:]
        if self.server.login and (given != [*self.server.login] or not self.encrypted):
            self.say("auth", "535 5.7.8 Authentication failed")
            return
        self.welcome = True
        self.say("auth", "235 2.7.0 Welcome")

    def on_mail(self, command: str) -> None:
        if self.server.login and not self.welcome:
            self.say("mail", "530 5.7.0 Authentication required")
            return
        self.script = self.server._mode_of(connecting=False) or self.script
        self.sender = command.partition("<")[2].partition(">")[0]
        self.recipients = []
        if self.server._is_crowded():
            self.say("crowded", "432 4.3.2 Concurrent connections limit exceeded")
            return
        self.say("mail", "250 2.1.0 Ok")

    def on_rcpt(self, command: str) -> None:
        self.recipients.append(command.partition("<")[2].partition(">")[0])
        if fate := self.server.fates.get(self.recipients[-1]):
            self.script = SMTP_MODES[fate.pop(0)]
        point = "rcpt" if len(self.recipients) == 1 else "second_rcpt"
        if point in self.script:
            self.say(point, "")
            self.recipients.pop()
        else:
            self.say(point, "250 2.1.5 Ok")

    def on_data(self, command: str) -> None:
        self.say("data", "354 Go on")
        if "data" in self.script:
            return
        if self.script.get("dot") == CLOSE_EARLY:
            self.server.struck.append("dot")
            self.server.partial += self.connection.recv(10)
            # With unread bytes waiting, closing resets the connection.
            raise _HungUp
        content = b""
        while not content.endswith(b"\r\n.\r\n"):
            line = self.file.readline()
            if not line:
                self.server.partial += content
                raise _HungUp
            content += line
        self.server.commands.append("(message)")
        content = content[:-3].replace(b"\r\n..", b"\r\n.")
        answer = self.script.get("dot", "250 2.0.0 Ok: queued as 4XyZ7t")
        if answer in (HANG, CLOSE) or answer[:1] not in "45":
            said = "" if answer in (HANG, CLOSE) else answer
            self.server.accepted.append(
                AcceptedMail(self.sender, tuple(self.recipients), content, self.encrypted, said)
            )
        self.say("dot", answer)

    def on_quit(self, command: str) -> None:
        self.say("quit", "221 2.0.0 Bye")
        raise _HungUp

    def on_rset(self, command: str) -> None:
        self.say("rset", "250 2.0.0 Ok")

    on_noop = on_rset

    def on_unknown(self, command: str) -> None:
        self.say("unknown", "502 5.5.1 No such command")


def self_signed(directory: Path, name: str) -> Path:
    """A file with a new key and a certificate that only itself vouches for.

    Args:
        name: the host name or IP address that it is valid for.
    """
    path = directory / f"{name}.pem"
    kind = "IP" if name.replace(".", "").isdigit() else "DNS"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"),
            *("ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}"),
            *("-addext", f"subjectAltName={kind}:{name}"),
            *("-keyout", str(path), "-out", f"{path}.crt"),
        ],
        check=True,
        capture_output=True,
    )
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


# ── S3 ──────────────────────────────────────────────────────────────────────────────────


class Rclone:
    """``rclone serve s3``: a real server that checks signatures; objects are files on disk.

    It knows neither conditional writes nor versions and ignores checksums, as several servers
    do that speak S3.

    It remembers the sizes of files for a second: a test that changes or removes one behind its
    back calls ``forget`` afterwards.

    Attributes:
        directory: holds a directory per bucket.
        endpoint: for ``AWS_S3_ENDPOINT_URL``.
    """

    def __init__(self, directory: Path, port: int | None = None) -> None:
        self.directory = directory
        self.port = port or free_port()
        self.endpoint = f"http://{HOST}:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def storages(self, **options: Any) -> Any:
        """The ``STORAGES`` setting for this server."""
        return archive_storages(self.endpoint, patience=10, **options)

    def path(self, key: str) -> Path:
        """The file that holds an object."""
        return self.directory / BUCKET / key

    def forget(self) -> None:
        """Wait until the server looks at the files again."""
        time.sleep(1.1)

    def start(self) -> None:
        """Start, and return once it answers."""
        beside = Path(sys.executable).parent / "rclone"
        program = str(beside) if beside.exists() else shutil.which("rclone") or "rclone"
        self._process = subprocess.Popen(
            [
                *(program, "serve", "s3", str(self.directory), "--addr", f"{HOST}:{self.port}"),
                # With 0 it spins after a few dozen requests and answers no more (1.75.2).
                *("--config", os.devnull, "--dir-cache-time", "1s"),
            ],
            # In the environment, for arguments are visible to everybody on the machine.
            env={**os.environ, "RCLONE_AUTH_KEY": f'"{ACCESS_KEY},{SECRET_KEY}"'},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(self.endpoint, timeout=1).close()
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise RuntimeError("rclone did not start within 20 seconds.")

    def stop(self) -> None:
        """Stop; the objects stay, and ``start`` serves them again on the same port."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, t: TracebackType | None
    ) -> None:
        self.stop()


class Moto:
    """A real S3 server in memory that honours ``If-None-Match`` and checks signatures.

    Attributes:
        endpoint: for ``AWS_S3_ENDPOINT_URL``.
        access_key, secret_key: drawn by the server at ``welcome``.
    """

    #: Until its user may do something, the server believes everybody.
    argv: ClassVar = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", HOST, "-p"]
    environ: ClassVar = {"INITIAL_NO_AUTH_ACTION_COUNT": "3"}

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://{HOST}:{port}"
        self.access_key = self.secret_key = ""

    def welcome(self) -> None:
        """Make a user who may use S3, once after the server's start."""
        iam = self.client("iam", "nobody", "nothing")
        iam.create_user(UserName="careers")
        key = iam.create_access_key(UserName="careers")["AccessKey"]
        allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [allowed]}
        iam.put_user_policy(UserName="careers", PolicyName="s3", PolicyDocument=json.dumps(policy))
        self.access_key, self.secret_key = key["AccessKeyId"], key["SecretAccessKey"]

    def client(self, service: str = "s3", key: str = "", secret: str = "") -> Any:
        """A client of the server; the user's own unless told otherwise."""
        import boto3

        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            aws_access_key_id=key or self.access_key,
            aws_secret_access_key=secret or self.secret_key,
            region_name="us-east-1",
        )


def redis_with_tls(directory: Path, port: int, password: str, certificate: Path) -> list[str]:
    """The command that becomes Debian's Redis, which speaks nothing but TLS on ``port``.

    The embedded broker is built without TLS. Debian's package ``redis-tools`` holds the server
    under another name, and unlike ``redis-server`` starts nothing when it is installed.

    Raises:
        RuntimeError: it is not installed.
    """
    program = shutil.which("redis-server") or shutil.which("redis-check-rdb")
    if program is None:
        raise RuntimeError("Redis was not found. `bin/setup --dev` installs it.")
    directory.mkdir(parents=True, exist_ok=True)
    configuration = directory / "redis.conf"
    configuration.write_text(
        f"bind {HOST}\nport 0\ntls-port {port}\ntls-cert-file {certificate}\n"
        f"tls-key-file {certificate}\ntls-auth-clients no\nrequirepass {password}\n"
        f"dir {directory}\nappendonly yes\nmaxmemory-policy noeviction\n"
    )
    become = f"import os; os.execv({program!r}, ['redis-server', {str(configuration)!r}])"
    return [sys.executable, "-c", become]


#: What ``HostileS3`` does to every request, or to those of the named method.
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
    "taken": "somebody else writes under the key right before each PUT",
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
        takes_names: whether creating a bucket answers that the name is somebody else's.
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
        """What to do to a request; each mode that is for so many requests is used up."""
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
        """Put an object there behind the client's back, as a new version."""
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
        """Tests read ``requests``; nobody reads a log."""

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
            s3.put(key, b"somebody else's")
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


@contextlib.contextmanager
def trusting(certificate: Path) -> Iterator[None]:
    """Let this process trust a ``self_signed`` certificate (OpenSSL's ``SSL_CERT_FILE``)."""
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = str(certificate)
    try:
        yield
    finally:
        if before is None:
            del os.environ["SSL_CERT_FILE"]
        else:
            os.environ["SSL_CERT_FILE"] = before
