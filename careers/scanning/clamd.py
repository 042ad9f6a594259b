"""A client of clamd, the daemon of ClamAV: scan bytes, and ask whether it answers.

The protocol is in clamd(8), section COMMANDS: https://docs.clamav.net/manual/Usage/Scanning.html#clamd
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import socket
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings

from careers.applications.errors import EffectError, Misconfigured, Permanent, Transient
from careers.applications.sentences import sentence as _

#: Seconds to connect, and for one command with its answer. clamd itself stops after two minutes,
#: but a step has less time.
CONNECT_SECONDS = 5
SCAN_SECONDS = 60
PROBE_SECONDS = 10
CHUNK = 64 * 1024
#: An answer is one short line. Whatever answers more is no clamd.
LONGEST_ANSWER = 4096
#: What clamd reports, if it is told to, when it has not looked at the whole content.
NOT_READ = ("Heuristics.Limits.Exceeded", "Heuristics.Encrypted")


def is_configured() -> bool:
    """Whether CLAMAV_URL names a scanner."""
    return bool(settings.CLAMAV_URL)


def scan(content: bytes) -> str:
    """Scan the content of one file.

    Returns:
        The name of the signature that was found, at most 100 characters; "" for a clean file.

    Raises:
        Transient: clamd did not answer, or had an error of its own.
        Permanent: clamd did not read the whole file.
        Misconfigured: CLAMAV_URL leads to no clamd.
    """
    answer = _ask("INSTREAM", content, seconds=SCAN_SECONDS)
    if answer == "stream: OK":
        return ""
    if found := re.fullmatch(r"stream: ([\x21-\x7e]+) FOUND", answer):
        signature = found[1]
        if not signature.startswith(NOT_READ):
            return signature[:100]
        raise Permanent(
            "scan-incomplete",
            _(
                "The virus scanner could not read the whole file (%(limit)s). Raise the limits in "
                "clamd.conf and retry, or open the file without a scan."
            )
            % {"limit": signature[:100]},
        )
    if answer.startswith("INSTREAM size limit exceeded"):
        raise Permanent(
            "scan-too-large",
            _(
                "The file is larger than the virus scanner accepts. Raise StreamMaxLength in "
                "clamd.conf and retry, or open the file without a scan."
            ),
        )
    if answer.endswith("ERROR") or answer == "COMMAND READ TIMED OUT":
        raise Transient(
            "scanner-failed",
            _("The virus scanner had an internal error. The site tries again."),
        )
    raise _no_clamd()


def probe() -> None:
    """Return when clamd answers.

    Raises:
        Transient, Misconfigured: what is wrong.
    """
    if _ask("PING", seconds=PROBE_SECONDS) != "PONG":
        raise _no_clamd()


def database_date() -> dt.date | None:
    """The day of clamd's signatures; None if it has none of ClamAV's own.

    Raises:
        Transient, Misconfigured: as for ``probe``.
    """
    # Such as: ClamAV 1.4.3/27700/Sat Jul 12 08:26:51 2025
    stamp = _ask("VERSION", seconds=PROBE_SECONDS).rpartition("/")[2]
    with contextlib.suppress(ValueError):
        return dt.datetime.strptime(stamp, "%a %b %d %H:%M:%S %Y").date()
    return None


def _ask(command: str, content: bytes | None = None, *, seconds: float) -> str:
    """Send one command, and return the one line that clamd answers."""
    deadline = time.monotonic() + seconds
    try:
        with _connected() as connection:
            try:
                _send(connection, f"z{command}\0".encode(), deadline)
                if content is not None:
                    for start in range(0, len(content), CHUNK):
                        chunk = content[start : start + CHUNK]
                        _send(connection, len(chunk).to_bytes(4, "big") + chunk, deadline)
                    _send(connection, bytes(4), deadline)
            except (BrokenPipeError, ConnectionResetError):
                pass  # clamd refuses a stream that is too long, and its answer may be here
            return _receive(connection, deadline)
    except OSError:
        raise _silent() from None


def _connected() -> socket.socket:
    url = urlsplit(settings.CLAMAV_URL)
    try:
        if url.scheme == "tcp":
            return socket.create_connection((url.hostname, url.port), CONNECT_SECONDS)
        path = unquote(url.path)
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(CONNECT_SECONDS)
            connection.connect(path)
        except BaseException:
            connection.close()
            raise
        return connection
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise _silent() from None
        raise Misconfigured(
            "scanner-address",
            _(
                "The address of the virus scanner is unknown. Check the host in CLAMAV_URL, and "
                "that clamd runs."
            ),
        ) from None
    except FileNotFoundError:
        # A clamd that stops removes its socket, but not the directory.
        raise (_silent() if Path(path).parent.is_dir() else _no_socket()) from None
    except (PermissionError, NotADirectoryError):
        raise _no_socket() from None


def _send(connection: socket.socket, content: bytes, deadline: float) -> None:
    connection.settimeout(_left(deadline))
    connection.sendall(content)


def _receive(connection: socket.socket, deadline: float) -> str:
    answer = b""
    while not answer.endswith(b"\0"):
        connection.settimeout(_left(deadline))
        received = connection.recv(LONGEST_ANSWER)
        if not received:
            raise ConnectionResetError  # clamd was stopped, or is no clamd: nobody can tell
        answer += received
        if len(answer) > LONGEST_ANSWER:
            raise _no_clamd()
    return answer.rstrip(b"\0").decode("ascii", "replace").strip()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _silent() -> EffectError:
    return Transient(
        "scanner-unreachable",
        _("The virus scanner (clamd) did not answer. The site tries again."),
    )


def _no_socket() -> EffectError:
    return Misconfigured(
        "scanner-address",
        _("The socket of the virus scanner can’t be opened. Check the path in CLAMAV_URL."),
    )


def _no_clamd() -> EffectError:
    return Misconfigured(
        "scanner-protocol",
        _("The server at CLAMAV_URL is not clamd. Check the address."),
    )
