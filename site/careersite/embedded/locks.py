"""Never two at once in the same ``var/``, and nobody left behind.

``run.lock`` is held by ``bin/run`` alone and tells the next one what runs. Besides it each child
inherits one of two open files, and passes it on to its own children: whoever has one of them open
is ours to end, whatever became of its parent.
"""

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

#: The open files of the site and of the services it needs: who is ended first comes first. The
#: seconds are for handing back work.
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
    """Kill all who have ``mark`` open."""
    for pid in holders(mark):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def end_all(var: Path) -> None:
    """End whatever runs in ``var``: politely at first, and the services last."""
    for name, grace in MARKS.items():
        for pid in holders(var / name):
            # Only whom we started: they know how to end their own children.
            with contextlib.suppress(ProcessLookupError):
                if os.getsid(pid) == pid:
                    os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + grace
        while holders(var / name) and time.monotonic() < deadline:
            time.sleep(0.2)
        kill(var / name)


def guard(var: Path, alive: int) -> None:
    """End all when the supervisor is gone without having done so: killed, or out of memory.

    Args:
        alive: a pipe's end that can be read to its end only when the supervisor is gone.
    """
    # Held until all is done: a run that begins meanwhile waits, and is not taken for one of ours.
    with (var / "site.open").open():
        os.read(alive, 1)
        end_all(var)


def wait_for_others(var: Path, waiting: Callable[[], None]) -> None:
    """Wait until all who ran here before have ended; calls ``waiting`` when there are any."""
    deadline = time.monotonic() + sum(MARKS.values()) + 5
    told = False
    while any(holders(var / name) for name in MARKS):
        if not told:
            waiting()
            told = True
        # Their guard is at it; should it have been killed too, nobody is.
        if time.monotonic() > deadline:
            end_all(var)
        time.sleep(0.2)
