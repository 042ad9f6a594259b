"""The child processes that read strangers' files: what they may do, and what ends them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from careers.inspection import Busy, confinement, fork_server, messages
from careers.inspection.pool import ForkServer
from tests.support.processes import until


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    server = ForkServer("tests.support.child_jobs")
    yield server
    server.close()


def test_child_returns_plain_data_and_bytes(server: ForkServer) -> None:
    content = os.urandom(3_000_000)
    found = server.run("echo", content, word="é")
    assert found is not None
    head, parts = found
    assert (head["word"], parts) == ("é", [content, content[:1]])


def test_each_file_has_a_child_of_its_own(server: ForkServer) -> None:
    heads = [found[0] for found in (server.run("echo", b"x") for _ in range(3)) if found]
    assert len({head["pid"] for head in heads}) == 3
    assert len({head["server"] for head in heads}) == 1


def test_child_steps_back_behind_the_process_that_serves_pages(server: ForkServer) -> None:
    found = server.run("echo", b"x")
    assert found is not None
    assert found[0]["niceness"] == max(os.nice(0), confinement.NICENESS)


@pytest.mark.parametrize("job", ["spin", "sleep", "crash"])
def test_child_over_its_limits_ends_without_an_answer(server: ForkServer, job: str) -> None:
    assert server.run(job, b"") is None
    assert server.run("echo", b"next") is not None


@pytest.mark.parametrize(("job", "name"), [("allocate", "MemoryError"), ("fail", "ValueError")])
def test_failed_child_reports_only_the_name_of_its_error(
    server: ForkServer, job: str, name: str
) -> None:
    assert server.run(job, b"") == ({"failed": name}, [])


def test_child_inherits_neither_environment_nor_files(server: ForkServer) -> None:
    found = server.run("surroundings", b"")
    assert found is not None
    assert not set(found[0]["environment"]) - {"LANG", "PATH", "LC_CTYPE"}
    # Standard input, output and error, the file with its socket, and the server's two ends of its
    # alarm.
    assert len(found[0]["files"]) <= 7


@pytest.mark.skipif(sys.platform != "linux", reason="Landlock and seccomp are Linux's")
def test_child_reaches_nothing_outside_itself(server: ForkServer) -> None:
    found = server.run("escapes", b"", path=__file__)
    assert found is not None
    assert found[0]["open"] == []


def test_killed_fork_server_is_replaced(server: ForkServer) -> None:
    first = server.run("echo", b"")
    assert first is not None
    os.kill(first[0]["server"], signal.SIGKILL)
    until(server._has_ended, 5, "the server is still there")
    second = server.run("echo", b"")
    assert second is not None
    assert second[0]["server"] != first[0]["server"]


def test_fork_server_that_dies_with_a_file_means_busy(server: ForkServer) -> None:
    found = server.run("echo", b"")
    assert found is not None
    killer = threading.Timer(0.2, os.kill, (found[0]["server"], signal.SIGKILL))
    killer.start()
    with pytest.raises(Busy):
        server.run("sleep", b"")
    killer.join()


def test_fork_server_without_jobs_means_busy(caplog: pytest.LogCaptureFixture) -> None:
    server = ForkServer("tests.support.no_such_module")
    with pytest.raises(Busy):
        server.run("echo", b"")
    assert "ModuleNotFoundError" in caplog.text


def test_machine_without_room_for_a_child_means_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError

    monkeypatch.setattr(confinement, "fork", refuse)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        asked, passed = b'{"job": "any", "size": 0}', [theirs.fileno(), -1]
        unused: Any = None
        assert fork_server._fork(asked, passed, theirs, {"any": unused}, unused) == 0
        answer = messages.read(ours.recv)
        # Nobody waits for the answer any more, and the server goes on.
        ours.close()
        assert fork_server._fork(asked, passed, theirs, {"any": unused}, unused) == 0
    server = ForkServer()
    monkeypatch.setattr(server, "_hand_over", lambda *_more: None)
    monkeypatch.setattr(messages, "read", lambda _receive: answer)
    with pytest.raises(Busy):
        server.run("any", b"")


FORKS = """
import os
from careers.inspection.pool import SERVER, judge
from tests.support.papers import make_cv
PDF = make_cv()
print(judge(PDF).content_type, SERVER._process.pid, flush=True)
child = os.fork()
print(judge(PDF).content_type, SERVER._process.pid, flush=True)
if child:
    os.waitpid(child, 0)
"""


def test_forked_process_gets_a_server_of_its_own_and_all_end_with_their_process() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKS], capture_output=True, text=True, check=True
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    assert {kind for kind, _pid in lines} == {"application/pdf"}
    servers = {int(pid) for _kind, pid in lines}
    assert (len(lines), len(servers), done.stderr) == (3, 2, "")
    for pid in servers:
        until(lambda pid=pid: not _runs(pid), 5, "a fork server outlived its process")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


# ── Messages ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\0\0",
        b"\xff\xff\xff\xff",
        b"\0\0\0\2[]",
        b"\0\0\0\2{}",
        b'\0\0\0\x0c{"sizes":-1}',
        b'\0\0\0\x0d{"sizes":[-1]',
        b'\0\0\0\x1c{"sizes":[99999999999999999]}',
        b'\0\0\0\x0e{"sizes":[true]',
        b'\0\0\0\x0d{"sizes":[5]}\0',
        b"\0\1\0\0" + b"[" * 65536,
    ],
)
def test_reader_refuses_what_is_no_message(sent: bytes) -> None:
    left = bytearray(sent)

    def receive(size: int) -> bytes:
        piece = bytes(left[:size])
        del left[:size]
        return piece

    with pytest.raises(messages.Broken):
        messages.read(receive)
