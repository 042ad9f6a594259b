"""The soft time limit of a step: a signal that stops its effect, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class OutOfTime(BaseException):
    """A step takes longer than PIPELINE_SOFT_LIMIT.

    It is no ``Exception``, because libraries catch those and continue or start again, until the
    hard limit kills the process.
    """


_stoppable = False


def time_is_up(*_signal: object) -> None:
    """Stop the effect that runs in this process, if any. This is a signal handler.

    Raises:
        OutOfTime: an effect runs.
    """
    if _stoppable:
        raise OutOfTime


@contextmanager
def stoppable() -> Iterator[None]:
    """Let ``time_is_up`` stop the block; everything outside of it runs to its end.

    So the result of an effect is always recorded.
    """
    global _stoppable
    _stoppable = True
    try:
        yield
    finally:
        _stoppable = False
