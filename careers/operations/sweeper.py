"""Find every step that was not dispatched and every worker that was lost, and repair both.

The sweeper is a process of its own and depends on nothing that it repairs: neither on Celery beat
nor on the broker. Any number of sweepers may run; each change is guarded.
"""

from __future__ import annotations

import datetime as dt
import logging
import multiprocessing
import signal
import socket
import time
import uuid
from collections.abc import Callable, Collection
from functools import partial
from multiprocessing.process import BaseProcess
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.models import Q
from django.utils.translation import gettext as _

from careers.operations import alerts, findings, health, heartbeat, schedule, service_answers, tally
from careers.operations.heartbeat import is_served
from careers.operations.models import Heartbeat
from careers.operations.probes import Prober, all_probes
from careers.pipeline import (
    broker,
    bulk,
    dispatch,
    pauses,
    registry,
    restored_database,
    retries,
    runner,
    time_limit,
    unconfirmed,
)
from careers.pipeline.kinds import MAIL_OPERATORS
from careers.pipeline.models import Step
from careers.pipeline.states import CLAIMABLE, UNDER_WAY, ErrorClass, Phase, State
from careers.pipeline.successors import BATCH, release, release_successors
from careers.pipeline.transitions import db_now, move
from careers.pipeline.worker import hand_back

log = logging.getLogger(__name__)

ACTOR = "sweeper"
#: A queued step is dispatched at once; it counts as forgotten only after this time.
FRESH = dt.timedelta(seconds=5)
REDISPATCH_CAP = 900  # seconds
#: A row that is further in the future than this was written before the clock was set back.
AHEAD = dt.timedelta(minutes=1)
#: The times that a step waits for, or that say how long it has waited.
MOMENTS = ("state_since", "ready_at", "dispatched_at", "run_after", "lease_until", "repeat_until")
#: If more messages than this wait, an unanswered message is hardly lost: the workers are busy. It
#: is taken back after ``REDISPATCH_CAP`` all the same, because nobody knows.
LONG_QUEUE = 50
#: Seconds between two evaluations of hooks and alerts.
LOOK_EVERY = 10
CHILDREN = 2
#: Seconds for which a sweeper that has to stop waits for its children. Then it kills them and gives
#: their steps back. Supervisors often kill after ten seconds.
LET_FINISH = 5
FORK = multiprocessing.get_context("fork")


class Sweeper:
    """One sweeper process and its state between two rounds."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}:{uuid.uuid4().hex[:8]}"
        self.source = f"sweeper:{self.name}"
        self.broker_down_since: dt.datetime | None = None
        self.lost: list[dict[str, Any]] | None = None
        #: Each round asks the broker; the answer is written once a minute, and if it changes.
        self.broker_failed = False
        self.note_broker_at = 0.0
        #: For each child: the step that it runs, its deadline, and the name under which it claims.
        self.children: dict[BaseProcess, tuple[int, float, str]] = {}
        #: The kinds of steps that the sweeper runs itself, if it has to.
        self.kinds: Collection[str] = registry.kinds()
        # Each round asks the broker itself.
        self.prober = Prober([probe for probe in all_probes() if probe.name != "broker"])
        self.look_at = 0.0
        self.stopping = False

    def run(self) -> None:
        """Do one round after the other until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while not self.stopping:
            due_at = time.monotonic() + settings.PIPELINE_SWEEP_INTERVAL
            self._logging_errors(self.prober.update)
            self._logging_errors(self.once)
            self._logging_errors(self._update_alerts)
            while not self.stopping and (pause := due_at - time.monotonic()) > 0:
                time.sleep(min(pause, 0.2))
                if self.children:
                    # It runs steps itself: a child that is done makes room for the next.
                    self._logging_errors(self._reap)
                    self._logging_errors(self._work)
        self._logging_errors(self._end_children)
        self.prober.stop()
        findings.report(self.source, [], lasts=findings.PROCESS)
        heartbeat.end(Heartbeat.Kind.SWEEPER, self.name)

    def _stop(self, *_args: object) -> None:
        self.stopping = True

    @staticmethod
    def _logging_errors(act: Callable[[], None]) -> None:
        try:
            act()
        except Exception:  # no error may end the sweeper
            log.exception("sweep failed")
            connections.close_all()

    def once(self) -> None:
        """One round: find and repair what was missed."""
        error = broker.broker_error()
        now = db_now()
        # The clock may have been set back meanwhile.
        self.broker_down_since = min(self.broker_down_since or now, now) if error else None
        self._beat()
        found = [health.broker(error)] if error else []
        if bool(error) != self.broker_failed or time.monotonic() >= self.note_broker_at:
            self.broker_failed = bool(error)
            self.note_broker_at = time.monotonic() + service_answers.RENEWED.total_seconds()
            service_answers.note("broker", found)
        for name, answer in self.prober.new_answers():
            service_answers.note(name, answer)
        findings.report(self.source, found + self.prober.findings, lasts=findings.PROCESS)
        restored_database.recognise()
        restored_database.pulse()
        set_back_future_times()
        release_expired_leases()
        release_forgotten_waiters()
        self._logging_errors(self._continue_bulk_acts)
        self._reap()
        if not error:
            requeue_unanswered()
            dispatch.dispatch_steps(forgotten(), actor=ACTOR, insist=True)
            if not is_served(registry.REGISTERED[MAIL_OPERATORS].queue):
                # Operators must get the alert that no worker runs.
                self.kinds = [MAIL_OPERATORS]
                self._work()
        elif self.takes_over_at is not None and now >= self.takes_over_at:
            self.kinds = registry.kinds()
            self._work()

    @property
    def takes_over_at(self) -> dt.datetime | None:
        """When this sweeper runs the steps itself; None while the broker works."""
        if self.broker_down_since is None:
            return None
        return self.broker_down_since + dt.timedelta(seconds=settings.PIPELINE_BROKER_GRACE)

    def _beat(self) -> None:
        at = self.takes_over_at
        facts = {**heartbeat.own_facts(), "takes_over_at": at.isoformat() if at else None}
        if self.lost is None:
            family = f"{socket.gethostname()}:"
            self.lost = heartbeat.begin(
                Heartbeat.Kind.SWEEPER, self.name, facts=facts, family=family
            )
        else:
            heartbeat.beat(Heartbeat.Kind.SWEEPER, self.name, facts={**facts, "lost": self.lost})

    @staticmethod
    def _continue_bulk_acts() -> None:
        """Do some of what no worker does; then a worker may go on."""
        if not bulk.continue_all(bulk.SWEEP_SECONDS, left_alone=True) and is_served(bulk.QUEUE):
            dispatch.dispatch_task(bulk.TASK)

    def _update_alerts(self) -> None:
        if time.monotonic() >= self.look_at:
            self.look_at = time.monotonic() + LOOK_EVERY
            self._logging_errors(tally.fold)
            # Long before the leases end, after which nobody knows what a lost worker ran.
            heartbeat.note_lost_workers()
            findings.forget_expired()
            heartbeat.forget_gone()
            self._logging_errors(schedule.end_lost_runs)
            findings.ask_hooks()
            alerts.update_alerts(actor=ACTOR)

    def _work(self) -> None:
        """Without broker or worker: run due steps, each in a child that can be killed."""
        busy = {step_id for step_id, _deadline, _owner in self.children.values()}
        for step_id in due(self.kinds, exclude=busy)[: CHILDREN - len(self.children)]:
            owner = f"{ACTOR}:{uuid.uuid4()}"
            child = FORK.Process(target=_run_in_child, args=[step_id, owner])
            connections.close_all()
            child.start()
            deadline = time.monotonic() + settings.PIPELINE_HARD_LIMIT
            self.children[child] = (step_id, deadline, owner)

    def _reap(self) -> None:
        for child, (step_id, deadline, _owner) in list(self.children.items()):
            if child.is_alive() and time.monotonic() > deadline:
                log.warning("step %s ran too long in the sweeper's child", step_id)
                child.kill()
            if not child.is_alive():
                child.join()
                del self.children[child]

    def _end_children(self) -> None:
        """Let the children finish for a short time, then give their other steps back."""
        until = time.monotonic() + LET_FINISH
        while self.children and time.monotonic() < until:
            self._reap()
            time.sleep(0.1)
        # Kill all of them before the database is used, because it may fail.
        for child in self.children:
            child.kill()
        for child in self.children:
            child.join()
        for _step_id, _deadline, owner in self.children.values():
            self._logging_errors(partial(hand_back, owner))


def _run_in_child(step_id: int, owner: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    broker.forget_connections()
    signal.signal(signal.SIGALRM, time_limit.time_is_up)
    signal.setitimer(signal.ITIMER_REAL, settings.PIPELINE_SOFT_LIMIT)
    runner.run(step_id, owner=owner)


def set_back_future_times() -> None:
    """Correct the times of steps that were written before the clock was set back.

    Each time in the future moves back by the seconds that the step is ahead, so that the step waits
    for as long as intended. Otherwise, if the clock was a year ahead, it would wait for a year.
    """
    now = db_now()
    ahead = Step.objects.filter(state__in=UNDER_WAY, state_since__gt=now + AHEAD)
    for step in list(ahead.only("pk", "state", "token", *MOMENTS)[:BATCH]):
        off = step.state_since - now
        moments = {name: getattr(step, name) for name in MOMENTS}
        unchanged = {name: getattr(step, name) for name in ("pk", "state", "token", "state_since")}
        Step.objects.filter(**unchanged).update(
            **{name: at - off for name, at in moments.items() if at is not None and at > now}
        )
        log.warning(
            "step %s was changed %d seconds from now: the clock was set back",
            step.pk,
            off.total_seconds(),
        )


def release_expired_leases() -> None:
    """Take back steps whose worker was lost. A mail that may have been sent is unconfirmed."""
    now = db_now()
    lost = Step.objects.filter(state=State.STARTED, lease_until__lt=now)
    for step in list(lost[:BATCH]):
        if step.phase != Phase.NONE:
            unconfirmed.settle(step, unconfirmed.interrupted(), actor=ACTOR)
            continue
        attempts = retries.unexpected_attempts(step)
        gives_up = attempts >= retries.UNKNOWN_ATTEMPTS
        moved = move(
            step.pk,
            retries.state_when_given_up(step.repeat_until) if gives_up else State.RETRYING,
            leaving=[State.STARTED],
            fence=step.token,
            actor=ACTOR,
            # The worker may continue and send at this moment. Only the first of both writes counts.
            guard={"phase": Phase.NONE},
            reason=_("The worker did not finish in time."),
            run_after=None if gives_up else now,
            failing_since=step.failing_since or now,
            attempts=attempts,
            error_class=ErrorClass.UNKNOWN,
            error_code="worker-lost",
            error_public=_("The worker that ran this step was lost."),
        )
        if moved and gives_up:
            unconfirmed.confirm_reported(step.pk)
            release_successors(Step.objects.get(pk=step.pk), actor=ACTOR)


def release_forgotten_waiters() -> None:
    """Queue waiting steps whose predecessor has ended, if that was missed."""
    for definition in registry.definitions():
        release(definition, actor=ACTOR)


def requeue_unanswered() -> None:
    """Take back messages that no worker answered; the time to wait doubles each time."""
    now = db_now()
    sent = Step.objects.filter(
        state=State.SENT,
        kind__in=registry.kinds(),
        dispatched_at__lt=now - dt.timedelta(seconds=settings.PIPELINE_REDISPATCH_AFTER),
    ).order_by("dispatched_at")
    # Steps of a long queue are hardly lost: their workers are busy. They wait for longest, and come
    # in a batch of their own, so that they hide no others.
    long = {
        queue
        for queue in {definition.queue for definition in registry.definitions()}
        if sent.exists() and broker.queue_length(queue) > LONG_QUEUE
    }
    busy = [step.kind for step in registry.definitions() if step.queue in long]
    overdue = now - dt.timedelta(seconds=REDISPATCH_CAP)
    lost = [sent.exclude(kind__in=busy)]
    if busy:
        lost.append(sent.filter(kind__in=busy, dispatched_at__lt=overdue))
    needed = ("pk", "kind", "dispatches", "dispatched_at")
    for step in [step for steps in lost for step in steps.only(*needed)[:BATCH]]:
        # The exponent is bounded: a step that waits for a setting is dispatched again and again.
        longer = 2 ** min(max(0, step.dispatches - 1), 20)
        patience = min(REDISPATCH_CAP, settings.PIPELINE_REDISPATCH_AFTER * longer)
        if step.dispatched_at and now - step.dispatched_at >= dt.timedelta(seconds=patience):
            move(
                step.pk,
                State.QUEUED,
                leaving=[State.SENT],
                actor=ACTOR,
                reason=_("No worker answered the message."),
                guard={"dispatched_at": step.dispatched_at},
            )


def forgotten() -> list[int]:
    """Due steps without a message in the broker; those that are paused are not due."""
    now = db_now()
    return list(
        Step.objects.filter(
            Q(state=State.QUEUED, state_since__lt=now - FRESH) | Q(state=State.RETRYING)
        )
        .filter(Q(run_after=None) | Q(run_after__lte=now), kind__in=registry.kinds())
        .filter(pauses.startable(now))
        .order_by("state_since")
        .values_list("pk", flat=True)[:BATCH]
    )


def due(kinds: Collection[str] | None = None, exclude: Collection[int] = ()) -> list[int]:
    """Steps of these kinds, by default all, that may be claimed now; the oldest first."""
    now = db_now()
    return list(
        Step.objects.filter(
            pauses.startable(now),
            Q(run_after=None) | Q(run_after__lte=now),
            state__in=CLAIMABLE,
            kind__in=registry.kinds() if kinds is None else kinds,
        )
        .exclude(pk__in=exclude)
        .order_by("state_since")
        .values_list("pk", flat=True)[:BATCH]
    )
