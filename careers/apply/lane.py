"""How many forms one web process handles at the same time.

A form costs more than a page, and anybody can send many. The limit leaves CPU to people who read
pages; the web process has many more threads than that, so pages find a thread, too. It counts only
from the moment when the whole form has arrived, so a slow phone does not use it up.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

AT_ONCE = 2
#: Seconds after which a waiting form is given back to its sender.
PATIENCE = 30

_turns = threading.BoundedSemaphore(AT_ONCE)


class Busy(Exception):
    """Too many other forms are being handled."""


@contextlib.contextmanager
def turn() -> Iterator[None]:
    """Wait for a turn, and keep it while the form is handled.

    Raises:
        Busy: the turn did not come in time.
    """
    if not _turns.acquire(timeout=PATIENCE):
        raise Busy
    try:
        yield
    finally:
        _turns.release()
