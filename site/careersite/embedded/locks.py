"""Never two at once in the same ``var/``, and nobody left behind.

``run.lock`` is held by ``bin/run`` alone and tells the next one what runs. ``processes.lock`` is
inherited by every child and grandchild, so it outlives a ``bin/run`` that was killed until the
last of them has ended; whoever has it open is ours to end.
"""

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

#: Seconds for which the processes of a run that was killed may go on to hand back their work.
PATIENCE = 45


def holders(lock: Path) -> list[int]:
    """Processes other than this one that have ``lock`` open: whatever an earlier run left."""
    found = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if os.readlink(link) == str(lock):
                found.add(int(link.parts[2]))
    return sorted(found - {os.getpid()})


def kill_holders(lock: Path) -> None:
    for pid in holders(lock):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def take(file: IO[str]) -> bool:
    """Lock ``file`` for as long as it is open anywhere; False when it is locked already."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def alone(var: Path, waiting: Callable[[], None]) -> Iterator[IO[str]]:
    """Hold ``processes.lock``; calls ``waiting`` when an earlier run's processes still end."""
    with (var / "processes.lock").open("a") as lock:
        if not take(lock):
            waiting()
            deadline = time.monotonic() + PATIENCE
            while not take(lock):
                if time.monotonic() > deadline:
                    kill_holders(var / "processes.lock")
                time.sleep(0.2)
        yield lock
