"""Visits every state of a model, and finds the shortest way to a broken promise."""

from __future__ import annotations

import gc
import time
from collections import deque
from dataclasses import dataclass, field

from prove.model.protocol import Model, Move


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
        only: one promise to check; others may break on the way.
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
        ValueError: the graph has a cycle, so there is no such number.
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
