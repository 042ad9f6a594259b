"""One file on its way into the archive: store it, read it back, drop the bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from prove.model.mail import Mail
from prove.model.promises import end_is_end, not_over_a_later_claim, one_holder, taken_after_lease
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
    Model,
    Move,
    Row,
    Step,
    Worker,
)


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
            "a claim has one holder": one_holder,
        }
        self.each_time = {
            "no write replaces a later claim": not_over_a_later_claim,
            "a running step is taken back only after its lease": taken_after_lease,
            "a final state never changes, a state for a person only by a person": end_is_end,
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
                    yield "reads the row", state, Worker("checked", 0, row.token), "", None
                return
            case "checked":
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
        if state.faults and worker.at != "checked":
            yield "is killed (kill -9)", state, IDLE, "fault", None
