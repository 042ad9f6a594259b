"""How many jobs for strangers may run at once in one process, and how many may wait."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import Counter
from collections.abc import Iterator

from careers.inspection.verdicts import Busy

#: Seconds that a job waits for its turn.
PATIENCE = 10
#: Seconds up to which a job is quick, and seconds that a job beyond the places waits.
QUICK, GRACE = 0.5, 2


class Slots:
    """How many jobs for strangers run and wait at once, so that web threads stay free for others.

    A job beyond the places waits a moment while jobs are quick, as when many people send at the
    same second. While a job is slow, it is refused at once: the threads would all wait for it.

    Args:
        running: jobs that run at once; of one sender it is always one.
        places: jobs that run or wait.
        of_one_sender: how many of the places one sender may have.
    """

    def __init__(self, *, running: int, places: int, of_one_sender: int) -> None:
        self._limits = running, places, of_one_sender
        self._changed = threading.Condition()
        self._inside: Counter[str] = Counter()
        #: When each sender's job was started; the seconds that the last job took.
        self._started: dict[str, float] = {}
        self._last_took = 0.0

    @contextlib.contextmanager
    def taken_by(self, sender: str, *, patience: float = PATIENCE) -> Iterator[None]:
        """Wait for a slot and hold it.

        Raises:
            Busy: too many jobs wait already, or none was free for ``patience`` seconds.
        """
        running = self._limits[0]
        with self._changed:
            self._find_place(sender)
            self._inside[sender] += 1
        try:
            with self._changed:
                if not self._changed.wait_for(
                    lambda: len(self._started) < running and sender not in self._started, patience
                ):
                    raise Busy
                self._started[sender] = time.monotonic()
            try:
                yield
            finally:
                with self._changed:
                    self._last_took = time.monotonic() - self._started.pop(sender)
        finally:
            with self._changed:
                self._inside[sender] -= 1
                self._inside += Counter()  # forgets senders without jobs
                self._changed.notify_all()

    def _find_place(self, sender: str) -> None:
        _running, places, of_one_sender = self._limits
        gives_up = time.monotonic() + GRACE
        while self._inside.total() >= places or self._inside[sender] >= of_one_sender:
            slow = min(self._started.values(), default=math.inf) + QUICK
            left = min(gives_up, slow) - time.monotonic()
            if left <= 0 or self._last_took > QUICK:
                raise Busy
            self._changed.wait(left)
