"""Applicants at the highest rate that a site sustains."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass

from tests.support.stack import Receipt, Stack


@dataclass
class LoadControl:
    """How many applications a second to post: slightly more while the oldest ready step is young,
    a quarter less when it is old (additive increase, multiplicative decrease: Chiu and Jain 1989).

    Attributes:
        rate: applications a second.
        young, old: seconds that the oldest ready step may have waited.
        rest: calls without a change after each cut, until the queue is shorter.
    """

    rate: float = 1.0
    young: float = 2.0
    old: float = 5.0
    step: float = 0.1
    least: float = 0.1
    rest: int = 3
    resting: int = 0

    def adapt(self, oldest: float, reached: float) -> None:
        """Set the rate from the results of the last seconds.

        Args:
            oldest: how long the oldest ready step has waited, in seconds.
            reached: applications a second that were really posted.
        """
        if self.resting:
            self.resting -= 1
        elif oldest > self.old:
            self.rate, self.resting = max(self.least, self.rate * 0.75), self.rest
        elif oldest < self.young and reached >= 0.8 * self.rate:
            self.rate += self.step


class SteadyApplicants:
    """People who apply at a given rate, as many at once as it takes.

    Attributes:
        rate: applications a second from now on.
        receipts: what they got, in the order of the answers.
        failures: what they met instead, by kind.
    """

    def __init__(self, stack: Stack, rate: float, at_once: int = 8) -> None:
        self.stack, self.rate = stack, rate
        self.receipts: list[Receipt] = []
        self.failures: Counter[str] = Counter()
        self._next, self._turn, self._enough = time.monotonic(), threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._apply, daemon=True) for _ in range(at_once)]

    def __enter__(self) -> SteadyApplicants:
        self.stack.form_address()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join()

    def _apply(self) -> None:
        while not self._enough.wait(self._my_turn()):
            try:
                receipt = self.stack.apply()
            except OSError as error:
                self.failures[type(error).__name__] += 1
                continue
            if receipt.status != 303:
                self.failures[f"HTTP {receipt.status}"] += 1
            self.receipts.append(receipt)

    def _my_turn(self) -> float:
        """Seconds until the next one applies."""
        with self._turn:
            now = time.monotonic()
            # A late applicant applies late; late applicants do not apply all at once.
            self._next = max(self._next, now - 1) + 1 / self.rate
            return max(0.0, self._next - now)
