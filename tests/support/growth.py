"""Measure how the cost of some work grows with the length of hostile text.

The measure is a ratio of CPU times in one process, so the speed of the machine does not matter.
The time of ten thousand steps of Python is added to each: what takes less harms nobody, and is too
short to be measured.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

#: Text that patterns, parsers and normal forms may take long for; each is repeated to a length.
ALPHABETS = {
    "digits": "1",
    "signs of a number": "-1.0e",
    "letters": "a",
    "spaces": " ",
    "tabs": " \t",
    "no tab": "\u00a0 ",
    "line ends": "\r\n",
    "bare returns": "\r",
    "dots": ".",
    "letters and dots": "a.",
    "addresses": "a@",
    "at signs": "@",
    "web addresses": "http://a.a",
    "slashes": "../",
    "backslashes": "\\",
    "quotes": "\"'",
    "tags": "<a ",
    "ends of tags": "<",
    "entities": "&lt",
    "brackets": "[(",
    "percent signs": "%(a)s",
    "templates": "{{ a|b:",
    "separators": ";,:",
    "hyphens": "--",
    "NUL": "\x00",
    "half surrogate pairs": "\ud800",
    "alternating marks": "\u0301\u0323",
    "pairs of marks": "\u0f73",
    "letters with marks": "a\u0323\u0301",
    "Hangul": "\u1112\u1161\u11ab",
    "ligatures": "\ufb2c",
    "format characters": "\u200d\u202e",
    "right to left": "\u05d0\u0627",
    "joiners and selectors": "\u0915\u200d\u094d\u200c\u6f22\ufe00\U0001f3f4\U000e0067\u05d0\u200f",
    "digits of other scripts": "\u0661\uff12\u30fc",
    "names around addresses": "a<a@a>",
    "extensions": "1 ext. ",
    "flags": "\U0001f1e9",
    "capitals that grow": "\u0130",
}
#: From ``n`` to ``8 * n`` linear work has a ratio of 8, quadratic work of 64.
STEPS = (2, 4, 8)
TOLERANCE = 2.5


def text_of(alphabet: str, length: int) -> str:
    """So many characters of an alphabet; the last one fits no pattern, which makes it go back."""
    unit = ALPHABETS[alphabet]
    return (unit * (length // len(unit) + 1))[: length - 1] + "!"


def grows_too_fast(work: Callable[[int], object], length: int) -> bool:
    """Whether the cost of some work grows clearly faster than its input.

    Args:
        work: does it for one length.
        length: the smallest; the largest is eight times as long.
    """
    first, floor = cost(work, length), _floor()
    for step in STEPS:
        if _excess(cost(work, step * length), first, step, floor) > TOLERANCE:
            # Another program may have disturbed one of them.
            first = cost(work, length, runs=5)
            again = cost(work, step * length, runs=2)
            return _excess(again, first, step, floor) > TOLERANCE
    return False


def cost(work: Callable[[int], object], length: int, *, runs: int = 1) -> float:
    """The CPU time of some work in this thread, in seconds: the least of several runs."""
    costs = []
    for _run in range(runs):
        began = time.thread_time()
        work(length)
        costs.append(time.thread_time() - began)
    return min(costs)


def _excess(later: float, first: float, step: int, floor: float) -> float:
    return (later + floor) / (first + floor) / step


@functools.cache
def _floor() -> float:
    """The CPU time of ten thousand steps of Python."""
    return cost(lambda count: sum(number & 3 for number in range(count)), 10_000, runs=5)
