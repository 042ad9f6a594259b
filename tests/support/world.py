"""The pipeline's real code in a world in which a test decides every move.

Requests, workers, sweepers and a person are threads of ``tests.support.turns``. They run the
product, with its statements and transactions, against the real database. The mail server, the mail
provider, the bucket and the broker are simulated: a test decides what they answer, and they count
what they accepted. ``check`` verifies the promises after every move, whether hypothesis or a
hand-written test chose it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from django.utils import timezone

from careers.applications.errors import Permanent, Transient, Uncertain
from careers.applications.files import store_file
from careers.applications.models import Application, ApplicationFile, FileBytes, FileKind
from careers.archive import bucket, listing, store
from careers.archive.failures import explained
from careers.intake import submit as intake
from careers.notifications import BeforeSend, IdempotencyWindow
from careers.operations import sweeper
from careers.pipeline import (
    actions,
    broker,
    circuit_breaker,
    dispatch,
    rate_limit,
    registry,
    runner,
    transitions,
    unconfirmed,
    worker,
)
from careers.pipeline.dispatch import Message
from careers.pipeline.kinds import ARCHIVE, MAIL_APPLICANT, MAIL_HR, RENDER_PDF
from careers.pipeline.models import Step, StepEvent
from careers.pipeline.registry import Outcome
from careers.pipeline.states import ENDED, LEAVES_TO, NEEDS_A_PERSON, Phase, State
from tests.support.simulated_bucket import Bucket
from tests.support.turns import Turns

WORKERS = ("worker 1", "worker 2")
SWEEPERS = ("sweeper 1", "sweeper 2")
REQUESTS = ("request 1", "request 2")
PERSON = "person"
NAMES = (*REQUESTS, *WORKERS, *SWEEPERS, PERSON)

MAILS = {MAIL_APPLICANT, MAIL_HR}
KINDS = {RENDER_PDF, ARCHIVE, *MAILS}
WAITS_FOR = {ARCHIVE: (State.SUCCEEDED,), MAIL_HR: ENDED}
LEASE = dt.timedelta(seconds=180)
#: The idempotency window of the provider, with the safety margin and without.
WINDOW = IdempotencyWindow("provider", dt.timedelta(hours=20))
WHOLE_WINDOW = dt.timedelta(hours=24)
PDF = b"%PDF-1.7 made of an application"

# The promises. A test of a removed rule names the one that must break.
ONCE = "no mail is accepted twice"
RECEIPT = "a receipt implies a committed application with all its steps"
DISPATCHED = "a worker that gets a message finds the row"
BYTES = "bytes are deleted from the database only when the archive holds an equal copy"
CLAIM = "no write replaces a later claim"
TAKEN_BACK = "a running step is taken back only after its lease"
UNCONFIRMED = "a mail is unconfirmed only when the answer or the worker was lost"
DONE = "a mail is done only when it was accepted or a person confirmed it"
HISTORY = "the history holds every change, and only allowed ones"
TIDY = "only a running step holds a lease or a phase"
WAITS = "the archive waits until the PDF succeeded, the mail to HR until it ended"
STOPPED = "a mail cancelled before its point of no return is never sent"
END = "every step comes to an end when faults stop"


class BrokenPromise(AssertionError):
    """A promise was broken, with the reason."""

    def __init__(self, promise: str, why: object) -> None:
        super().__init__(f"{promise}: {why}")
        self.promise = promise


class World:
    """One application from its first post to its last mail."""

    def __init__(self, turns: Turns, submission: Any, person: Any, *, keyed: bool = False) -> None:
        self.turns, self.submission, self.person, self.keyed = turns, submission, person, keyed
        self._now = timezone.now()
        self._run_number = itertools.count(1)
        # How the simulated servers answer until a test changes it.
        self.mail_mode = self.bucket_mode = "ok"
        self.broker_takes = True
        self.messages: list[int] = []
        self.dispatched: set[int] = set()
        self.accepted: Counter[int] = Counter()
        self.first_accepted: dict[int, dt.datetime] = {}
        self.unanswered: set[int] = set()
        self.objects: dict[str, bytes] = {}
        self.receipts: list[str] = []
        self.looked_up: set[str] = set()
        #: Owners of claims that were killed, or stopped, while they ran a step.
        self.lost: set[str] = set()
        self.owners: dict[str, str] = {}
        self.trace: list[str] = []
        self.broken = False

    # ── Time ────────────────────────────────────────────────────────────────────────────

    def now(self) -> dt.datetime:
        """The time of the database in this world; each call takes a millisecond."""
        self._now += dt.timedelta(milliseconds=1)
        return self._now

    def passes(self, seconds: float) -> None:
        """Let time pass, except days while a worker is at its point of no return: the hard limit
        would have killed it.
        """
        at_the_point = any(actor.point == "the point of no return" for actor in self.actors)
        if not (at_the_point and self.keyed and seconds > 3600):
            self._now += dt.timedelta(seconds=seconds)
            self.trace.append(f"{seconds:.0f} s pass")

    @property
    def actors(self) -> list[Any]:
        return list(self.turns.actors.values())

    # ── The simulated servers ─────────────────────────────────────────────────────────────────────

    def send_mail(self, step: Step, before_send: BeforeSend) -> Outcome:
        """The effect of a mail step: like ``notifications.deliver``, with a simulated server."""
        if self.mail_mode == "away":
            raise Transient("mail-unreachable", "No answer.")
        if self.mail_mode == "impossible":
            raise Permanent("mail-impossible", "There is no such address.")
        if self.keyed:
            before_send(WINDOW)
        else:
            before_send()
        self.turns.me().pause("the point of no return")
        mode = self.mail_mode
        self.turns.changed.add("mail")
        if mode in ("ok", "silent"):
            first = self.first_accepted.setdefault(step.pk, self._now)
            known = self.keyed and self.accepted[step.pk]
            if not (known and self._now < first + WHOLE_WINDOW):
                self.accepted[step.pk] += 1
        if mode in ("silent", "lost"):
            self.unanswered.add(step.pk)
        self.turns.me().pause("the answer")
        match mode:
            case "busy":
                raise Transient("mail-busy", "Come again.")
            case "refuses":
                raise Permanent("mail-refused", "Not here.")
            case "silent" | "lost":
                raise Uncertain("mail-unconfirmed", "No answer.")
        return Outcome({"response": "250 Ok"})

    def make_pdf(self, step: Step, before_send: BeforeSend) -> Outcome:
        self.turns.me().pause("the PDF")
        application = step.about
        assert isinstance(application, Application)
        if self.mail_mode == "refuses":
            raise Permanent("pdf", "It can't be made.")

        def record() -> None:
            store_file(
                application,
                kind=FileKind.PDF,
                content=PDF + application.reference.encode(),
                filename="application.pdf",
                content_type="application/pdf",
            )

        return Outcome(record=record)

    @contextmanager
    def bucket(self, config: Any = None) -> Iterator[tuple[Any, str]]:
        """Replaces the archive's client; everything above it is the product."""
        with explained("bucket"):
            yield Bucket(self), "bucket"

    def publish(self, messages: Sequence[Message]) -> None:
        """Replaces the broker."""
        for message in messages:
            if not self.broker_takes:
                raise ConnectionRefusedError
            self.messages.append(message.step_id)
            self.dispatched.add(message.step_id)
            self.turns.changed.add("dispatch")
            self.turns.me().pause("dispatched")

    # ── Jobs ────────────────────────────────────────────────────────────────────────────

    def begin(self, name: str, what: str, job: Callable[[], Any]) -> None:
        self.trace.append(f"{name} begins: {what}")
        self.turns.begin(name, job)
        self._passed_on(name)

    def post(self, name: str = "request 1") -> None:
        """An applicant sends the form."""

        def job() -> None:
            application = intake.submit(self.submission)
            self.turns.me().pause("the receipt")
            self.receipts.append(application.receipt_secret)
            self.turns.changed.add("receipt")

        self.begin(name, "post", job)

    def at_once(self, name: str, what: str, job: Callable[[], Any]) -> None:
        """One actor completes a job before any other moves."""
        self.turns.stopping = False
        self.begin(name, what, job)
        self.turns.stopping = True

    def post_at_once(self) -> None:
        """The form is sent and received before anything else happens."""
        self.turns.stopping = False
        self.post()
        self.turns.stopping = True

    def work(self, name: str, step_id: int) -> None:
        """A worker gets a message, as in ``careers.pipeline.tasks``."""
        owner = f"worker:{next(self._run_number)}"
        self.owners[name] = owner

        def job() -> None:
            dispatch.dispatch_steps(runner.run(step_id, owner=owner), actor=owner)

        self.begin(name, f"step {step_id}", job)

    def hand_back(self, name: str) -> None:
        """SIGTERM: the children are gone, and the main process hands back their steps."""
        owner = self.owners[name]
        self.kill(name)
        if self.turns[name].busy:
            # The server still waits for a lock on its behalf: nobody hands back its step.
            return
        self.begin(name, f"hand back {owner}", worker.hand_back)

    def sweep(self, name: str = "sweeper 1") -> None:
        """One sweep."""

        def job() -> None:
            sweeper.release_expired_leases()
            sweeper.release_forgotten_waiters()
            if self.broker_takes:
                sweeper.requeue_unanswered()
                dispatch.dispatch_steps(sweeper.forgotten(), actor=sweeper.ACTOR, insist=True)

        self.begin(name, "sweep", job)

    def act(self, act: str, step: Step) -> None:
        """A person acts on a step as a page showed it."""
        self.begin(PERSON, f"{act} {step}", lambda: getattr(actions, act)(step, self.person))

    def go(self, name: str) -> bool:
        """Let one actor make one move; False when it waits or has nothing to do."""
        actor = self.turns[name]
        if not actor.busy:
            return False
        self.trace.append(f"{name}: {actor.point}")
        moved = self.turns.step(name)
        self._passed_on(name)
        return moved

    def _passed_on(self, name: str) -> None:
        """Check the result of a move."""
        actor = self.turns[name]
        if actor.error is not None:
            error, actor.error, self.broken = actor.error, None, True
            raise error
        self.check()

    def until(self, name: str, point: str, times: int = 1) -> None:
        """Let an actor continue until it is at a point."""
        for _ in range(200):
            times -= self.turns[name].point == point
            if times == 0:
                return
            assert self.go(name), f"{name} never reaches {point!r}\n{self.story()}"
        raise AssertionError(f"{name} never reaches {point!r}\n{self.story()}")

    def finish(self, *names: str) -> None:
        """Let actors continue until their jobs are done."""
        for name in names:
            while self.turns[name].busy:
                assert self.go(name), f"{name} waits at {self.turns[name].point!r}\n{self.story()}"

    def kill(self, name: str) -> None:
        """Kill an actor, as ``kill -9`` would."""
        if self.turns[name].busy:
            self.trace.append(f"{name} is killed before: {self.turns[name].point}")
            self.lost.add(self.owners.get(name, ""))
            self.turns.kill(name)
            self.check()

    def story(self) -> str:
        return "\n".join(self.trace)

    # ── The promises ────────────────────────────────────────────────────────────────────

    def step(self, kind: str) -> Step | None:
        """The newest step of a kind that is committed."""
        return Step.objects.filter(kind=kind).order_by("-sequence").first()

    def check(self) -> None:
        """Verify every promise, if anything was written since the last call.

        Raises:
            BrokenPromise: with every move until then.
        """
        changed = set(self.turns.changed)
        self.turns.changed.clear()
        for promise, why in self._broken(changed) if changed else ():
            self.broken = True
            raise BrokenPromise(promise, f"{why}\n{self.story()}")

    def _broken(self, changed: set[str]) -> Iterator[tuple[str, object]]:
        rows = {step.pk: step for step in Step.objects.all()}
        for pk, times in self.accepted.items():
            if times > 1:
                yield ONCE, f"step {pk}: {times} times"
        if self.dispatched - set(rows):
            yield DISPATCHED, f"steps {self.dispatched - set(rows)}"
        yield from self._broken_receipts(rows)
        if changed & {"filebytes", "applicationfile", "bucket"}:
            yield from self._broken_files()
        events: dict[int, list[StepEvent]] = {pk: [] for pk in rows}
        for event in StepEvent.objects.order_by("pk"):
            events[event.step_id].append(event)
        ended: dict[str, int] = {}
        for pk, step in rows.items():
            yield from self._broken_row(step, events[pk])
            if step.kind == RENDER_PDF:
                ended = {event.to_state: event.pk for event in reversed(events[pk])}
        for pk, step in rows.items():
            enough = WAITS_FOR.get(step.kind)
            begun = next((e.pk for e in events[pk] if e.to_state == State.QUEUED), None)
            if enough and begun and not any(ended.get(state, begun) < begun for state in enough):
                yield WAITS, step

    def _broken_receipts(self, rows: dict[int, Step]) -> Iterator[tuple[str, object]]:
        for secret in set(self.receipts) - self.looked_up:
            self.looked_up.add(secret)
            application = Application.objects.filter(receipt_secret=secret).first()
            if application is None:
                yield RECEIPT, "there is no application"
                continue
            kinds = {step.kind for step in rows.values() if step.application_id == application.pk}
            if kinds != KINDS or not application.files.filter(kind=FileKind.CV).exists():
                yield RECEIPT, f"there are only {kinds}"
        if len(set(self.receipts)) > 1:
            yield RECEIPT, "the same content has two receipts"

    def _broken_files(self) -> Iterator[tuple[str, object]]:
        kept = set(FileBytes.objects.values_list("file_id", flat=True))
        for file in ApplicationFile.objects.exclude(kind=FileKind.MANIFEST):
            copy = self.objects.get(file.object_key, b"")
            if file.pk not in kept and hashlib.sha256(copy).hexdigest() != file.sha256:
                yield BYTES, f"{file.kind}: {copy[:20]!r} under {file.object_key!r}"

    def _broken_row(self, step: Step, events: list[StepEvent]) -> Iterator[tuple[str, object]]:
        claim: StepEvent | None = None
        claims = 0
        for before, event in itertools.pairwise([None, *events]):
            if before is not None and (
                event.from_state != before.to_state
                or event.to_state not in LEAVES_TO[State(before.to_state)]
            ):
                yield (
                    HISTORY,
                    f"{step}: {before.to_state}, then {event.from_state} → {event.to_state}",
                )
            if event.from_state == State.STARTED:
                assert claim is not None
                late = event.at - claim.at >= LEASE
                if event.actor.startswith("worker") and event.actor != claim.actor:
                    yield CLAIM, f"{step}: {event.actor} over {claim.actor}"
                if event.actor == sweeper.ACTOR and not late:
                    yield TAKEN_BACK, f"{step} after {event.at - claim.at}"
                if event.to_state == State.UNCERTAIN and not (
                    step.pk in self.unanswered or claim.actor in self.lost or late
                ):
                    yield UNCONFIRMED, step
                done = event.to_state == State.SUCCEEDED and step.kind in MAILS
                if done and not self.accepted[step.pk]:
                    yield DONE, step
            if event.to_state == State.STARTED:
                claim, claims = event, claims + 1
            asked = event.actor.startswith("user:") and event.to_state == State.CANCELLED
            before_the_point = asked and event.from_state != State.UNCERTAIN
            if before_the_point and self.accepted[step.pk]:
                yield STOPPED, step
        if events and step.state != events[-1].to_state:
            yield HISTORY, f"{step} is {step.state}, its last event says {events[-1].to_state}"
        if step.token != claims:
            yield HISTORY, f"{step} has token {step.token} after {claims} claims"
        running, open_ = step.state == State.STARTED, step.state == State.UNCERTAIN
        if not running and (step.lease_until or (step.phase != Phase.NONE and not open_)):
            yield TIDY, f"{step}: {step.state} {step.phase!r} {step.lease_until}"

    def tally(self, seen: Counter[tuple[str, str]]) -> None:
        """Count the changes of all steps so far."""
        seen.update(StepEvent.objects.values_list("from_state", "to_state"))

    # ── The end ─────────────────────────────────────────────────────────────────────────

    def come_to_an_end(self) -> None:
        """Let faults stop and every actor finish; no step may stay open."""
        self.mail_mode = self.bucket_mode = "ok"
        self.broker_takes = True
        while any(actor.busy for actor in self.actors):
            moved = [name for name in NAMES if self.go(name)]
            assert moved, f"all actors wait for each other\n{self.story()}"
        # From here on only one actor works at a time.
        self.turns.stopping = False
        try:
            for _ in range(12):
                self.passes(4000)
                self.sweep("sweeper 1")
                while self.messages:
                    self.work("worker 1", self.messages.pop(0))
                if self._settled():
                    return
        finally:
            self.turns.stopping = True
        self.broken = True
        raise BrokenPromise(
            END, f"{list(Step.objects.values_list('kind', 'state'))}\n{self.story()}"
        )

    def _settled(self) -> bool:
        done = {*ENDED, *NEEDS_A_PERSON}
        states = {step.kind: step.state for step in Step.objects.order_by("sequence")}
        if states.get(RENDER_PDF) == State.FAILED:
            # The archive waits for a person who retries the PDF.
            states.pop(ARCHIVE)
        return all(state in done for state in states.values())


class Stage:
    """Puts the current world in place of the product's clients and clock."""

    world: World

    def set_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clocks = (
            transitions,
            runner,
            unconfirmed,
            rate_limit,
            circuit_breaker,
            sweeper,
            dispatch,
            actions,
        )
        for module in clocks:
            monkeypatch.setattr(module, "db_now", lambda: self.world.now())
        # The main process and the children of a worker share one name.
        me = lambda: self.world.owners[self.world.turns.me().name]  # noqa: E731
        monkeypatch.setattr(worker, "owner", me)
        monkeypatch.setattr(dispatch, "_publish", lambda *args: self.world.publish(*args))
        monkeypatch.setattr(dispatch, "REST", 0)
        monkeypatch.setattr(broker, "queue_length", lambda queue: 0)
        for module in (store, listing, bucket):
            monkeypatch.setattr(module, "connected", lambda config=None: self.world.bucket(config))
        effects: dict[str, Any] = dict.fromkeys(
            MAILS, lambda step, before_send: self.world.send_mail(step, before_send)
        )
        effects[RENDER_PDF] = lambda step, before_send: self.world.make_pdf(step, before_send)
        for kind, effect in effects.items():
            definition = dataclasses.replace(registry.REGISTERED[kind], effect=effect)
            monkeypatch.setitem(registry.REGISTERED, kind, definition)
