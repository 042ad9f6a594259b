"""Two requests, two workers, two sweepers and a person work on one application, in any order.

They run the real code against the real database, each in a thread that stops at every statement,
every COMMIT, and around every effect; hypothesis decides which one continues. The promises are
those of ``tests.support.world``. ``prove/model`` explores the same protocol without a
database. Change both when the protocol changes.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from typing import Any, ClassVar

import pytest
from django.contrib.auth import get_user_model
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from careers.applications.models import Application
from careers.operations import sweeper
from careers.pipeline import dispatch, restored_database
from careers.pipeline.kinds import ARCHIVE, MAIL_APPLICANT, RENDER_PDF
from careers.pipeline.models import Step
from careers.pipeline.states import State
from prove.model.mail import Mail, Mailing
from prove.model.protocol import FAILED, RETRYING, STARTED, Move
from tests.support.applying import submission
from tests.support.turns import Turns
from tests.support.world import NAMES, PERSON, REQUESTS, SWEEPERS, WORKERS, Stage, World

pytestmark = pytest.mark.django_db(transaction=True)

number = st.integers(0, 5)
kind = st.sampled_from([*[MAIL_APPLICANT] * 3, RENDER_PDF, ARCHIVE])
POINTS = (
    "the point of no return",
    "the answer",
    "the PDF",
    "PUT",
    "GET",
    "COMMIT",
    "UPDATE step",
    "dispatched",
)
MAIL = ("ok", "ok", "away", "busy", "refuses", "silent", "lost")
BUCKET = ("ok", "ok", "lies", "forgets", "away")
ACTS = ("retry", "retry", "send_again", "confirm_arrival", "cancel")


class Play(RuleBasedStateMachine):
    """The rules are the events that may happen; the world verifies its promises after each."""

    stage: Stage
    turns: Turns
    submission: Any
    person: Any
    seen: Counter[tuple[str, str]]

    @initialize(keyed=st.booleans(), moves=st.integers(10, 40), is_through=st.booleans())
    def person_applies(self, keyed: bool, moves: int, is_through: bool) -> None:
        self.world = self.stage.world = World(self.turns, self.submission, self.person, keyed=keyed)
        if is_through:
            self.world.post_at_once()
        else:
            self.world.post(REQUESTS[0])
            self.actor_goes_on(0, moves)

    def teardown(self) -> None:
        try:
            if not self.world.broken:
                self.world.tally(self.seen)
                self.world.come_to_an_end()
        finally:
            self.turns.kill_all()
            Application.objects.all().delete()

    def idle(self, *names: str) -> list[str]:
        return [name for name in names if not self.turns[name].busy]

    def busy(self, *names: str) -> list[str]:
        return [name for name in names if self.turns[name].busy]

    @rule(who=number, moves=st.integers(1, 10))
    def actor_goes_on(self, who: int, moves: int) -> None:
        if busy := self.busy(*NAMES):
            for _ in range(moves):
                if not self.world.go(busy[who % len(busy)]):
                    break

    @rule(who=number, point=st.sampled_from(POINTS))
    def worker_goes_on_to(self, who: int, point: str) -> None:
        if busy := self.busy(*WORKERS):
            name = busy[who % len(busy)]
            while self.world.go(name) and self.turns[name].point != point:
                pass

    @rule(who=number)
    def actor_finishes(self, who: int) -> None:
        if busy := self.busy(*NAMES):
            while self.world.go(busy[who % len(busy)]):
                pass

    @rule(
        which=number,
        comes_again=st.booleans(),
        point=st.sampled_from(POINTS),
        mail=st.sampled_from(MAIL),
        bucket=st.sampled_from(BUCKET),
    )
    def message_arrives(
        self, which: int, comes_again: bool, point: str, mail: str, bucket: str
    ) -> None:
        world, idle = self.world, self.idle(*WORKERS)
        world.mail_mode, world.bucket_mode = mail, bucket
        # The broker may deliver any accepted message again.
        messages = world.messages or sorted(world.dispatched)
        if not idle or not messages:
            self.sweeper_sweeps()
            return
        step_id = messages[which % len(messages)]
        if not comes_again and step_id in world.messages:
            world.messages.remove(step_id)
        world.work(idle[0], step_id)
        self.worker_goes_on_to(self.busy(*WORKERS).index(idle[0]), point)

    @rule()
    def sweeper_sweeps(self) -> None:
        if idle := self.idle(*SWEEPERS):
            self.world.sweep(idle[0])

    @rule(seconds=st.sampled_from((70, 200, 4000, 90_000)))
    def sweeper_sweeps_much_later(self, seconds: int) -> None:
        self.world.passes(seconds)
        if idle := self.idle(*SWEEPERS):
            self.world.sweep(idle[0])
            while self.world.go(idle[0]):
                pass

    @rule(kind=kind, act=st.sampled_from(ACTS))
    def person_acts(self, kind: str, act: str) -> None:
        step = self.world.step(kind)
        if step is not None and self.idle(PERSON):
            self.world.act(act, step)

    @rule()
    def same_content_is_posted_again(self) -> None:
        if idle := self.idle(*REQUESTS):
            self.world.post(idle[0])

    @rule(takes=st.booleans())
    def broker_changes(self, takes: bool) -> None:
        self.world.broker_takes = takes

    @rule()
    def broker_loses_messages(self) -> None:
        self.world.messages.clear()

    @rule(who=number, is_asked=st.booleans())
    def actor_is_killed_or_stopped(self, who: int, is_asked: bool) -> None:
        if busy := self.busy(*NAMES):
            name = busy[who % len(busy)]
            if is_asked and name in WORKERS:
                self.world.hand_back(name)
            else:
                self.world.kill(name)


def test_no_order_of_statements_breaks_a_promise(job: Any, stage: Stage, turns: Turns) -> None:
    Play.stage, Play.turns, Play.submission = stage, turns, submission(job)
    Play.seen = Counter()
    Play.person = get_user_model().objects.create_superuser("ada")
    run_state_machine_as_test(
        Play,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    # A change that never happened was not tested.
    assert {State.STARTED, State.RETRYING, State.SUCCEEDED} <= {to for _from, to in Play.seen}


class Replay:
    """Repeats a walk through the protocol model of a mail with the real code."""

    #: What the walks leave out, because the code decides it by facts that the model leaves out:
    #: pauses between attempts, and how often a worker may be lost.
    LEFT_OUT = ("retries at once",)
    ANSWERS: ClassVar = {
        "sends the end of the data; accepted, 250": "ok",
        "sends the end of the data; 451": "busy",
        "sends the end of the data; 550": "refuses",
        "sends the end of the data; accepted, no answer": "silent",
        "sends the end of the data; lost, no answer": "lost",
    }

    def __init__(self, world: World) -> None:
        self.world = world
        # This test sets times back, which the promises do not allow for. Its comparison with the
        # model checks more.
        world.check = lambda: None  # type: ignore[method-assign]
        world.broker_takes = False
        world.post_at_once()
        world.at_once("request 1", "recognise", restored_database.recognise)
        self.rows = [self.newest()]

    def newest(self) -> int:
        step = self.world.step(MAIL_APPLICANT)
        assert step is not None
        return step.pk

    @classmethod
    def can(cls, before: Mailing, move: Move) -> bool:
        """Whether the move can be replayed."""
        waits = before.rows[move.row].state == RETRYING and "leaves the step alone" in move.what
        gives_up = move.who == "sweeper" and move.change == (STARTED, FAILED)
        return not waits and not gives_up and move.what not in cls.LEFT_OUT

    def do(self, before: Mailing, move: Move) -> None:
        world, name, what = self.world, move.who, move.what
        pk = self.rows[move.row]
        match move.who.split()[0]:
            case "worker":
                self._worker(before, name, what, pk)
            case "dispatcher":
                self.dispatch(pk)
                if "lost" in what:
                    world.messages.remove(pk)
            case "broker":
                (world.messages.remove if "loses" in what else world.messages.append)(pk)
            case "clock":
                self.set_back(pk, "lease_until")
            case "sweeper":
                self._sweeper(what)
            case "person":
                world.act(self._act(what), Step.objects.get(pk=pk))
                world.finish("person")
                if what == "sends again":
                    self.rows.append(self.newest())

    def set_back(self, pk: int, time: str) -> None:
        """Set one time of a row to the past, without moving the clock."""
        past = self.world.now() - dt.timedelta(days=1)
        later = {f"{time}__gt": past + dt.timedelta(hours=23)}
        Step.objects.filter(pk=pk, **later).update(**{time: past})

    def dispatch(self, pk: int) -> None:
        self.world.broker_takes = True
        self.world.at_once("sweeper 2", f"dispatch {pk}", lambda: dispatch.dispatch_steps([pk]))
        self.world.broker_takes = False

    def _act(self, what: str) -> str:
        return {
            "retries": "retry",
            "says that it arrived": "confirm_arrival",
            "sends again": "send_again",
            "cancels": "cancel",
        }[what]

    def _sweeper(self, what: str) -> None:
        world = self.world
        if what == "finds a step whose lease is over":
            world.begin("sweeper 1", "leases", sweeper.release_expired_leases)
            world.go("sweeper 1")
        elif what.startswith("takes back"):
            for pk in self.rows:
                self.set_back(pk, "dispatched_at")
            world.at_once("sweeper 2", "messages", sweeper.requeue_unanswered)
        else:
            world.finish("sweeper 1")

    def _worker(self, before: Mailing, name: str, what: str, pk: int) -> None:
        world = self.world
        if what.startswith("gets a message"):
            if "due" in what:
                self.set_back(pk, "run_after")
            world.messages.remove(pk)
            world.mail_mode = "ok"
            world.work(name, pk)
            world.go(name)
        elif what == "claims":
            world.until(name, "COMMIT")
            world.go(name)
        elif what == "records the point of no return":
            world.until(name, "the point of no return")
        elif what in self.ANSWERS:
            world.mail_mode = self.ANSWERS[what]
            world.go(name)
            world.mail_mode = "ok"
        elif what == "is killed (kill -9)":
            world.kill(name)
        elif what == "is stopped (SIGTERM)":
            world.hand_back(name)
            world.go(name)
        else:
            early = {"can't connect": "away", "gives up": "impossible"}
            world.mail_mode = early.get(what.removesuffix(": too late"), "ok")
            world.finish(name)
            world.mail_mode = "ok"

    def rows_are(self) -> list[tuple[object, ...]]:
        """What the model's rows hold, read from the database and the world."""
        world = self.world
        steps = Step.objects.in_bulk(self.rows)
        return [
            (
                steps[pk].state,
                steps[pk].token,
                steps[pk].phase,
                steps[pk].lease_until is not None and steps[pk].lease_until > world._now,
                world.messages.count(pk),
                world.accepted[pk],
            )
            for pk in self.rows
        ]


def test_code_follows_the_protocol_model(job: Any, stage: Stage, turns: Turns) -> None:
    """The test walks through the model at random and repeats each event with the real code."""
    person, form = get_user_model().objects.create_superuser("ada"), submission(job)
    chance, done = random.Random(1), Counter[str]()
    model = Mail(named=True, faults=4, acts=2, hurries=1)
    for _walk in range(40):
        stage.world = World(turns, form, person)
        replay, state, way = Replay(stage.world), model.start(), [""]
        for _event in range(40):
            moves = [pair for pair in model.moves(state) if replay.can(state, pair[0])]
            if not moves:
                break
            # Rare events come first: a person who cancels a step soon ends a walk.
            seldom = [
                (0.1 if move.who == "person" else 1) / (1 + done[move.what]) ** 2
                for move, _after in moves
            ]
            [(move, after)] = chance.choices(moves, seldom)
            way.append(str(move))
            replay.do(state, move)
            state = after
            done[move.what] += 1
            says = [
                (r.state, r.token, r.phase, r.lease, r.messages, r.accepted) for r in state.rows
            ]
            assert replay.rows_are() == says, "\n".join(way)
        turns.kill_all()
        Application.objects.all().delete()
    assert len(done) > 20, done
