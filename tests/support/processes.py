"""Processes that tests start, stop, freeze and kill; each dies with the test run."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.support.preloaded import Fork, Preloaded
from tests.support.speed import Deadline, patient

#: The kernel kills the child when we die, however that happens (prctl(2), PR_SET_PDEATHSIG).
#: Changing the user would undo that, and another user may not be able to run our Python.
_TIED = (
    "import ctypes, os, sys\n"
    "user = int(sys.argv[1])\n"
    "if user != os.getuid(): os.setgroups([]); os.setuid(user)\n"
    "ctypes.CDLL(None).prctl(1, 9)\n"
    "os.execvp(sys.argv[2], sys.argv[2:])\n"
)


class Process:
    """One program, in its own session and process group.

    Start it from the main thread: the kernel ties it to the thread that starts it.

    Attributes:
        preloaded: what it is forked from; without it the program starts from nothing.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        environ: Mapping[str, str],
        log: Path,
        cwd: Path | None = None,
        user: int | None = None,
        preloaded: Preloaded | None = None,
    ) -> None:
        self.name, self.argv, self.log = name, list(argv), log
        self.environ, self._cwd = dict(environ), cwd
        self._user = os.getuid() if user is None else user
        self.preloaded = preloaded
        self._popen: subprocess.Popen[bytes] | Fork | None = None
        self._all_gone = False

    @property
    def pid(self) -> int:
        assert self._popen is not None, f"{self.name} was never started"
        return self._popen.pid

    @property
    def running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    @property
    def returncode(self) -> int | None:
        return None if self._popen is None else self._popen.poll()

    def start(self) -> None:
        """Start, unless it runs."""
        if self.running:
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._all_gone = False
            if self.preloaded:
                self._popen = self.preloaded.start(self.argv, self.environ, log, log, self._cwd)
                return
            self._popen = subprocess.Popen(
                [sys.executable, "-ISc", _TIED, str(self._user), *self.argv],
                env=self.environ,
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def signal(self, number: int) -> None:
        """Send a signal to the process alone."""
        if self.running:
            os.kill(self.pid, number)

    def stop(self, patience: float = 30) -> None:
        """Ask it to stop as a supervisor does; kill the whole group when it takes too long."""
        self.signal(signal.SIGTERM)
        if self._popen is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(patient(patience))
        self.kill()

    def kill(self) -> None:
        """``kill -9`` the process and all its children."""
        if self._popen is None or self._all_gone:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        # Later another process may have this number.
        self._all_gone = True

    def freeze(self) -> None:
        """SIGSTOP: it keeps its sockets open and answers nothing."""
        os.killpg(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.killpg(self.pid, signal.SIGCONT)

    def children(self) -> list[int]:
        """The processes that it started itself."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                # The name before may hold spaces and brackets.
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[1]) == self.pid:
                    found.append(int(stat.parent.name))
        return sorted(found)

    def until(self, condition: Callable[[], object], seconds: float, otherwise: str) -> None:
        """Wait for a condition while the process runs; fails with the end of its log."""
        try:
            until(condition, seconds, otherwise, alive=lambda: self.running)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.last_words()}") from None

    def last_words(self, lines: int = 15) -> str:
        """The end of the log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return f"── {self.name}\n" + "\n".join(text.splitlines()[-lines:])


def until(
    condition: Callable[[], object],
    seconds: float,
    otherwise: str,
    *,
    alive: Callable[[], bool] = lambda: True,
    pause: float = 0.1,
) -> None:
    """Wait until a condition holds.

    Args:
        seconds: the deadline for an idle machine; a busy one gets more (``tests.support.speed``).

    Raises:
        AssertionError: with ``otherwise``, when it does not hold in time or ``alive`` ends.
    """
    began, deadline = time.monotonic(), Deadline(seconds)
    while not condition():
        if deadline.over:
            raise AssertionError(f"{otherwise} (waited {time.monotonic() - began:.0f} s)")
        if not alive():
            raise AssertionError(f"{otherwise} (its process ended)")
        time.sleep(pause)
