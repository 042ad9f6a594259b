"""One site at a time in the same ``var/``, and no process left behind.

``bin/run`` holds ``run.lock``, which tells the next one what runs. Each child inherits one of two
open files, and so do its own children: every process that has one of them open belongs to the
site and is ended with it, even if its parent is gone.

``python locks.py VAR PIPE SECONDS…`` is the guard of a supervisor.
"""

import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

#: The open files of the site and of its services, in the order in which their processes are
#: ended. The seconds are for finishing or handing back work.
MARKS = {"site.open": 40, "services.open": 10}


def take(file: IO[str]) -> bool:
    """Lock ``file`` for as long as it is open anywhere; False when it is locked already."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def holders(mark: Path) -> list[int]:
    """The processes other than this one that have ``mark`` open."""
    found = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if os.readlink(link) == str(mark):
                found.add(int(link.parts[2]))
    return sorted(found - {os.getpid()})


def kill(mark: Path) -> None:
    """Kill every process that has ``mark`` open."""
    for pid in holders(mark):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def end_all(var: Path) -> None:
    """End every process in ``var``: with SIGTERM, then SIGKILL, and the services last."""
    for name, grace in MARKS.items():
        for pid in holders(var / name):
            # Only the processes that we started: they end their own children.
            with contextlib.suppress(ProcessLookupError):
                if os.getsid(pid) == pid:
                    os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + grace
        while holders(var / name) and time.monotonic() < deadline:
            time.sleep(0.2)
        kill(var / name)


def guard(var: Path, alive: int) -> None:
    """End all processes when the supervisor was killed and could not do so.

    Args:
        alive: the reading end of a pipe that closes when the supervisor is gone.
    """
    # Open until all have ended: a new run waits for that, and its processes are spared.
    with (var / "site.open").open():
        os.read(alive, 1)
        end_all(var)


def wait_for_others(var: Path, waiting: Callable[[], None]) -> None:
    """Wait until all processes of an earlier run have ended; call ``waiting`` if there are any."""
    deadline = time.monotonic() + sum(MARKS.values()) + 5
    reported = False
    while any(holders(var / name) for name in MARKS):
        if not reported:
            waiting()
            reported = True
        # Their guard ends them. If it was killed as well, this process does.
        if time.monotonic() > deadline:
            end_all(var)
        time.sleep(0.2)


if __name__ == "__main__":
    MARKS = dict(zip(MARKS, map(int, sys.argv[3:]), strict=True))
    guard(Path(sys.argv[1]), int(sys.argv[2]))
