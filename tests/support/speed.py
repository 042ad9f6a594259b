"""How slow this machine is now, so that deadlines mean the same on a busy day.

A deadline in a test ends a hang. It is written for an idle machine; ``slowness`` says how much
longer the same work takes here and now, beside everything else that runs. Only upper bounds grow
by it: a test that waits for something goes on as soon as that has happened.
"""

from __future__ import annotations

import time

#: Seconds that ``_work`` takes on an idle core of the reference machine (3 GHz, Python 3.11).
REFERENCE = 0.03
#: Seconds for which a measurement is used; it costs a hundredth of them.
FRESH = 3.0
#: The most by which a deadline grows; beyond it something hangs.
SLOWEST = 12.0

_measured: list[tuple[float, float]] = []


def slowness() -> float:
    """How many times longer work takes now than on the idle reference machine; at least 1.

    It is the mean of the last two measurements, because one may fall into a quiet moment.
    """
    now = time.monotonic()
    if not _measured or now - _measured[-1][0] > FRESH:
        began = time.perf_counter()
        _work()
        took = time.perf_counter() - began
        _measured.append((time.monotonic(), took / REFERENCE))
        del _measured[:-2]
    mean = sum(factor for _at, factor in _measured) / len(_measured)
    return min(SLOWEST, max(1.0, mean))


def patient(seconds: float) -> float:
    """A time-out for this machine now, from one for the idle reference machine."""
    return seconds * slowness()


class Deadline:
    """Ends after so many seconds of the idle reference machine.

    Each moment counts by the speed of the machine at that moment, so other work in the middle of a
    wait uses up little of the deadline.

    Attributes:
        left: seconds of the reference machine until the end.
    """

    def __init__(self, seconds: float) -> None:
        self.left = seconds
        self._looked = time.monotonic()

    @property
    def over(self) -> bool:
        now = time.monotonic()
        self.left -= (now - self._looked) / slowness()
        self._looked = now
        return self.left < 0


def _work() -> int:
    number = 0
    for step in range(600_000):
        number = (number * 31 + step) & 0xFFFFFF
    return number
