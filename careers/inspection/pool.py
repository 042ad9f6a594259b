"""The way to the child processes that read files, and for how long they may run.

Each process that checks files has one fork server (``fork_server``). It starts with the first file
or with ``warm_up``, and again after it was killed.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from careers.inspection import confinement, messages
from careers.inspection.slots import Slots
from careers.inspection.verdicts import Active, Busy, Judged, Pages, Refused, Verdict

log = logging.getLogger(__name__)

#: Seconds that a fork server may take to start.
STARTS_WITHIN = 30
#: Seconds until a message to or from a child counts as lost. The child is killed before.
LOST_AFTER = confinement.WALL + 5

#: Starts the server without this process's environment and settings. It finds the package by the
#: first argument, however the package is installed.
_START = (
    "import sys; sys.path.append(sys.argv[1]); from careers.inspection import fork_server; "
    "fork_server.main(int(sys.argv[2]), sys.argv[3])"
)
#: What the server sends when it has started.
STARTED = b"+"
_ROOT = Path(__file__).parents[2]
_IN_MEMORY = hasattr(os, "memfd_create")
#: A child needs none of our variables, and some of them are secrets.
_ENVIRONMENT = {"LANG": "C.UTF-8", "PATH": os.defpath}


class ForkServer:
    """Runs jobs on files, each in a child process of its own.

    Args:
        module: the module with the jobs.
    """

    def __init__(self, module: str = "careers.inspection.jobs") -> None:
        self._module = module
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def run(
        self, job: str, content: bytes, **asked: Any
    ) -> tuple[dict[str, Any], list[bytes]] | None:
        """Run a job on the bytes of a file.

        Returns:
            The answer; None when the child ended without one, so the file exceeded a limit.

        Raises:
            Busy: no child could be started, or the server ended together with the child.
        """
        request = json.dumps({"job": job, "size": len(content), **asked}).encode()
        ours, theirs = socket.socketpair()
        with ours:
            with theirs, _file_with(content) as file:
                self._hand_over(request, theirs.fileno(), file)
            ours.settimeout(LOST_AFTER)
            try:
                answer, parts = messages.read(ours.recv)
            except (OSError, messages.Broken):
                if self._has_ended():
                    raise Busy from None
                return None
        if "busy" in answer:
            raise Busy
        return answer, parts

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _hand_over(self, request: bytes, channel: int, file: int) -> None:
        with self._lock:
            for _attempt in range(2):
                control = self._control or self._start()
                try:
                    socket.send_fds(control, [request], [channel, file])
                except OSError:
                    self._stop()
                else:
                    return
        raise Busy

    def warm_up(self) -> None:
        """Start the server, so that the first file does not wait for it."""
        with self._lock, contextlib.suppress(Busy):
            if self._control is None:
                self._start()

    def _start(self) -> socket.socket:
        """Start the server and wait until it has loaded the libraries."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 -- our own interpreter and code
                [sys.executable, "-I", "-c", _START, _ROOT, str(theirs.fileno()), self._module],
                env=_ENVIRONMENT,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._control = ours
        ours.settimeout(STARTS_WITHIN)
        try:
            reply = ours.recv(512)
        except OSError:
            reply = b"- no answer"
        if reply != STARTED:
            self._stop()
            log.error("Files can't be checked: the fork server did not start: %s", reply.decode())
            raise Busy
        return ours

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def close(self) -> None:
        """End the server and its children."""
        with self._lock:
            self._stop()

    def forget(self) -> None:
        """Leave the server to the process that this one was forked from."""
        self._lock = threading.Lock()
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            # It is no child of this process, so there is nothing to wait for.
            self._process.returncode = 0
            self._process = None


@contextlib.contextmanager
def _file_with(content: bytes) -> Iterator[int]:
    """A file without a name that holds these bytes, in memory where the system can (Linux)."""
    with os.fdopen(os.memfd_create("file"), "wb", 0) if _IN_MEMORY else TemporaryFile() as file:
        rest = memoryview(content)
        while rest:
            rest = rest[file.write(rest) :]
        file.flush()
        yield file.fileno()


SERVER = ForkServer()
#: For the staff, whom a flood of uploads must not delay.
READERS = Slots(running=2, places=4, of_one_sender=2)


def warm_up() -> None:
    """Get ready for the first file. Call it when a web process starts."""
    SERVER.warm_up()


def judge(content: bytes) -> Judged:
    """Judge an uploaded file by its bytes alone.

    The caller bounds how many run at once (``careers.inspection.slots``).

    Raises:
        Refused: the file is damaged, locked, dangerous to parse, or of another type.
        Busy: nothing is known about the file; ask again in a minute.
    """
    answer, _parts = _answer("judge", content)
    try:
        active = frozenset(Active(code) for code in answer["active"])
        return Judged(str(answer["content_type"]), active)
    except (KeyError, TypeError, ValueError):
        raise Refused(Verdict.TOO_COMPLEX) from None


def pages(
    content: bytes, content_type: str, *, first: int = 0, count: int = 10, reader: str = ""
) -> Pages:
    """Pages of a file as pictures, and the words of an office file.

    Args:
        content_type: what ``judge`` said.
        first: the page to begin with; the first one is 0.
        count: the most pages to return. Fewer come when they would exceed the limits.
        reader: whoever shares a slot, for instance the id of the user.

    Raises:
        Refused: the file can't be shown.
        Busy: too many files are shown at this moment.
    """
    with READERS.taken_by(reader):
        answer, parts = _answer(
            "pages", content, content_type=content_type, first=first, count=count
        )
    try:
        return Pages(int(answer["total"]), tuple(parts), str(answer["text"]))
    except (KeyError, TypeError, ValueError):
        raise Refused(Verdict.TOO_COMPLEX) from None


def text_of(content: bytes, content_type: str) -> str:
    """The words of a file for the search; "" for a picture.

    Args:
        content_type: what ``judge`` said.

    Raises:
        Refused: the file can't be read.
        Busy: no process could be started.
    """
    answer, _parts = _answer("text", content, content_type=content_type)
    return str(answer.get("text", ""))


def rest() -> None:
    """End the fork server of this process until the next file; it holds some 80 MB of memory."""
    SERVER.close()


def _answer(job: str, content: bytes, **asked: Any) -> tuple[dict[str, Any], list[bytes]]:
    started = time.monotonic()
    found = SERVER.run(job, content, **asked)
    if found is None or "failed" in found[0]:
        # Not a word of the file: it may hold personal data.
        log.warning(
            "A file of %d bytes could not be read after %.1f s: %s",
            len(content),
            time.monotonic() - started,
            "the process ended" if found is None else str(found[0]["failed"])[:40],
        )
        raise Refused(Verdict.TOO_COMPLEX)
    head, parts = found
    if "refused" in head:
        try:
            raise Refused(Verdict(head["refused"]))
        except ValueError:
            raise Refused(Verdict.TOO_COMPLEX) from None
    return head, parts


atexit.register(SERVER.close)
os.register_at_fork(after_in_child=SERVER.forget)
