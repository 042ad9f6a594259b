"""What a model promises of each state and of each change; shared by the models that have it."""

from __future__ import annotations

from typing import Any

from prove.model.protocol import FAILED, SETTLED, STARTED, SUCCEEDED, UNCERTAIN, Move

#: How a model says that a person cancels a step.
CANCELS = "cancels"


def changed(before: Any, move: Move, after: Any) -> bool:
    return bool(before.rows[move.row] != after.rows[move.row])


def not_over_a_later_claim(before: Any, move: Move, after: Any) -> bool:
    return (
        move.claim is None
        or move.change is None
        or not changed(before, move, after)
        or before.rows[move.row].token == move.claim
    )


def taken_after_lease(before: Any, move: Move, after: Any) -> bool:
    return not (
        move.who == "sweeper" and before.rows[move.row].lease and changed(before, move, after)
    )


def end_is_end(before: Any, move: Move, after: Any) -> bool:
    was, now = before.rows[move.row].state, after.rows[move.row].state
    if was == now or was not in SETTLED:
        return True
    return was in (FAILED, UNCERTAIN) and move.who in ("person", "provider")


def done_is_accepted(before: Any, move: Move, after: Any) -> bool:
    return (
        move.who in ("person", "provider")
        or move.change is None
        or move.change[1] != SUCCEEDED
        or after.rows[move.row].accepted == 1
    )


def cancelled_is_not_sent(before: Any, move: Move, after: Any) -> bool:
    """The mail has not been sent, and no worker is past its last check before sending."""
    to_come = any(w.at == "marked" and w.row == move.row for w in after.workers)
    return move.what != CANCELS or not (before.rows[move.row].accepted or to_come)


def paused_is_not_started(before: Any, move: Move, after: Any) -> bool:
    """A mail that may have been sent is repeated with its key all the same."""
    started = move.change is not None and move.change[1] == STARTED
    return not (started and before.paused and not before.rows[move.row].repeat)


def one_holder(state: Any) -> bool:
    held = [(w.row, w.token) for w in state.workers if w.at not in ("", "checked")]
    return len(held) == len(set(held))


def tidy(state: Any) -> bool:
    return all(
        row.state == STARTED or (not row.lease and (row.state == UNCERTAIN or not row.phase))
        for row in state.rows
    )
