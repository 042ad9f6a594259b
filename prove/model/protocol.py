"""What all models have in common: the states, the rules, a move, and a model's frame."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any, ClassVar, NamedTuple

WAITING, QUEUED, SENT, STARTED = "waiting", "queued", "sent", "started"
RETRYING, SUCCEEDED, FAILED = "retrying", "succeeded", "failed"
UNCERTAIN, CANCELLED = "uncertain", "cancelled"

CLAIMABLE = (QUEUED, SENT, RETRYING)
#: States that change only by a person.
SETTLED = (SUCCEEDED, FAILED, UNCERTAIN, CANCELLED)

#: The rules that can be taken away, and what each says.
RULES = {
    "fence": "a write shows the token of its claim",
    "guard": "a step is changed only from the states that the change may leave",
    "lease": "the sweeper takes a step back only after its lease",
    "phase-marker": "the row records the point of no return before the bytes are sent",
    "recall": "a person cancels a mail only while it is certainly before its point of no return",
    "pause": "a step that is paused is neither dispatched nor claimed",
    "on-commit": "dispatch and receipt come after COMMIT",
    "checksum": "the archived copy is read back and compared",
}


class Move(NamedTuple):
    """Who did what to which row, with which token; ``change`` is (from, to).

    ``kind`` is "fault", "person", or "" for what happens by itself when nothing fails.
    """

    who: str
    what: str
    kind: str = ""
    row: int = 0
    claim: int | None = None
    change: tuple[str, str] | None = None

    def __str__(self) -> str:
        change = f"  [{self.change[0]} → {self.change[1]}]" if self.change else ""
        return f"{self.who}: {self.what}{change}"


#: One change of the world.
Step = tuple[Move, Any]
#: True when a promise is kept: one about a state, and one about a change (before, move, after).
OfState = Callable[[Any], bool]
OfChange = Callable[[Any, Move, Any], bool]


class Model:
    """A start state, what may happen in each state, and what must never happen."""

    name: str
    about: str
    #: Which of RULES it has.
    has: Collection[str]
    #: What holds in every state, and at every change.
    always: dict[str, OfState]
    each_time: dict[str, OfChange]
    #: The promise about the end, which every model makes.
    END: ClassVar = "every state leads to an end once faults cease"

    def __init__(self, without: str = "", named: bool = False) -> None:
        """Make a model, perhaps without one of its rules.

        Args:
            named: tell identical workers apart, so that a way reads well; twice the states.
        """
        self.rules = frozenset(self.has) - {without}
        self.named = named

    def placed(self, workers: tuple[Worker, ...], n: int, worker: Worker) -> tuple[Worker, ...]:
        """The workers, one of them changed; sorted unless they have names."""
        after = (*workers[:n], worker, *workers[n + 1 :])
        return after if self.named else tuple(sorted(after))

    def same_again(self, workers: tuple[Worker, ...], n: int) -> bool:
        return not self.named and n > 0 and workers[n] == workers[n - 1]

    @property
    def promises(self) -> list[str]:
        return [*self.always, *self.each_time, self.END]

    def start(self) -> Any:
        raise NotImplementedError

    def moves(self, state: Any) -> Iterator[Step]:
        raise NotImplementedError

    def settled(self, state: Any) -> bool:
        """Whether nothing is left to be done except by a person."""
        raise NotImplementedError


class Row(NamedTuple):
    """A mail's row, its messages, and facts that no actor can see.

    ``lease`` is whether the lease still holds. ``repeat`` is whether the row says that an earlier
    sending is unconfirmed and may be repeated under its idempotency key. ``accepted`` counts the
    mails that will reach the recipient. ``unclear`` is whether an answer, or the process that
    waited for it, was lost. ``forgot`` is whether the idempotency window has ended.
    """

    state: str = QUEUED
    token: int = 0
    phase: str = ""
    lease: bool = False
    repeat: bool = False
    messages: int = 0
    accepted: int = 0
    unclear: bool = False
    forgot: bool = False


class Worker(NamedTuple):
    """A worker's child; ``at`` is its position in the claim that it holds.

    checked, running, marked (the row records the point of no return), accepted, busy, refused,
    silent (the mail server's answer), stopping (after SIGTERM the main process returns the step).
    ``known`` is whether an earlier sending was unconfirmed at the time of the claim.
    """

    at: str = ""
    row: int = 0
    token: int = 0
    phase: str = ""
    known: bool = False


IDLE = Worker()


def with_row(rows: tuple[Row, ...], n: int, row: Row) -> tuple[Row, ...]:
    return (*rows[:n], row, *rows[n + 1 :])


def changed(before: Any, move: Move, after: Any) -> bool:
    return bool(before.rows[move.row] != after.rows[move.row])
