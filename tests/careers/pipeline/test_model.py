"""Two requests, two workers, two sweepers and a person at one application, in any order.

They run the real code against the real database, each in a thread that stops at every statement,
every COMMIT, and around every effect; hypothesis says who goes on. The promises are those of
``tests.world``; the same protocol without a database is explored in ``tests/faults/model.py``.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from careers.applications.models import Application
from careers.pipeline.models import StepKind
from careers.pipeline.states import State
from tests.applying import submission
from tests.turns import Turns
from tests.world import NAMES, PERSON, REQUESTS, SWEEPERS, WORKERS, Stage, World

pytestmark = pytest.mark.django_db(transaction=True)

number = st.integers(0, 5)
kind = st.sampled_from([*[StepKind.MAIL_APPLICANT] * 3, StepKind.RENDER_PDF, StepKind.ARCHIVE])
POINTS = ("the dot", "the answer", "the PDF", "PUT", "GET", "COMMIT", "UPDATE step", "rung")
MAIL = ("ok", "ok", "away", "busy", "refuses", "silent", "lost")
BUCKET = ("ok", "ok", "lies", "forgets", "away")
ACTS = ("retry", "retry", "send_again", "confirm_arrival", "cancel")


class Play(RuleBasedStateMachine):
    """The rules are what may happen at any moment; the world checks after each."""

    stage: Stage
    turns: Turns
    submission: Any
    person: Any
    seen: Counter[tuple[str, str]]

    @initialize(keyed=st.booleans(), moves=st.integers(10, 40), is_through=st.booleans())
    def somebody_applies(self, keyed: bool, moves: int, is_through: bool) -> None:
        self.world = self.stage.world = World(self.turns, self.submission, self.person, keyed=keyed)
        if is_through:
            self.world.post_at_once()
        else:
            self.world.post(REQUESTS[0])
            self.somebody_goes_on(0, moves)

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
    def somebody_goes_on(self, who: int, moves: int) -> None:
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
    def somebody_finishes(self, who: int) -> None:
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
        world.mail_mood, world.bucket_mood = mail, bucket
        # The broker may deliver again whatever it once took.
        messages = world.messages or sorted(world.rung)
        if not idle or not messages:
            self.sweeper_looks()
            return
        step_id = messages[which % len(messages)]
        if not comes_again and step_id in world.messages:
            world.messages.remove(step_id)
        world.work(idle[0], step_id)
        self.worker_goes_on_to(self.busy(*WORKERS).index(idle[0]), point)

    @rule()
    def sweeper_looks(self) -> None:
        if idle := self.idle(*SWEEPERS):
            self.world.sweep(idle[0])

    @rule(seconds=st.sampled_from((70, 200, 4000, 90_000)))
    def sweeper_comes_much_later(self, seconds: int) -> None:
        self.world.passes(seconds)
        if idle := self.idle(*SWEEPERS):
            self.world.sweep(idle[0])
            while self.world.go(idle[0]):
                pass

    @rule(kind=kind, act=st.sampled_from(ACTS))
    def person_acts(self, kind: StepKind, act: str) -> None:
        step = self.world.step(kind)
        if step is not None and self.idle(PERSON):
            self.world.act(act, step)

    @rule()
    def the_same_is_posted_again(self) -> None:
        if idle := self.idle(*REQUESTS):
            self.world.post(idle[0])

    @rule(takes=st.booleans())
    def broker_changes(self, takes: bool) -> None:
        self.world.broker_takes = takes

    @rule()
    def broker_forgets(self) -> None:
        self.world.messages.clear()

    @rule(who=number, is_asked=st.booleans())
    def somebody_dies(self, who: int, is_asked: bool) -> None:
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
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    # What nobody came by would say nothing.
    assert {State(to) for _from, to in Play.seen} == set(State)
