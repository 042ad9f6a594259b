"""The client of clamd, with a real clamd and with servers that misbehave."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from careers.applications.errors import EffectError, Misconfigured, Permanent, Transient
from careers.scanning import clamd as client
from careers.scanning import database_date, probe, scan
from tests.support.papers import make_cv, make_docx, make_zip
from tests.support.servers import EICAR, HOST, SIGNATURE, Clamd, reserve_port

# ── A real clamd ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("content", [b"", b"Dear all", make_cv(), make_docx()])
def test_scan_of_clean_content_finds_nothing(clamd: Clamd, content: bytes) -> None:
    assert scan(content) == ""


@pytest.mark.parametrize(
    "content",
    [
        EICAR,
        make_zip({"a.txt": EICAR}),
        make_docx(word__media__a_bin=EICAR),
        make_zip({"inner.zip": make_zip({"a.txt": EICAR})}),
        make_cv() + b"\n%" + EICAR,
        b" " * 200_000 + EICAR,
    ],
    ids=["raw", "zipped", "in a DOCX", "zipped twice", "in a PDF", "after several chunks"],
)
def test_scan_of_infected_content_names_the_signature(clamd: Clamd, content: bytes) -> None:
    assert scan(content) == SIGNATURE


def test_scan_over_a_unix_socket(tmp_path: Path, settings: Any) -> None:
    with Clamd(tmp_path, unix=True) as clamd:
        settings.CLAMAV_URL = clamd.url
        assert (scan(b"Dear all"), scan(EICAR)) == ("", SIGNATURE)
        probe()
    # A clamd that was stopped is started again; one that was never there is a wrong setting.
    assert isinstance(error_of(probe), Transient)
    settings.CLAMAV_URL = f"unix://{tmp_path}/nowhere/clamd.ctl"
    assert isinstance(error_of(probe), Misconfigured)


def test_scan_of_content_beyond_stream_max_length_is_a_permanent_error(
    tmp_path: Path, settings: Any
) -> None:
    with Clamd(tmp_path, stream_max_length="1M") as clamd:
        settings.CLAMAV_URL = clamd.url
        assert scan(b"x" * 2**20) == ""
        for size in (2**20 + 1, 9 * 2**20):
            error = error_of(lambda size=size: scan(b"x" * size))
            assert (type(error), error.code) == (Permanent, "scan-too-large")
            assert "StreamMaxLength" in error.public


def test_probe_of_a_running_clamd_passes(clamd: Clamd) -> None:
    probe()
    # The test's own signatures have no date.
    assert database_date() is None


def test_scan_while_clamd_is_down_is_a_temporary_error(settings: Any) -> None:
    settings.CLAMAV_URL = f"tcp://{HOST}:{reserve_port()}"
    for ask in (probe, lambda: scan(b"x")):
        error = error_of(ask)
        assert (type(error), error.code) == (Transient, "scanner-unreachable")


@pytest.mark.parametrize(
    ("number", "kind"), [(socket.EAI_NONAME, Misconfigured), (socket.EAI_AGAIN, Transient)]
)
def test_unknown_host_is_a_configuration_error(
    settings: Any, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[EffectError]
) -> None:
    def unknown(*_args: Any, **_kwargs: Any) -> None:
        raise socket.gaierror(number, "no")

    monkeypatch.setattr(socket, "create_connection", unknown)
    settings.CLAMAV_URL = "tcp://clamav.example:3310"
    assert type(error_of(probe)) is kind


# ── Servers that are not clamd, or are ill ──────────────────────────────────────────────


@contextlib.contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that does this with each connection; gives its CLAMAV_URL."""
    with socket.create_server((HOST, 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _address = server.accept()
                    with connection, contextlib.suppress(OSError):
                        answer(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"tcp://{HOST}:{server.getsockname()[1]}"
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)


def error_of(ask: Callable[[], Any]) -> EffectError:
    with pytest.raises(EffectError) as raised:
        ask()
    return raised.value


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (b"stream: Can't allocate memory ERROR\0", Transient, "scanner-failed"),
        (b"COMMAND READ TIMED OUT\0", Transient, "scanner-failed"),
        (b"stream: O", Transient, "scanner-unreachable"),
        (b"", Transient, "scanner-unreachable"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n\0", Misconfigured, "scanner-protocol"),
        (b"OK\0", Misconfigured, "scanner-protocol"),
        (b"stream: two words FOUND\0", Misconfigured, "scanner-protocol"),
        (b"UNKNOWN COMMAND\0", Misconfigured, "scanner-protocol"),
        (b"x" * 100_000, Misconfigured, "scanner-protocol"),
        (
            b"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0",
            Permanent,
            "scan-incomplete",
        ),
        (b"stream: Heuristics.Encrypted.Zip FOUND\0", Permanent, "scan-incomplete"),
    ],
)
def test_scan_classifies_each_answer(
    settings: Any, answer: bytes, kind: type[EffectError], code: str
) -> None:
    def reply(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)

    with answering(reply) as settings.CLAMAV_URL:
        error = error_of(lambda: scan(b"Dear all"))
    assert (type(error), error.code) == (kind, code)


def test_scan_with_long_signature_returns_its_beginning(settings: Any) -> None:
    def reply(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"stream: " + b"V" * 500 + b" FOUND\0")

    with answering(reply) as settings.CLAMAV_URL:
        assert scan(b"x") == "V" * 100


@pytest.mark.parametrize("reads", [True, False], ids=["never answers", "never reads"])
def test_scan_by_a_server_that_hangs_ends_at_the_time_limit(
    settings: Any, monkeypatch: pytest.MonkeyPatch, reads: bool
) -> None:
    released = threading.Event()

    def hang(connection: socket.socket) -> None:
        while reads and connection.recv(65536):
            pass
        released.wait(30)

    monkeypatch.setattr(client, "SCAN_SECONDS", 0.2)
    with answering(hang) as settings.CLAMAV_URL:
        error = error_of(lambda: scan(b"x" * 9 * 2**20))
        released.set()
    assert (type(error), error.code) == (Transient, "scanner-unreachable")


def test_scan_by_a_server_that_drips_ends_at_the_time_limit(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()

    def drip(connection: socket.socket) -> None:
        while not released.wait(0.05):
            connection.sendall(b"s")

    monkeypatch.setattr(client, "SCAN_SECONDS", 0.3)
    with answering(drip) as settings.CLAMAV_URL:
        assert error_of(lambda: scan(b"x")).code == "scanner-unreachable"
        released.set()


@pytest.mark.parametrize(
    ("answer", "date"),
    [
        (b"ClamAV 1.4.3/27700/Sat Jul 12 08:26:51 2025\0", dt.date(2025, 7, 12)),
        (b"ClamAV 1.4.3\0", None),
        (b"ClamAV 1.4.3/27700/a day\0", None),
    ],
)
def test_database_date_is_read_from_the_version(
    settings: Any, answer: bytes, date: dt.date | None
) -> None:
    def reply(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)

    with answering(reply) as settings.CLAMAV_URL:
        assert database_date() == date
