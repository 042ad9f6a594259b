"""The process that forks a child for each file. It has read the libraries, and never reads a file.

A child serves one file and ends, so no file meets what an earlier one left behind. A fork costs
some milliseconds; a new interpreter with the libraries costs 0.2 s of CPU. The server is a fresh
program with one thread: it inherits no socket, no secret and no lock of the process that needs it.
It ends when the other end of its socket closes.

Command line: ``fork_server.main(control, module)``, see ``pool.ForkServer``.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from careers.inspection import confinement, messages

#: A job: takes what was asked and the bytes, returns a JSON-able answer and bytes.
Job = Callable[[dict[str, Any], bytes], tuple[dict[str, Any], list[bytes]]]

#: What stays readable in a child beside the libraries: the fonts that pages need, and the random
#: numbers without which qpdf decrypts nothing.
READABLE = ("/usr/share/fonts", "/usr/local/share/fonts", "/etc/fonts", "/dev/urandom")


def main(control: int, module: str) -> NoReturn:
    """Serve until the socket closes.

    Args:
        control: the file descriptor of the socket. Each message on it is one job: what is asked,
            as JSON, with a socket for the answer and a file with the bytes to read.
        module: the module whose ``JOBS`` are the functions that a child may call, by name.
    """
    ours = socket.socket(fileno=control)
    # Ctrl-C in a terminal reaches every process of the site; the web process decides when to end.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    try:
        jobs: dict[str, Job] = importlib.import_module(module).JOBS
    except Exception as error:
        ours.sendall(f"-{type(error).__name__}: {error}".encode()[:500])
        sys.exit(1)
    confinement.die_first()
    confinement.step_back(os.getpid(), confinement.NICENESS)
    confinement.limit_children()
    sandbox = confinement.Sandbox(_readable())
    gc.collect()
    gc.freeze()
    ours.sendall(b"+")
    _serve(ours, jobs, sandbox)


def _serve(control: socket.socket, jobs: dict[str, Job], sandbox: confinement.Sandbox) -> NoReturn:
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    #: When each child began, by its id, and those that have stepped back.
    began: dict[int, float] = {}
    niced: set[int] = set()
    sources: list[Any] = [control, woken]
    while True:
        ready = select.select(sources, [], [], _next_look(began, niced))[0]
        if woken in ready:
            os.read(woken, 512)
        _bury(began, niced)
        for child, start in began.items():
            age = time.monotonic() - start
            if age >= confinement.WALL:
                os.kill(child, signal.SIGKILL)
            elif age >= confinement.STEPS_BACK_AFTER and child not in niced:
                confinement.step_back(child, confinement.NICENESS_OF_EXPENSIVE)
                niced.add(child)
        if control in ready:
            asked, passed, _flags, _address = socket.recv_fds(control, messages.ASKED_LIMIT, 2)
            if not asked:
                for child in began:
                    os.kill(child, signal.SIGKILL)
                os._exit(0)
            child = _fork(asked, passed, control, jobs, sandbox)
            for file in passed:
                os.close(file)
            if child:
                began[child] = time.monotonic()


def _next_look(began: dict[int, float], niced: set[int]) -> float | None:
    """Seconds until a child is due; None when there is none."""
    due = [
        start + (confinement.WALL if child in niced else confinement.STEPS_BACK_AFTER)
        for child, start in began.items()
    ]
    return max(min(due) - time.monotonic(), 0) if due else None


def _bury(began: dict[int, float], niced: set[int]) -> None:
    """Forget the children that ended."""
    while began:
        child, _status = os.waitpid(-1, os.WNOHANG)
        if not child:
            return
        began.pop(child, None)
        niced.discard(child)


def _fork(
    asked: bytes,
    passed: list[int],
    control: socket.socket,
    jobs: dict[str, Job],
    sandbox: confinement.Sandbox,
) -> int:
    """Fork a child for one file; returns its id, 0 when the machine has no room."""
    channel, file = passed
    # What is asked comes from our own process. Reading it costs less here than in a child, which
    # first gets a copy of all memory that it touches.
    head: dict[str, Any] = json.loads(asked)
    job, size = jobs[head.pop("job")], int(head.pop("size"))
    try:
        child = confinement.fork()
    except OSError:
        # Whoever asked may have ended meanwhile.
        with contextlib.suppress(OSError):
            os.write(channel, messages.head({"busy": True}))
        return 0
    if child == 0:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            confinement.die_with_parent()
            os.close(control.fileno())
            confinement.limit()
            sandbox.enter()
            _work(channel, job, head, file, size)
        finally:
            os._exit(0)
    return child


def _work(channel: int, job: Job, head: dict[str, Any], file: int, size: int) -> None:
    try:
        answer, parts = job(head, os.pread(file, size, 0))
    except MemoryError:
        answer, parts = {"failed": "MemoryError"}, []
    except Exception as error:  # a parser may fail in any way on such bytes
        # The name alone: the text of an error may hold words of the applicant.
        answer, parts = {"failed": type(error).__name__}, []
    for piece in (messages.head(answer, [len(part) for part in parts]), *parts):
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(channel, rest) :]


def _readable() -> set[str]:
    paths = sysconfig.get_paths()
    libraries = {sys.prefix, sys.base_prefix, paths["stdlib"], paths["purelib"], paths["platlib"]}
    return {*libraries, str(Path(__file__).parent), *READABLE}
