"""What a sender reports to the pipeline right before the point of no return."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class IdempotencyWindow:
    """The time in which a provider sends a mail once, however often it gets the mail's key.

    Attributes:
        key: identifies the provider, the account and the mail's idempotency key, so that a mail
            is never repeated at a provider that does not know the key. At most 40 characters.
        duration: counted from the first attempt, with a safety margin taken off.
    """

    key: str
    duration: dt.timedelta


class BeforeSend(Protocol):
    """Called right before the first bytes leave that may cause a mail to be sent.

    Without an idempotency window the attempt must not be repeated. With one, a repetition is safe
    until the window ends. The caller must let every exception through, and send nothing then.
    """

    def __call__(self, window: IdempotencyWindow | None = None, /) -> None: ...
