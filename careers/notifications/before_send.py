"""What a sender says to the pipeline right before the point of no return."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Memory:
    """Somebody remembers that he got a mail under its key, so that a repetition is safe.

    Attributes:
        of: who remembers, and the key: told apart from all others, so that a mail is never
            repeated where nobody knows of the first time. At most 40 characters.
        lasts: for how long, counted from the first time, with a margin taken off.
    """

    of: str
    lasts: dt.timedelta


class BeforeSend(Protocol):
    """To be called right before the bytes leave that may make a mail be sent.

    Without a memory nobody may ever repeat what was begun; with one it is safe for a while.
    Whatever it raises must be raised on, and nothing may be sent.
    """

    def __call__(self, memory: Memory | None = None) -> None: ...
