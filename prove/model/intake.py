"""From the form to the receipt, and the steps that wait for each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from prove.model.protocol import (
    CANCELLED,
    FAILED,
    QUEUED,
    SETTLED,
    STARTED,
    SUCCEEDED,
    WAITING,
    Model,
    Move,
    Step,
)


class Web(NamedTuple):
    """A request with the application: "", written, (rolled back,) committed, dispatched."""

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
    """One sender's form twice at once, its receipt, and the PDF that others wait for."""

    name = "intake"
    about = "transaction, receipt, dispatch, successors"
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
            "a worker that gets a message finds the row": lambda s: not s.messages or s.application,
            "the archive begins only after the PDF": lambda s: (
                s.archive in ("", WAITING, CANCELLED) or s.pdf == SUCCEEDED
            ),
            "a mail to HR waits for the PDF's end and for its release": lambda s: (
                s.hr in ("", WAITING)
                or (s.pdf in (SUCCEEDED, FAILED, CANCELLED, QUEUED) and not s.held)
            ),
        }
        self.each_time = {
            "committed rows stay": lambda b, _m, s: s.application or not b.application,
        }

    def start(self) -> Coming:
        return self.first

    def settled(self, state: Coming) -> bool:
        if state.ending or state.freeing or any(state.web):
            return False
        if not state.application:
            return True  # no receipt was given
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
                        # The other request of this sender waits here for the idempotency key.
                        early_facts = {"messages": 1, "receipts": 1} if early else {}
                        yield (
                            Move(who, "BEGIN, writes application, files and steps"),
                            now("written", posts=posted, **early_facts),
                        )
                case "written":
                    yield (
                        Move(who, "COMMIT"),
                        now("committed", application=True, pdf=QUEUED, archive=WAITING, hr=WAITING),
                    )
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
                            now("dispatched", messages=state.messages + 1),
                        )
                    yield Move(who, "dispatches; the broker is down"), now("dispatched")
                    if state.faults:
                        yield (
                            Move(who, "is killed after COMMIT", "fault"),
                            now("", faults=state.faults - 1),
                        )
                case "dispatched":
                    yield Move(who, "gives the receipt"), now("", receipts=1)

    def _steps(self, state: Coming) -> Iterator[Step]:
        if state.pdf == QUEUED and not state.ending:
            for end in (SUCCEEDED, FAILED) if state.faults else (SUCCEEDED,):
                kind = "fault" if end == FAILED else ""
                # Its own end is visible to it; whether the mail to HR is quarantined it reads now.
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
                Move("person", "releases the quarantined application, not yet committed", "person"),
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
