"""A mail step: two workers, the sweeper, a person, the dispatcher and a mail server."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from prove.model.promises import (
    CANCELS,
    cancelled_is_not_sent,
    done_is_accepted,
    end_is_end,
    not_over_a_later_claim,
    one_holder,
    paused_is_not_started,
    taken_after_lease,
    tidy,
)
from prove.model.protocol import (
    CANCELLED,
    CLAIMABLE,
    FAILED,
    IDLE,
    QUEUED,
    RETRYING,
    SENT,
    SETTLED,
    STARTED,
    SUCCEEDED,
    UNCERTAIN,
    Model,
    Move,
    Row,
    Step,
    Worker,
    with_row,
)

HURRY = "takes back a message that was only late"


class Mailing(NamedTuple):
    rows: tuple[Row, ...]
    workers: tuple[Worker, ...]
    sweeper: Worker = IDLE
    faults: int = 0
    acts: int = 0
    #: How often the sweeper may dispatch although a message is still in a queue.
    hurries: int = 0
    paused: bool = False


class Mail(Model):
    """One mail step: two workers, the sweeper, a person, the dispatcher, a mail server."""

    name = "mail"
    about = "a mail by plain SMTP"
    has: tuple[str, ...] = ("fence", "guard", "lease", "phase-marker", "recall")
    keyed = False
    #: Whether a person also pauses the step, and does it after all when it was cancelled.
    steered = False

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
            "unconfirmed only when the answer or its reader was lost": lambda s: all(
                row.unclear for row in s.rows if row.state == UNCERTAIN
            ),
            "a claim has one holder": one_holder,
            "only what runs holds a lease or a phase": tidy,
        }
        self.each_time = {
            "no write replaces a later claim": not_over_a_later_claim,
            "a running step is taken back only after its lease": taken_after_lease,
            "a final state never changes, a state for a person only by a person": end_is_end,
            "done means accepted, or confirmed by a person": done_is_accepted,
            "a cancelled mail is not sent": cancelled_is_not_sent,
            "a paused step is not started": paused_is_not_started,
        }

    def start(self) -> Mailing:
        return self.first

    def settled(self, state: Mailing) -> bool:
        return (
            state.rows[-1].state in SETTLED
            and state.sweeper == IDLE
            and all(worker == IDLE for worker in state.workers)
        )

    # A guarded UPDATE: the only way in which a row's state changes.
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
                        rows=with_row(state.rows, move.row, row),
                        workers=self.placed(state.workers, n, after),
                        faults=state.faults - (move.kind == "fault"),
                    ),
                )
        for n, row in enumerate(state.rows):
            for move, changed in self._surroundings(state, n, row):
                yield (
                    move,
                    state._replace(
                        rows=with_row(state.rows, n, changed),
                        faults=state.faults - (move.kind == "fault"),
                        hurries=state.hurries - (move.what == HURRY),
                    ),
                )
        yield from self._sweeper(state)
        if state.paused:
            # A person resumes it, or its time is over.
            yield Move("clock", "the pause ends"), state._replace(paused=False)
        if state.acts:
            yield from self._person(state)

    def _is_held(self, state: Mailing, row: Row) -> bool:
        """Whether a pause keeps a step from starting.

        A mail that may have been sent is repeated with its key all the same: this sends no second
        mail, and the key may be forgotten meanwhile.
        """
        return state.paused and not row.repeat and "pause" in self.rules

    def _worker(self, state: Mailing, worker: Worker, n: int) -> Iterator[tuple[Move, Row, Worker]]:
        who = f"worker {n + 1}"
        if worker.at == "":
            for number, row in enumerate(state.rows):
                if row.messages:
                    taken = row._replace(messages=row.messages - 1)
                    if row.state in CLAIMABLE:
                        checked = Worker("checked", number, row.token)
                        yield (
                            Move(who, "gets a message, finds the step due", row=number),
                            taken,
                            checked,
                        )
                    if row.state == RETRYING or row.state not in CLAIMABLE:
                        yield (
                            Move(who, "gets a message, leaves the step alone", row=number),
                            taken,
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
            case "checked" if row.repeat and row.forgot:
                yield does("may not repeat any more", self.move(row, UNCERTAIN, CLAIMABLE, token))
            case "checked" if self._is_held(state, row):
                held = self.move(row, QUEUED, [SENT], token)
                yield does("finds it paused", held or row)
            case "checked":
                claimed = self.move(row, STARTED, CLAIMABLE, token)
                if claimed:
                    claimed = claimed._replace(token=row.token + 1, lease=True)
                running = Worker("running", worker.row, token + 1, known=row.repeat)
                yield does("claims", claimed, running)
            case "running":
                yield self._pass_point_of_no_return(does, row, worker)
                if state.faults:
                    for what, to in (("can't connect", RETRYING), ("gives up", FAILED)):
                        yield does(what, self._failed(row, worker, to), IDLE, "fault")
            case "marked":
                yield from self._end_of_data(does, row, worker, state.faults)
            case "accepted":
                yield does("records the success", self.move(row, SUCCEEDED, [STARTED], token))
            case "busy":
                yield does("records the 4xx", self._failed(row, worker, RETRYING))
            case "refused":
                yield does("records the 5xx", self._failed(row, worker, FAILED))
            case "silent":
                to = RETRYING if self.keyed and not row.forgot else UNCERTAIN
                yield does("records that no answer came", self.move(row, to, [STARTED], token))
            case "stopping":
                yield self._hand_back(does, row, worker)
        if state.faults and worker.at not in ("checked", "stopping"):
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
        """A clear refusal: this sending failed, but an earlier one may have succeeded."""
        if to == FAILED and worker.known:
            to = UNCERTAIN
        changed = self.move(row, to, [STARTED], worker.token)
        return changed and changed._replace(repeat=worker.known)

    def _pass_point_of_no_return(
        self, does: Any, row: Row, worker: Worker
    ) -> tuple[Move, Row, Worker]:
        """Record the point of no return, in a statement that checks fence, state and lease."""
        marked = worker._replace(at="marked")
        if "phase-marker" not in self.rules:
            return does("passes the point of no return, writing nothing", row, marked)
        ours = (
            (row.token == worker.token or not self.fence)
            and (row.state == STARTED or not self.guard)
            and row.lease
            and not (worker.known and row.forgot)
        )
        if self.keyed:
            recorded = row._replace(phase="keyed", repeat=True, forgot=worker.known and row.forgot)
        else:
            recorded = row._replace(phase="data")
        return does("records the point of no return", recorded if ours else None, marked)

    def _end_of_data(
        self, does: Any, row: Row, worker: Worker, faults: int
    ) -> Iterator[tuple[Move, Row, Worker]]:
        # Within its idempotency window a provider delivers once.
        again = self.keyed and not row.forgot and row.accepted
        taken = row if again else row._replace(accepted=row.accepted + 1)

        def sent(what: str, changed: Row, at: str, kind: str = "") -> tuple[Move, Row, Worker]:
            move, changed, then = does(what, changed, worker._replace(at=at), kind)
            return move._replace(claim=None), changed, then

        yield sent("sends the end of the data; accepted, 250", taken, "accepted")
        if faults:
            yield sent("sends the end of the data; 451", row, "busy", "fault")
            yield sent("sends the end of the data; 550", row, "refused", "fault")
            if row.token == worker.token:
                row, taken = row._replace(unclear=True), taken._replace(unclear=True)
            yield sent("sends the end of the data; accepted, no answer", taken, "silent", "fault")
            yield sent("sends the end of the data; lost, no answer", row, "silent", "fault")

    def _hand_back(self, does: Any, row: Row, worker: Worker) -> tuple[Move, Row, Worker]:
        """What the main process does when its children have ended."""
        to = QUEUED if not worker.phase else UNCERTAIN
        if worker.phase == "keyed" and not row.forgot:
            to = RETRYING
        changed = self.move(row, to, [STARTED], worker.token)
        if not worker.phase and row.phase:
            changed = None  # its own guard
        return does("hands the step back", changed)

    def _surroundings(self, state: Mailing, n: int, row: Row) -> Iterator[tuple[Move, Row]]:
        if row.state in (QUEUED, RETRYING) and not self._is_held(state, row):
            sent = self.move(row, SENT, [QUEUED, RETRYING])
            change = (row.state, SENT)
            if sent and row.messages < 2:
                queued = sent._replace(messages=row.messages + 1)
                yield Move("dispatcher", "dispatches", row=n, change=change), queued
            if sent and state.faults:
                yield (
                    Move("dispatcher", "dispatches; the message is lost", "fault", n, None, change),
                    sent,
                )
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
            # A worker that has checked the time sends before the window ends.
            known = self.keyed and (row.repeat or row.accepted) and not row.forgot
            if known and not any(w.at == "marked" and w.row == n for w in state.workers):
                shut = row._replace(forgot=True)
                yield Move("clock", "the idempotency window ends", "fault", n), shut
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
                    checked = Worker("checked", n, row.token, row.phase)
                    yield (
                        Move("sweeper", "finds a step whose lease is over", row=n),
                        state._replace(sweeper=checked),
                    )
            return
        row = state.rows[seen.row]
        ways = [UNCERTAIN] if seen.phase else [RETRYING, UNCERTAIN if row.repeat else FAILED]
        if seen.phase == "keyed" and not row.forgot:
            ways = [RETRYING]
        for to in ways:
            changed = self.move(row, to, [STARTED], seen.token)
            if not seen.phase and row.phase:
                # The worker resumed and passed the point of no return: the first write decides.
                changed = None
            if changed is None:
                yield Move("sweeper", "comes too late"), state._replace(sweeper=IDLE)
                return
            move = Move(
                "sweeper", "takes it back", row=seen.row, claim=seen.token, change=(row.state, to)
            )
            rows = with_row(state.rows, seen.row, changed)
            yield move, state._replace(rows=rows, sweeper=IDLE)

    def _person(self, state: Mailing) -> Iterator[Step]:
        """A person acts on a page that may be old, so in any state; the guard decides."""
        number = len(state.rows) - 1
        row = state.rows[number]
        less = state._replace(acts=state.acts - 1)

        def act(what: str, to: str, leaving: Collection[str], changed: Row | None) -> Step:
            move = Move("person", what, "person", number, None, (row.state, to))
            return move, less._replace(rows=with_row(state.rows, number, changed or row))

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
        if self.steered and row.state == CANCELLED and number == 0:
            move, after = act("does it after all", CANCELLED, [CANCELLED], row)
            yield move._replace(change=None), after._replace(rows=(*after.rows, Row()))
        if self.steered and not state.paused:
            yield Move("person", "pauses", "person", number), less._replace(paused=True)
        open_ = (QUEUED, SENT, STARTED, RETRYING, FAILED)
        past_its_dot = bool(row.phase or row.repeat) and "recall" in self.rules
        cancelled = self.move(row, CANCELLED, open_) if not past_its_dot else None
        if cancelled:
            yield act(CANCELS, CANCELLED, open_, cancelled)


class KeyedMail(Mail):
    """The same with a provider that has idempotency keys."""

    name = "mail-keyed"
    about = "a mail by a provider with idempotency keys"
    keyed = True

    def __init__(
        self, without: str = "", named: bool = False, *, acts: int = 1, **more: int
    ) -> None:
        super().__init__(without, named, acts=acts, **more)
