"""Two workers, a sweeper and a person at one application, in any order.

The effects are real enough: a mail goes out at the moment when it is handed over, and the
ledger keeps what went out. Hypothesis looks for an order in which a promise breaks.
"""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from careers.applications.errors import Permanent, Transient, Uncertain
from careers.pipeline import actions, doorbell, runner, sweep
from careers.pipeline.enqueue import create_steps
from careers.pipeline.models import Step, StepEvent, StepKind
from careers.pipeline.runner import Claim
from careers.pipeline.states import ENDED, LEAVES_TO, State
from careers.pipeline.steps import Effect
from tests.factories import ApplicationFactory

pytestmark = pytest.mark.django_db

worker = st.sampled_from(("worker:1", "worker:2"))
#: Mostly mails: theirs are the promises that are hard to keep.
kind = st.sampled_from([StepKind.MAIL_APPLICANT] * 4 + [StepKind.RENDER_PDF, StepKind.MAIL_HR])


ACTS = ("retry", "retry", "send_again", "confirm_arrival", "cancel")


class Pipeline(RuleBasedStateMachine):
    """The rules are what may happen at any moment; the invariants are what never may."""

    page: Any
    person: Any

    @initialize()
    def application_arrives(self) -> None:
        self.application = ApplicationFactory(page=self.page)
        create_steps(self.application, ["hr@example.org"], at=timezone.now())
        self.claims: dict[str, Claim] = {}
        self.sent: list[tuple[str, int, int]] = []
        self.tokens: set[tuple[int, int]] = set()
        self.over: dict[int, str] = {}

    def teardown(self) -> None:
        self.application.delete()

    def step(self, kind: StepKind) -> Step:
        newest = Step.objects.filter(application=self.application, kind=kind)
        return newest.order_by("-sequence")[0]

    # ── What workers do, one move at a time ─────────────────────────────────────────────

    @rule(kind=kind)
    def somebody_rings(self, kind: StepKind) -> None:
        doorbell.ring([self.step(kind).pk], actor="intake")

    @rule(kind=kind, worker=worker, goes_on=st.booleans())
    def worker_claims(self, kind: StepKind, worker: str, goes_on: bool) -> None:
        if worker in self.claims:
            return
        claim = runner.take(self.step(kind).pk, owner=worker)
        if claim:
            mark = (claim.step.pk, claim.step.token)
            assert mark not in self.tokens, "two winners for one token"
            self.tokens.add(mark)
            self.claims[worker] = claim
            if goes_on:
                self.worker_hands_over(worker)

    @rule(worker=worker)
    def worker_hands_over(self, worker: str) -> None:
        claim = self.claims.get(worker)
        if claim is None or not claim.step.kind.startswith("mail") or claim.handed_over:
            return
        try:
            claim.hand_over()
        except runner.Fenced:
            del self.claims[worker]
        else:
            self.sent.append((claim.step.kind, claim.step.sequence, claim.step.pk))

    @rule(worker=worker)
    def worker_succeeds(self, worker: str) -> None:
        claim = self.claims.pop(worker, None)
        if claim is None:
            return
        if claim.step.kind.startswith("mail") and not claim.handed_over:
            self.claims[worker] = claim
            return
        doorbell.ring(runner._record(claim, Effect({"by": worker})), actor=worker)

    @rule(
        worker=worker,
        error=st.sampled_from(
            [
                Transient("busy", "Busy."),
                Permanent("no", "No."),
                KeyError("odd"),
                Uncertain("?", "?"),
            ]
        ),
    )
    def worker_fails(self, worker: str, error: Exception) -> None:
        claim = self.claims.pop(worker, None)
        if claim is None:
            return
        certain = isinstance(error, Transient | Permanent)
        if claim.handed_over and certain:
            # The server said no: the mail did not go out after all.
            self.sent.remove((claim.step.kind, claim.step.sequence, claim.step.pk))
        if isinstance(error, Uncertain) or (claim.handed_over and not certain):
            runner.park(claim.step, runner.interrupted(), actor=worker)
        else:
            runner._fail(claim, error)

    @rule(worker=worker)
    def worker_dies(self, worker: str) -> None:
        self.claims.pop(worker, None)

    # ── Time, the sweeper, a person ─────────────────────────────────────────────────────

    @rule(leases=st.booleans())
    def sweeper_looks_much_later(self, leases: bool) -> None:
        past = timezone.now() - dt.timedelta(hours=2)
        if leases:
            Step.objects.filter(state=State.STARTED).update(lease_until=past)
        sweep.release_expired_leases()
        Step.objects.filter(state=State.RETRYING).update(run_after=past)
        Step.objects.filter(state=State.SENT).update(rung_at=past)
        Step.objects.filter(state=State.QUEUED).update(state_since=past)
        sweep.release_forgotten_waiters()
        sweep.requeue_unanswered()
        doorbell.ring(sweep.forgotten(), actor="sweeper", insist=True)

    @rule(kind=kind, act=st.sampled_from(ACTS))
    def person_acts(self, kind: StepKind, act: str) -> None:
        step = self.step(kind)
        before = step.state
        done = getattr(actions, act)(step, self.person)
        if done and before in ENDED:
            self.over.pop(step.pk, None)

    # ── Promises ────────────────────────────────────────────────────────────────────────

    @invariant()
    def no_mail_goes_out_twice_under_one_message_id(self) -> None:
        assert len(self.sent) == len(set(self.sent))

    @invariant()
    def mail_that_is_done_went_out_unless_a_person_said_so(self) -> None:
        went = {pk for _kind, _sequence, pk in self.sent}
        done = Step.objects.filter(
            application=self.application, state=State.SUCCEEDED, kind__startswith="mail"
        )
        for step in done:
            last = step.events.last()
            assert last is not None
            assert step.pk in went or last.actor.startswith("user:")

    @invariant()
    def what_ended_stays_ended(self) -> None:
        rows = dict(Step.objects.filter(application=self.application).values_list("pk", "state"))
        for pk, state in self.over.items():
            assert rows[pk] == state
        self.over = {pk: state for pk, state in rows.items() if state in ENDED}

    @invariant()
    def history_tells_every_change_and_only_allowed_ones(self) -> None:
        for step in Step.objects.filter(application=self.application):
            events = list(
                StepEvent.objects.filter(step=step)
                .order_by("pk")
                .values_list("from_state", "to_state")
            )
            assert events[-1][1] == step.state
            for (_from, before), (after_from, after) in itertools.pairwise(events):
                assert after_from == before
                assert after in LEAVES_TO[State(before)]

    @invariant()
    def only_running_steps_hold_a_lease_or_a_phase(self) -> None:
        steps = Step.objects.filter(application=self.application)
        assert not steps.exclude(state=State.STARTED).exclude(lease_until=None).exists()
        quiet = steps.exclude(state__in=[State.STARTED, State.UNCERTAIN])
        assert not quiet.exclude(phase="").exists()

    @invariant()
    def archive_and_hr_wait_for_the_pdf(self) -> None:
        states = dict(
            Step.objects.filter(application=self.application, sequence=0).values_list(
                "kind", "state"
            )
        )
        begun = {State.SENT, State.STARTED, State.RETRYING, State.SUCCEEDED}
        if StepEvent.objects.filter(
            step__application=self.application, step__kind="render_pdf", to_state__in=ENDED
        ).exists():
            return
        assert states["archive"] not in begun
        assert states["mail_hr"] not in begun


def test_no_order_of_events_breaks_a_promise(bare_job: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(doorbell, "queue_length", lambda queue: 0)
    Pipeline.page = bare_job
    Pipeline.person = get_user_model().objects.create_superuser("ada")
    run_state_machine_as_test(
        Pipeline,
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
