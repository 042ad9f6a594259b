"""A worker that stops waits for its children, and returns their steps to the queue."""

from __future__ import annotations

import datetime as dt
import threading
import time
from typing import Any

import pytest
from django.db import DatabaseError
from django.db.models import QuerySet
from django.utils import timezone

from careers.pipeline.models import Step
from careers.pipeline.states import State
from careers.pipeline.worker import hand_back, let_finish, owner
from tests.support.factories import StepFactory
from tests.support.speed import patient

pytestmark = pytest.mark.django_db


def test_hand_back_queues_only_steps_of_this_worker(application: Any) -> None:

    def held(by: str, recipient: str, **more: Any) -> Step:
        return StepFactory(
            application=application,
            kind="mail_hr",
            recipient=recipient,
            started=True,
            events=False,
            owner=by,
            **more,
        )

    mine = held(owner(), "a@x.org")
    may_have_been_sent = held(owner(), "b@x.org", phase="data")
    later = timezone.now() + dt.timedelta(hours=1)
    keyed = held(owner(), "d@x.org", phase="keyed", repeat_until=later)
    others = held("worker:other", "c@x.org")
    hand_back()
    states = [
        Step.objects.get(pk=step.pk).state for step in (mine, may_have_been_sent, keyed, others)
    ]
    assert states == [State.QUEUED, State.UNCERTAIN, State.RETRYING, State.STARTED]
    event = mine.events.get()
    assert (event.actor, event.reason) == (owner(), "Given back: the worker was stopped.")


def test_let_finish_returns_when_the_children_hold_nothing(monkeypatch: Any) -> None:
    held = iter([True, True, False])
    looked: list[bool] = []

    def exists(_self: Any) -> bool:
        looked.append(next(held))
        return looked[-1]

    monkeypatch.setattr(QuerySet, "exists", exists)
    let_finish(10)
    assert looked == [True, True, False]


def test_let_finish_asks_again_after_a_database_error(monkeypatch: Any) -> None:
    answers = iter([True, DatabaseError("too many clients"), True, False])
    looked = list[object]()

    def exists(_self: Any) -> bool:
        looked.append(answer := next(answers))
        if isinstance(answer, DatabaseError):
            raise answer
        return bool(answer)

    monkeypatch.setattr(QuerySet, "exists", exists)
    let_finish(10)
    assert len(looked) == 4


def test_let_finish_returns_when_the_time_is_over(monkeypatch: Any) -> None:
    stop = threading.Event()
    monkeypatch.setattr(QuerySet, "exists", lambda _self: not stop.is_set())
    before = set(threading.enumerate())
    began = time.monotonic()
    let_finish(0.3)
    stop.set()
    for looking in set(threading.enumerate()) - before:
        looking.join()
    assert 0.3 <= time.monotonic() - began < patient(5)
