"""The pipeline's protocol, small enough to be explored to the last state.

``python -m tests.faults.model`` walks through every order in which two workers, a sweeper, a
person, the doorbell, the mail server and the bucket can act, with a few faults at any moment, and
checks every promise in every state. ``--sabotage RULE`` takes one rule away and prints the
shortest way in which a promise then breaks.

What is a step here is one statement or one transaction there; what happens within a transaction
is tried out on the real code (``tests/careers/pipeline/test_model.py``). Times are left out: a
lease may run out and a pause may be over at any moment, and a frozen process is one that does not
move. Budgets bound how often something goes wrong and how often a person acts; without them the
same would go on for ever.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

WAITING, QUEUED, SENT, STARTED = "waiting", "queued", "sent", "started"
RETRYING, SUCCEEDED, FAILED = "retrying", "succeeded", "failed"
UNCERTAIN, CANCELLED = "uncertain", "cancelled"

CLAIMABLE = (QUEUED, SENT, RETRYING)
#: Nothing more happens by itself.
SETTLED = (SUCCEEDED, FAILED, UNCERTAIN, CANCELLED)

#: What can be taken away, and what then is missing.
RULES = {
    "fence": "who writes shows the token of his claim",
    "guard": "a step is changed only from the states that the change may leave",
    "lease": "the sweeper takes a step back only after its lease",
    "phase-marker": "the row says that a mail is handed over before the bytes leave",
    "recall": "a person stops a mail only while it is certainly not past its dot",
    "on-commit": "the doorbell is rung, and the receipt given, after COMMIT",
    "checksum": "the archived copy is read back and compared",
}


class Move(NamedTuple):
    """Who did what to which row, showing which token; ``change`` is (from, to).

    ``kind`` is "" for what happens by itself when all is well, "fault" or "person".
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
    """A start, what may happen in each state, and what must never."""

    name: str
    about: str
    #: Its rules among RULES.
    has: Collection[str]
    #: What holds in every state, and at every change.
    always: dict[str, OfState]
    each_time: dict[str, OfChange]
    #: The promise of the end, which holds of every model.
    END: ClassVar = "from everywhere an end is reached once faults cease"

    def __init__(self, without: str = "", named: bool = False) -> None:
        """Make a model, perhaps without one of its rules.

        Args:
            named: tell identical workers apart, so that a way reads well; twice the states.
        """
        self.rules = frozenset(self.has) - {without}
        self.named = named

    def placed(self, workers: tuple[Worker, ...], n: int, worker: Worker) -> tuple[Worker, ...]:
        """The workers, one of them changed; in one order unless they have names."""
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


# ── One mail ────────────────────────────────────────────────────────────────────────────


class Row(NamedTuple):
    """A mail's row, its messages, and what nobody who acts can see.

    ``lease`` is whether it still holds; ``repeat`` is whether the row says that a handing over is
    unconfirmed and may be repeated under its key. ``accepted`` counts mails that will reach the
    recipient, ``unclear`` is whether an answer was lost, or who waited for it; ``forgot`` is
    whether the time is over for which the provider remembers the key.
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
    """A worker's child; ``at`` is where it stands with the claim it has.

    looked, running, marked (the row says so), accepted, busy, refused, silent (what the mail
    server answered), stopping (SIGTERM came: the main process hands back). ``known`` is whether
    an earlier handing over was unconfirmed at the claim.
    """

    at: str = ""
    row: int = 0
    token: int = 0
    phase: str = ""
    known: bool = False


IDLE = Worker()


class Mailing(NamedTuple):
    rows: tuple[Row, ...]
    workers: tuple[Worker, ...]
    sweeper: Worker = IDLE
    faults: int = 0
    acts: int = 0
    #: How often the sweeper may ring although a message is still under way.
    hurries: int = 0


class Mail(Model):
    """One mail step: two workers, the sweeper, a person, the doorbell, a mail server."""

    name = "mail"
    about = "a mail by plain SMTP"
    has = ("fence", "guard", "lease", "phase-marker", "recall")
    keyed = False

    def __init__(
        self,
        without: str = "",
        named: bool = False,
        *,
        workers: int = 2,
        faults: int = 3,
        acts: int = 2,
        hurries: int = 1,
    ) -> None:
        super().__init__(without, named)
        self.first = Mailing((Row(),), (IDLE,) * workers, IDLE, faults, acts, hurries)
        self.fence, self.guard = "fence" in self.rules, "guard" in self.rules
        self.always = {
            "no mail is accepted twice": lambda s: all(r.accepted <= 1 for r in s.rows),
            "not confirmed only when the answer or its hearer was lost": lambda s: all(
                row.unclear for row in s.rows if row.state == UNCERTAIN
            ),
            "a claim has one holder": _one_holder,
            "only what runs holds a lease or a phase": _tidy,
        }
        self.each_time = {
            "nobody writes over a later claim": _not_over_a_later_claim,
            "a running step is taken back only after its lease": _taken_after_lease,
            "what ended is changed by nobody, what needs a person by a person only": _end_is_end,
            "done means accepted, or somebody said so": _done_is_accepted,
            "what a person cancels is not sent": _cancelled_is_not_sent,
        }

    def start(self) -> Mailing:
        return self.first

    def settled(self, state: Mailing) -> bool:
        return (
            state.rows[-1].state in SETTLED
            and state.sweeper == IDLE
            and all(worker == IDLE for worker in state.workers)
        )

    # What a guarded UPDATE does: the one way in which a row's state changes.
    def move(
        self, row: Row, to: str, leaving: Collection[str], fence: int | None = None
    ) -> Row | None:
        if self.guard and row.state not in leaving:
            return None
        if self.fence and fence is not None and row.token != fence:
            return None
        phase = row.phase if to == UNCERTAIN else ""
        repeat = row.repeat and to not in (SUCCEEDED, FAILED, CANCELLED)
        return row._replace(state=to, lease=False, phase=phase, repeat=repeat)

    def moves(self, state: Mailing) -> Iterator[Step]:
        for n, worker in enumerate(state.workers):
            if self.same_again(state.workers, n):
                continue
            for move, row, after in self._worker(state, worker, n):
                yield (
                    move,
                    state._replace(
                        rows=_with(state.rows, move.row, row),
                        workers=self.placed(state.workers, n, after),
                        faults=state.faults - (move.kind == "fault"),
                    ),
                )
        for n, row in enumerate(state.rows):
            for move, changed in self._surroundings(state, n, row):
                yield (
                    move,
                    state._replace(
                        rows=_with(state.rows, n, changed),
                        faults=state.faults - (move.kind == "fault"),
                        hurries=state.hurries - (move.what == HURRY),
                    ),
                )
        yield from self._sweeper(state)
        if state.acts:
            yield from self._person(state)

    def _worker(self, state: Mailing, worker: Worker, n: int) -> Iterator[tuple[Move, Row, Worker]]:
        who = f"worker {n + 1}"
        if worker.at == "":
            for number, row in enumerate(state.rows):
                if row.messages:
                    told = row._replace(messages=row.messages - 1)
                    if row.state in CLAIMABLE:
                        looked = Worker("looked", number, row.token)
                        yield (
                            Move(who, "gets a message, finds the step due", row=number),
                            told,
                            looked,
                        )
                    if row.state == RETRYING or row.state not in CLAIMABLE:
                        yield (
                            Move(who, "gets a message, leaves the step alone", row=number),
                            told,
                            IDLE,
                        )
            return
        row, token = state.rows[worker.row], worker.token

        def does(
            what: str, changed: Row | None, then: Worker = IDLE, kind: str = ""
        ) -> tuple[Move, Row, Worker]:
            if changed is None:
                return Move(who, f"{what}: too late", kind, worker.row), row, IDLE
            change = (row.state, changed.state) if changed.state != row.state else None
            return Move(who, what, kind, worker.row, token, change), changed, then

        match worker.at:
            case "looked" if row.repeat and row.forgot:
                yield does("may not repeat any more", self.move(row, UNCERTAIN, CLAIMABLE, token))
            case "looked":
                claimed = self.move(row, STARTED, CLAIMABLE, token)
                if claimed:
                    claimed = claimed._replace(token=row.token + 1, lease=True)
                running = Worker("running", worker.row, token + 1, known=row.repeat)
                yield does("claims", claimed, running)
            case "running":
                yield self._hand_over(does, row, worker)
                if state.faults:
                    for what, to in (("can't connect", RETRYING), ("gives up", FAILED)):
                        yield does(what, self._failed(row, worker, to), IDLE, "fault")
            case "marked":
                yield from self._dot(does, row, worker, state.faults)
            case "accepted":
                yield does("records the success", self.move(row, SUCCEEDED, [STARTED], token))
            case "busy":
                yield does("records the 4xx", self._failed(row, worker, RETRYING))
            case "refused":
                yield does("records the 5xx", self._failed(row, worker, FAILED))
            case "silent":
                to = RETRYING if self.keyed and not row.forgot else UNCERTAIN
                yield does("records that nobody answered", self.move(row, to, [STARTED], token))
            case "stopping":
                yield self._hand_back(does, row, worker)
        if state.faults and worker.at not in ("looked", "stopping"):
            lost = row
            if worker.at != "running" and row.token == token:
                lost = row._replace(unclear=True)
            yield does("is killed (kill -9)", lost, IDLE, "fault")
            stopping = Worker("stopping", worker.row, token, row.phase)
            if row.state == STARTED and (row.token == token or not self.fence):
                yield does("is stopped (SIGTERM)", lost, stopping, "fault")
            else:
                yield does("is stopped (SIGTERM)", lost, IDLE, "fault")

    def _failed(self, row: Row, worker: Worker, to: str) -> Row | None:
        """A clear no: this handing over came to nothing, but an earlier one may not have."""
        if to == FAILED and worker.known:
            to = UNCERTAIN
        changed = self.move(row, to, [STARTED], worker.token)
        return changed and changed._replace(repeat=worker.known)

    def _hand_over(self, does: Any, row: Row, worker: Worker) -> tuple[Move, Row, Worker]:
        """The marker, in the statement that also asks for the fence, the state and the lease."""
        marked = worker._replace(at="marked")
        if "phase-marker" not in self.rules:
            return does("hands over, writing nothing", row, marked)
        ours = (
            (row.token == worker.token or not self.fence)
            and (row.state == STARTED or not self.guard)
            and row.lease
            and not (worker.known and row.forgot)
        )
        if self.keyed:
            handed = row._replace(phase="keyed", repeat=True, forgot=worker.known and row.forgot)
        else:
            handed = row._replace(phase="data")
        return does("marks the row as handed over", handed if ours else None, marked)

    def _dot(
        self, does: Any, row: Row, worker: Worker, faults: int
    ) -> Iterator[tuple[Move, Row, Worker]]:
        # A provider that knows the key delivers no second time.
        again = self.keyed and not row.forgot and row.accepted
        taken = row if again else row._replace(accepted=row.accepted + 1)

        def sent(what: str, changed: Row, at: str, kind: str = "") -> tuple[Move, Row, Worker]:
            move, changed, then = does(what, changed, worker._replace(at=at), kind)
            return move._replace(claim=None), changed, then

        yield sent("sends the dot; accepted, 250", taken, "accepted")
        if faults:
            yield sent("sends the dot; 451", row, "busy", "fault")
            yield sent("sends the dot; 550", row, "refused", "fault")
            if row.token == worker.token:
                row, taken = row._replace(unclear=True), taken._replace(unclear=True)
            yield sent("sends the dot; accepted, no answer", taken, "silent", "fault")
            yield sent("sends the dot; lost, no answer", row, "silent", "fault")

    def _hand_back(self, does: Any, row: Row, worker: Worker) -> tuple[Move, Row, Worker]:
        """What the main process does when its children are gone."""
        to = QUEUED if not worker.phase else UNCERTAIN
        if worker.phase == "keyed" and not row.forgot:
            to = RETRYING
        changed = self.move(row, to, [STARTED], worker.token)
        if not worker.phase and row.phase:
            changed = None  # its own guard
        return does("hands the step back", changed)

    def _surroundings(self, state: Mailing, n: int, row: Row) -> Iterator[tuple[Move, Row]]:
        if row.state in (QUEUED, RETRYING):
            rung = self.move(row, SENT, [QUEUED, RETRYING])
            change = (row.state, SENT)
            if rung and row.messages < 2:
                heard = rung._replace(messages=row.messages + 1)
                yield Move("doorbell", "dispatches", row=n, change=change), heard
            if rung and state.faults:
                yield Move("doorbell", "rings; the message is lost", "fault", n, None, change), rung
        if row.state == SENT and (not row.messages or state.hurries):
            back = self.move(row, QUEUED, [SENT])
            what = HURRY if row.messages else "takes back an unanswered message"
            if back:
                yield Move("sweeper", what, row=n, change=(SENT, QUEUED)), back
        alive = any((w.row, w.token) == (n, row.token) and w.at for w in state.workers)
        if row.lease and not alive:
            yield Move("clock", "the lease of the dead runs out", row=n), row._replace(lease=False)
        if state.faults:
            if row.messages:
                less, more = row.messages - 1, row.messages + 1
                yield Move("broker", "loses a message", "fault", n), row._replace(messages=less)
                if more <= 2:
                    doubled = row._replace(messages=more)
                    yield Move("broker", "doubles a message", "fault", n), doubled
            if row.lease:
                out = row._replace(lease=False, unclear=row.unclear or row.phase != "")
                if alive:
                    yield Move("clock", "the lease runs out meanwhile", "fault", n), out
            # Whoever has looked at the time last is not still on the way to the dot by then.
            known = self.keyed and (row.repeat or row.accepted) and not row.forgot
            if known and not any(w.at == "marked" and w.row == n for w in state.workers):
                shut = row._replace(forgot=True)
                yield Move("clock", "the provider forgets the key", "fault", n), shut
        if self.keyed and row.state == UNCERTAIN and row.accepted:
            said = self.move(row, SUCCEEDED, [UNCERTAIN])
            if said:
                change = (UNCERTAIN, SUCCEEDED)
                yield Move("provider", "says that it delivered", row=n, change=change), said

    def _sweeper(self, state: Mailing) -> Iterator[Step]:
        seen = state.sweeper
        if seen == IDLE:
            for n, row in enumerate(state.rows):
                if row.state == STARTED and not (row.lease and "lease" in self.rules):
                    looked = Worker("looked", n, row.token, row.phase)
                    yield (
                        Move("sweeper", "finds a step whose lease is over", row=n),
                        state._replace(sweeper=looked),
                    )
            return
        row = state.rows[seen.row]
        ways = [UNCERTAIN] if seen.phase else [RETRYING, UNCERTAIN if row.repeat else FAILED]
        if seen.phase == "keyed" and not row.forgot:
            ways = [RETRYING]
        for to in ways:
            changed = self.move(row, to, [STARTED], seen.token)
            if not seen.phase and row.phase:
                changed = None  # the worker woke up and handed over: whoever writes first decides
            if changed is None:
                yield Move("sweeper", "comes too late"), state._replace(sweeper=IDLE)
                return
            move = Move(
                "sweeper", "takes it back", row=seen.row, claim=seen.token, change=(row.state, to)
            )
            rows = _with(state.rows, seen.row, changed)
            yield move, state._replace(rows=rows, sweeper=IDLE)

    def _person(self, state: Mailing) -> Iterator[Step]:
        """Acts on a page that may be old, so in any state; the guard decides."""
        number = len(state.rows) - 1
        row = state.rows[number]
        less = state._replace(acts=state.acts - 1)

        def act(what: str, to: str, leaving: Collection[str], changed: Row | None) -> Step:
            move = Move("person", what, "person", number, None, (row.state, to))
            return move, less._replace(rows=_with(state.rows, number, changed or row))

        retried = self.move(row, QUEUED, [FAILED])
        if retried:
            yield act("retries", QUEUED, [FAILED], retried)
        if row.state == RETRYING:
            yield act("retries at once", RETRYING, [RETRYING], row)
        confirmed = self.move(row, SUCCEEDED, [UNCERTAIN])
        if confirmed:
            yield act("says that it arrived", SUCCEEDED, [UNCERTAIN], confirmed)
        replaced = self.move(row, CANCELLED, [UNCERTAIN])
        if replaced and number == 0:
            move, after = act("sends again", CANCELLED, [UNCERTAIN], replaced)
            yield move, after._replace(rows=(*after.rows, Row()))
        open_ = (QUEUED, SENT, STARTED, RETRYING, FAILED)
        past_its_dot = bool(row.phase or row.repeat) and "recall" in self.rules
        cancelled = self.move(row, CANCELLED, open_) if not past_its_dot else None
        if cancelled:
            yield act(CANCELS, CANCELLED, open_, cancelled)


CANCELS = "cancels"
HURRY = "takes back a message that was only slow"


class KeyedMail(Mail):
    """The same with a provider that remembers a key for a while."""

    name = "mail-keyed"
    about = "a mail by a provider that remembers a key"
    keyed = True

    def __init__(
        self, without: str = "", named: bool = False, *, acts: int = 1, **more: int
    ) -> None:
        super().__init__(without, named, acts=acts, **more)


def _with(rows: tuple[Row, ...], n: int, row: Row) -> tuple[Row, ...]:
    return (*rows[:n], row, *rows[n + 1 :])


def _changed(before: Any, move: Move, after: Any) -> bool:
    return bool(before.rows[move.row] != after.rows[move.row])


def _not_over_a_later_claim(before: Any, move: Move, after: Any) -> bool:
    return (
        move.claim is None
        or move.change is None
        or not _changed(before, move, after)
        or before.rows[move.row].token == move.claim
    )


def _taken_after_lease(before: Any, move: Move, after: Any) -> bool:
    return not (
        move.who == "sweeper" and before.rows[move.row].lease and _changed(before, move, after)
    )


def _end_is_end(before: Any, move: Move, after: Any) -> bool:
    was, now = before.rows[move.row].state, after.rows[move.row].state
    if was == now or was not in SETTLED:
        return True
    return was in (FAILED, UNCERTAIN) and move.who in ("person", "provider")


def _done_is_accepted(before: Any, move: Move, after: Any) -> bool:
    return (
        move.who in ("person", "provider")
        or move.change is None
        or move.change[1] != SUCCEEDED
        or after.rows[move.row].accepted == 1
    )


def _cancelled_is_not_sent(before: Any, move: Move, after: Any) -> bool:
    """Neither has it been, nor does anybody stand before its dot who needs to ask no more."""
    to_come = any(w.at == "marked" and w.row == move.row for w in after.workers)
    return move.what != CANCELS or not (before.rows[move.row].accepted or to_come)


def _one_holder(state: Any) -> bool:
    held = [(w.row, w.token) for w in state.workers if w.at not in ("", "looked")]
    return len(held) == len(set(held))


def _tidy(state: Any) -> bool:
    return all(
        row.state == STARTED or (not row.lease and (row.state == UNCERTAIN or not row.phase))
        for row in state.rows
    )


# ── One file on its way into the archive ────────────────────────────────────────────────


class Filing(NamedTuple):
    """``stored`` is what the bucket holds: nothing (""), our bytes ("equal") or others."""

    rows: tuple[Row, ...]
    workers: tuple[Worker, ...]
    bytes_kept: bool = True
    stored: str = ""
    faults: int = 0
    acts: int = 0


class Archive(Model):
    """The archive step of one file: two workers, the sweeper, a person, a bucket that may lie."""

    name = "archive"
    about = "put, verify, drop the bytes"
    has = ("fence", "guard", "lease", "checksum")

    def __init__(
        self,
        without: str = "",
        named: bool = False,
        *,
        workers: int = 2,
        faults: int = 4,
        acts: int = 2,
    ) -> None:
        super().__init__(without, named)
        self.rows = Mail(without=without)
        self.first = Filing((Row(),), (IDLE,) * workers, faults=faults, acts=acts)
        self.always = {
            "bytes leave the database only for an equal copy in the archive": lambda s: (
                s.bytes_kept or s.stored == "equal"
            ),
            "done means archived": lambda s: (
                s.rows[0].state != SUCCEEDED or (s.stored == "equal" and not s.bytes_kept)
            ),
            "a claim has one holder": _one_holder,
        }
        self.each_time = {
            "nobody writes over a later claim": _not_over_a_later_claim,
            "a running step is taken back only after its lease": _taken_after_lease,
            "what ended is changed by nobody, what needs a person by a person only": _end_is_end,
        }

    def start(self) -> Filing:
        return self.first

    def settled(self, state: Filing) -> bool:
        return state.rows[0].state in SETTLED and all(worker == IDLE for worker in state.workers)

    def moves(self, state: Filing) -> Iterator[Step]:
        row, move = state.rows[0], self.rows.move
        for n, worker in enumerate(state.workers):
            if self.same_again(state.workers, n):
                continue
            for what, after, then, kind, change in self._worker(state, worker):
                token = worker.token if worker.at else None
                yield (
                    Move(f"worker {n + 1}", what, kind, 0, token, change),
                    after._replace(
                        workers=self.placed(state.workers, n, then),
                        faults=state.faults - (kind == "fault"),
                    ),
                )
        if row.lease:
            out = state._replace(rows=(row._replace(lease=False),))
            alive = any(worker.token == row.token and worker.at for worker in state.workers)
            if not alive:
                yield Move("clock", "the lease of the dead runs out"), out
            elif state.faults:
                late = out._replace(faults=state.faults - 1)
                yield Move("clock", "the lease runs out meanwhile", "fault"), late
        if row.state == STARTED and not (row.lease and "lease" in self.rules):
            for to in (RETRYING, FAILED):
                back = move(row, to, [STARTED], row.token)
                if back:
                    change = (row.state, to)
                    yield (
                        Move("sweeper", "takes it back", row=0, claim=row.token, change=change),
                        state._replace(rows=(back,)),
                    )
        if state.acts:
            less = state._replace(acts=state.acts - 1)
            retried = move(row, QUEUED, [FAILED])
            if retried:
                change = (row.state, QUEUED)
                yield (
                    Move("person", "retries", "person", change=change),
                    less._replace(rows=(retried,)),
                )
            if state.stored == "other" and row.state == FAILED:
                yield (
                    Move("person", "removes the wrong object", "person"),
                    less._replace(stored=""),
                )
            cancelled = move(row, CANCELLED, (QUEUED, SENT, STARTED, RETRYING, FAILED))
            if cancelled:
                yield (
                    Move("person", "cancels", "person", change=(row.state, CANCELLED)),
                    less._replace(rows=(cancelled,)),
                )

    def _worker(
        self, state: Filing, worker: Worker
    ) -> Iterator[tuple[str, Filing, Worker, str, tuple[str, str] | None]]:
        row, token = state.rows[0], worker.token

        def ends(what: str, to: str, kind: str = "", **more: Any) -> Any:
            changed = self.rows.move(row, to, [STARTED], token)
            if changed is None:
                return f"{what}: too late", state, IDLE, kind, None
            after = state._replace(rows=(changed,), **more)
            return what, after, IDLE, kind, (row.state, to)

        def goes_on(what: str, at: str, kind: str = "", **more: Any) -> Any:
            return what, state._replace(**more), worker._replace(at=at), kind, None

        match worker.at:
            case "":
                if row.state in CLAIMABLE:
                    yield "looks", state, Worker("looked", 0, row.token), "", None
                return
            case "looked":
                claimed = self.rows.move(row, STARTED, CLAIMABLE, token)
                if claimed is None:
                    yield "claims: too late", state, IDLE, "", None
                else:
                    claimed = claimed._replace(token=row.token + 1, lease=True)
                    running = Worker("running", 0, token + 1)
                    change = (row.state, STARTED)
                    yield "claims", state._replace(rows=(claimed,)), running, "", change
            case "running":
                if state.bytes_kept:
                    yield goes_on("reads the bytes", "read")
                else:
                    yield ends("finds no bytes", FAILED)
            case "read":
                if state.stored:
                    yield goes_on("finds an object there", "put")
                else:
                    yield goes_on("puts", "put", stored="equal")
                    if state.faults:
                        yield goes_on(
                            "puts; the bucket keeps others", "put", "fault", stored="other"
                        )
                        yield goes_on("puts; the bucket keeps nothing", "put", "fault")
                if state.faults:
                    yield ends("is not answered", RETRYING, "fault")
            case "put":
                if "checksum" not in self.rules or state.stored == "equal":
                    yield goes_on("reads it back: equal", "verified")
                elif state.stored:
                    yield ends("reads it back: other content", FAILED)
                else:
                    yield ends("reads it back: nothing there", RETRYING)
                if state.faults:
                    yield ends("is not answered", RETRYING, "fault")
            case "verified":
                yield ends("records the success, drops the bytes", SUCCEEDED, bytes_kept=False)
        if state.faults and worker.at != "looked":
            yield "is killed (kill -9)", state, IDLE, "fault", None


# ── From the click to the receipt, and the steps that wait for each other ───────────────


class Web(NamedTuple):
    """A request that carries the application: "", written, (rolled back,) committed, answered."""

    at: str = ""


class Coming(NamedTuple):
    """``application`` and ``steps`` are what other connections see.

    ``pdf``, ``archive``, ``hr`` are the states of three steps; ``ending`` and ``freeing`` are
    transactions under way, each with what it has read of the other.
    """

    web: tuple[str, ...]
    application: bool = False
    pdf: str = ""
    archive: str = ""
    hr: str = ""
    held: bool = True
    messages: int = 0
    receipts: int = 0
    ending: str = ""
    freeing: str = ""
    faults: int = 0
    acts: int = 0
    posts: int = 0


class Intake(Model):
    """The same application twice at once, its receipt, and the PDF that others wait for."""

    name = "intake"
    about = "transaction, receipt, doorbell, successors"
    has = ("on-commit",)

    def __init__(
        self,
        without: str = "",
        named: bool = False,
        *,
        posts: int = 3,
        faults: int = 3,
        acts: int = 2,
    ) -> None:
        super().__init__(without, named)
        self.first = Coming(("", ""), faults=faults, acts=acts, posts=posts)
        self.always = {
            "a receipt implies a committed application with all its steps": lambda s: (
                not s.receipts or (s.application and all((s.pdf, s.archive, s.hr)))
            ),
            "who hears the doorbell finds the row": lambda s: not s.messages or s.application,
            "the archive begins only after the PDF": lambda s: (
                s.archive in ("", WAITING, CANCELLED) or s.pdf == SUCCEEDED
            ),
            "a mail to HR waits for the PDF's end and for its release": lambda s: (
                s.hr in ("", WAITING)
                or (s.pdf in (SUCCEEDED, FAILED, CANCELLED, QUEUED) and not s.held)
            ),
        }
        self.each_time = {
            "what is committed stays": lambda b, _m, s: s.application or not b.application,
        }

    def start(self) -> Coming:
        return self.first

    def settled(self, state: Coming) -> bool:
        if state.ending or state.freeing or any(state.web):
            return False
        if not state.application:
            return True  # nobody was told otherwise
        archive_done = state.archive in (SUCCEEDED, CANCELLED) or state.pdf == FAILED
        hr_done = state.hr == SUCCEEDED or state.held
        return state.pdf in SETTLED and archive_done and hr_done

    def moves(self, state: Coming) -> Iterator[Step]:
        yield from self._web(state)
        if state.application:
            yield from self._steps(state)
            yield from self._person(state)

    def _web(self, state: Coming) -> Iterator[Step]:
        early = "on-commit" not in self.rules
        for n, at in enumerate(state.web):
            if n and at == state.web[n - 1]:
                continue

            def now(then: str, n: int = n, **more: Any) -> Coming:
                web = tuple(sorted((*state.web[:n], then, *state.web[n + 1 :])))
                return state._replace(web=web, **more)

            who = f"request {n + 1}"
            open_ = any(web == "written" for web in state.web)
            match at:
                case "" if state.posts:
                    posted = state.posts - 1
                    if state.application:
                        yield (
                            Move(who, "finds the application there"),
                            now("committed", posts=posted),
                        )
                    elif not open_:
                        # Anybody else with the same content waits here for the unique constraint.
                        told = {"messages": 1, "receipts": 1} if early else {}
                        yield (
                            Move(who, "BEGIN, writes application, files and steps"),
                            now("written", posts=posted, **told),
                        )
                case "written":
                    rows = {"application": True, "pdf": QUEUED, "archive": WAITING, "hr": WAITING}
                    yield Move(who, "COMMIT"), now("committed", **rows)
                    if state.faults:
                        less = state.faults - 1
                        yield (
                            Move(who, "is killed before COMMIT", "fault"),
                            now("", faults=less),
                        )
                case "committed":
                    if state.messages < 2:
                        yield (
                            Move(who, "dispatches"),
                            now("rung", messages=state.messages + 1),
                        )
                    yield Move(who, "rings in vain"), now("rung")
                    if state.faults:
                        yield (
                            Move(who, "is killed after COMMIT", "fault"),
                            now("", faults=state.faults - 1),
                        )
                case "rung":
                    yield Move(who, "gives the receipt"), now("", receipts=1)

    def _steps(self, state: Coming) -> Iterator[Step]:
        if state.pdf == QUEUED and not state.ending:
            for end in (SUCCEEDED, FAILED) if state.faults else (SUCCEEDED,):
                kind = "fault" if end == FAILED else ""
                # Its own end is visible to it; whether HR's mail is held back it reads now.
                saw = f"{end} held" if state.held else end
                yield (
                    Move("worker", f"ends the PDF ({end}), not yet committed", kind),
                    state._replace(
                        ending=saw,
                        faults=state.faults - (kind != ""),
                        messages=max(0, state.messages - 1),
                    ),
                )
        if state.ending:
            end, _, held = state.ending.partition(" ")
            archive = QUEUED if end == SUCCEEDED and state.archive == WAITING else state.archive
            hr = QUEUED if not held and state.hr == WAITING else state.hr
            if state.pdf == QUEUED:
                change = (STARTED, end)
                yield (
                    Move("worker", "COMMIT", change=change),
                    state._replace(pdf=end, archive=archive, hr=hr, ending=""),
                )
            else:
                yield Move("worker", "comes too late"), state._replace(ending="")
            if state.faults:
                yield (
                    Move("worker", "is killed before COMMIT", "fault"),
                    state._replace(ending="", faults=state.faults - 1),
                )
        if state.archive == QUEUED:
            yield Move("worker", "archives"), state._replace(archive=SUCCEEDED)
        if state.hr == QUEUED:
            yield Move("worker", "mails HR"), state._replace(hr=SUCCEEDED)
        ended = state.pdf in (SUCCEEDED, FAILED, CANCELLED)
        if state.hr == WAITING and ended and not state.held:
            change = (WAITING, QUEUED)
            yield (
                Move("sweeper", "queues HR's forgotten mail", change=change),
                state._replace(hr=QUEUED),
            )
        if state.archive == WAITING and state.pdf == SUCCEEDED:
            yield Move("sweeper", "queues a forgotten archive"), state._replace(archive=QUEUED)

    def _person(self, state: Coming) -> Iterator[Step]:
        ended = state.pdf in (SUCCEEDED, FAILED, CANCELLED)
        if state.freeing:
            hr = QUEUED if state.freeing == "ended" and state.hr == WAITING else state.hr
            yield (
                Move("person", "COMMIT", change=(WAITING, QUEUED) if hr != state.hr else None),
                state._replace(held=False, hr=hr, freeing=""),
            )
        if not state.acts:
            return
        less = state._replace(acts=state.acts - 1)
        if state.held and not state.freeing:
            saw = "ended" if ended else "not ended"
            yield (
                Move("person", "releases what was held back, not yet committed", "person"),
                less._replace(freeing=saw),
            )
        if state.pdf in (QUEUED, FAILED) and not state.ending:
            hr = QUEUED if not state.held and state.hr == WAITING else state.hr
            yield (
                Move("person", "cancels the PDF", "person", change=(WAITING, CANCELLED)),
                less._replace(pdf=CANCELLED, archive=CANCELLED, hr=hr),
            )
        if state.pdf == FAILED:
            yield Move("person", "retries the PDF", "person"), less._replace(pdf=QUEUED)


MODELS: tuple[type[Model], ...] = (Intake, Mail, KeyedMail, Archive)


# ── The walk ────────────────────────────────────────────────────────────────────────────


@dataclass
class Breach:
    """A promise that broke, and the shortest way there."""

    promise: str
    way: list[Move]


@dataclass
class Walk:
    """What a walk through a model came to.

    Attributes:
        schedules: orders of events from the start to a state where nothing can happen any more,
            workers being interchangeable; counted over the graph, which has no cycles.
    """

    model: Model
    states: int = 0
    transitions: int = 0
    schedules: int = 0
    longest: int = 0
    seconds: float = 0.0
    changes: set[tuple[str, str]] = field(default_factory=set)
    breach: Breach | None = None


def explore(model: Model, only: str = "") -> Walk:
    """Visit every state that can be reached, and check every promise in each.

    Args:
        only: one promise to look at, whatever else may break on the way.
    """
    began = time.perf_counter()
    # Millions of small tuples and no cycle among them: looking for garbage would double the time.
    gc.disable()
    try:
        walk = _explore(model, only)
    finally:
        gc.enable()
    walk.seconds = time.perf_counter() - began
    return walk


def _explore(model: Model, only: str) -> Walk:
    walk = Walk(model)
    first = model.start()
    number = {first: 0}
    came: list[tuple[int, Move | None]] = [(0, None)]
    #: From each state, where one gets: by anything, and by what happens when all is well.
    after: list[list[int]] = []
    fair: list[list[int]] = []
    ends: list[int] = []
    states = deque([first])
    always = [(name, kept) for name, kept in model.always.items() if only in ("", name)]
    each_time = [(name, kept) for name, kept in model.each_time.items() if only in ("", name)]
    while states:
        state = states.popleft()
        here = len(after)
        after.append(theirs := [])
        fair.append(well := [])
        if model.settled(state):
            ends.append(here)
        for move, then in model.moves(state):
            there = number.get(then)
            broken = ""
            if there is None:
                there = number[then] = len(came)
                came.append((here, move))
                states.append(then)
                broken = next((name for name, kept in always if not kept(then)), "")
            theirs.append(there)
            if not move.kind:
                well.append(there)
            if move.change:
                walk.changes.add(move.change)
            for name, kept in each_time:
                if not kept(state, move, then):
                    broken = name
            if broken:
                walk.breach = Breach(broken, [*_way(came, here), move])
                break
        if walk.breach:
            break
    walk.states, walk.transitions = len(number), sum(map(len, after))
    if walk.breach is None:
        stuck = _cut_off(fair, ends)
        if stuck is None:
            walk.schedules, walk.longest = _count(after)
        else:
            walk.breach = Breach(model.END, _way(came, stuck))
    return walk


def _way(came: list[tuple[int, Move | None]], here: int) -> list[Move]:
    way: list[Move] = []
    while True:
        here, move = came[here]
        if move is None:
            return way[::-1]
        way.append(move)


def _cut_off(fair: list[list[int]], ends: list[int]) -> int | None:
    """The first state from which no end can be reached without faults and people."""
    before: list[list[int]] = [[] for _ in fair]
    for here, there in enumerate(fair):
        for n in there:
            before[n].append(here)
    reached = bytearray(len(fair))
    todo = list(ends)
    for n in todo:
        reached[n] = 1
    while todo:
        for n in before[todo.pop()]:
            if not reached[n]:
                reached[n] = 1
                todo.append(n)
    return next((n for n, yes in enumerate(reached) if not yes), None)


def _count(after: list[list[int]]) -> tuple[int, int]:
    """How many paths lead from the start to an end, and how long the longest is.

    Raises:
        ValueError: there is a cycle; then there is no such number.
    """
    into = [0] * len(after)
    for there in after:
        for n in there:
            into[n] += 1
    order = [0]
    for here in order:
        for n in after[here]:
            into[n] -= 1
            if into[n] == 0:
                order.append(n)
    if len(order) != len(after):
        raise ValueError("the model goes round in circles")
    paths, length = [1] * len(after), [0] * len(after)
    for here in reversed(order):
        if after[here]:
            paths[here] = sum(paths[n] for n in after[here])
            length[here] = 1 + max(length[n] for n in after[here])
    return paths[0], length[0]


# ── What is printed ─────────────────────────────────────────────────────────────────────


def table(walks: list[Walk]) -> str:
    """The figures of all walks."""
    head = ("model", "states", "transitions", "schedules", "longest", "seconds", "promises")
    rows = [head] + [
        (
            walk.model.name,
            f"{walk.states:,}",
            f"{walk.transitions:,}",
            f"{walk.schedules:.1e}" if walk.schedules else "–",
            str(walk.longest or "–"),
            f"{walk.seconds:.1f}",
            "BROKEN" if walk.breach else f"{len(walk.model.promises)} kept",
        )
        for walk in walks
    ]
    widths = [max(len(row[n]) for row in rows) for n in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if n == 0 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bin/prove model", description=__doc__.split("\n")[0])
    parser.add_argument("--sabotage", choices=RULES, help="take one rule away")
    parser.add_argument("--only", choices=[model.name for model in MODELS], help="one model")
    parser.add_argument("--faults", type=int, help="how many things go wrong (more takes longer)")
    parser.add_argument("--acts", type=int, help="how often a person acts")
    given = parser.parse_args(arguments)
    budgets = {n: v for n, v in (("faults", given.faults), ("acts", given.acts)) if v is not None}
    walks = []
    for model in MODELS:
        if given.only not in (None, model.name):
            continue
        if given.sabotage and given.sabotage not in model.has:
            continue
        walks.append(explore(model(given.sabotage or "", named=bool(given.sabotage), **budgets)))
    print(table(walks))
    print("\nschedules: orders of events from the start until nothing can happen any more,")
    print("identical workers not told apart; longest: events in the longest of them.")
    for walk in walks:
        print(f"\n{walk.model.name} ({walk.model.about})")
        if walk.breach:
            if given.sabotage:
                print(f"  without: {RULES[given.sabotage]}")
            print(f"  BROKEN: {walk.breach.promise}")
            for n, move in enumerate(walk.breach.way, 1):
                print(f"  {n:3}. {move}")
        else:
            for promise in walk.model.promises:
                print(f"  kept: {promise}")
    return 1 if any(walk.breach for walk in walks) else 0


if __name__ == "__main__":
    sys.exit(main())
