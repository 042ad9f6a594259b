"""A mail server that misbehaves on demand."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from base64 import b64decode
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.servers.ports import HANG_SECONDS, HOST, reserve_port

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
#: Points of a conversation before it is known whether a mail will come.
BEFORE_MAILS = frozenset(["banner", "ehlo", "starttls", "auth"])
#: Modes in which the server accepts the mail, whatever it then answers.
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
    """A mail that the server accepted.

    ``answer`` is its reply to the mail; "" when it hung or closed the connection instead.
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
        login: user and password, which are required with STARTTLS.
        smtputf8: offer SMTPUTF8; without it, refuse letters beyond ASCII in commands.
        fates: what to do to a recipient, one mode for each mail to them.
        allowance: so many mails are taken within so many seconds; the others get a 432.
        turned_away: when that was, by ``time.monotonic``.
        accepted: the ledger, in the order in which mails were taken.
        commands: every command line, and ``(message)`` for a complete message.
        refusals: every permanent refusal (5xx), as (recipient or "", answer).
        injected: the points at which it did something else than an obedient server.
        partial: the beginning of a message that never ended.
    """

    mode: str = "ok"
    certificate: Path | None = None
    login: tuple[str, str] | None = None
    smtputf8: bool = True
    fates: dict[str, list[str]] = field(default_factory=dict)
    allowance: tuple[int, float] | None = None
    turned_away: list[float] = field(default_factory=list)
    accepted: list[AcceptedMail] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    refusals: list[tuple[str, str]] = field(default_factory=list)
    injected: list[str] = field(default_factory=list)
    partial: bytes = b""

    def __post_init__(self) -> None:
        self._next: deque[str] = deque()
        self._taken: deque[float] = deque()
        self._stop = threading.Event()
        self._listener = socket.create_server((HOST, reserve_port()), backlog=64)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]

    @property
    def port(self) -> int:
        return self.address[1]

    def once(self, *modes: str) -> None:
        """Follow each of ``modes`` for one connection, then ``mode`` again.

        A probe uses up no mode that is meant for a mail, unless the mode is about something that
        comes before mails.
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
            command = line.decode("utf-8", "replace").rstrip("\r\n")
            self.server.commands.append(command)
            if not (command.isascii() or self.server.smtputf8):
                self.say("unknown", "501 5.5.2 Syntax error")
                continue
            verb = command.partition(" ")[0].upper()
            getattr(self, f"on_{verb.lower()}", self.on_unknown)(command)

    def say(self, point: str, answer: str) -> None:
        if point in self.script:
            self.server.injected.append(point)
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
        if self.server.smtputf8:
            lines.append("SMTPUTF8")
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
            self.server.injected.append("dot")
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
