"""Each rule of the pipeline is needed: without it the real code breaks a promise.

A test runs one order of statements twice: with the code as it is, and with one rule removed. The
same code as in ``test_model.py`` verifies the promises, and the right one must break.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, transaction

from careers.archive import store
from careers.archive.store import StoredObject
from careers.intake import submit as intake
from careers.operations import sweeper
from careers.pipeline import acts, runner, successors, transitions, unconfirmed
from careers.pipeline.kinds import ARCHIVE, MAIL_APPLICANT, RENDER_PDF
from careers.pipeline.models import Step
from careers.pipeline.rules import one_of
from careers.pipeline.states import UNDER_WAY, Phase, State
from tests.support import world as promises
from tests.support.applying import submission
from tests.support.turns import Turns
from tests.support.world import BrokenPromise, Stage, World

pytestmark = pytest.mark.django_db(transaction=True)

Sabotage = Callable[[pytest.MonkeyPatch], None]
Order = Callable[[World], None]


@pytest.fixture
def world(job: Any, stage: Stage, turns: Turns) -> World:
    person = get_user_model().objects.create_superuser("ada")
    stage.world = World(turns, submission(job), person)
    return stage.world


class Forgetful:
    """Replaces a model; its queries leave out some conditions."""

    def __init__(self, model: Any, *conditions: str) -> None:
        self.model, self.conditions = model, conditions
        self.objects = self

    def filter(self, *also: Any, **where: Any) -> Any:
        kept = {name: value for name, value in where.items() if name not in self.conditions}
        return self.model.objects.filter(*also, **kept)

    def get(self, **where: Any) -> Any:
        return self.model.objects.get(**where)


# ── The removed rules ───────────────────────────────────────────────────────────────────


def no_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token of a claim is not compared."""
    monkeypatch.setattr(transitions, "Step", Forgetful(Step, "token"))


def no_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step is changed from any state."""
    move = transitions.move

    def from_anywhere(step_id: int, to: State, *, leaving: Any, **more: Any) -> bool:
        more.pop("guard", None)
        return move(step_id, to, leaving=list(State), **more)

    monkeypatch.setattr(transitions, "LEAVES_TO", dict.fromkeys(State, frozenset(State)))
    near = (acts, promises.actions, promises.dispatch)
    for module in (*near, runner, successors, sweeper, unconfirmed):
        monkeypatch.setattr(module, "move", from_anywhere)


def no_guard_in_the_update(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step's state is read before the update, but is no condition of the update."""
    step = Forgetful(Step, "state")
    # The rule of an act names states, too.
    monkeypatch.setattr(step, "filter", lambda *rules, **where: Forgetful.filter(step, **where))
    monkeypatch.setattr(transitions, "Step", step)


def no_check_of_the_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweeper takes back every running step."""
    monkeypatch.setattr(sweeper, "Step", Forgetful(Step, "lease_until__lt"))


def no_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease has no length."""
    monkeypatch.setattr(settings, "PIPELINE_LEASE", 0)


def no_phase_marker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The point of no return is not recorded."""
    monkeypatch.setattr(runner, "enter_data_phase", lambda step_id, token, **noted: True)


def no_check_of_the_point_of_no_return(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person may cancel a mail that waits for its next attempt and may have been sent."""
    careless = one_of("state", *UNDER_WAY) & one_of("phase", Phase.NONE)
    act = dataclasses.replace(promises.actions.cancel, allowed=careless)
    monkeypatch.setattr(promises.actions, "cancel", act)


def dispatch_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps are dispatched within the transaction."""
    monkeypatch.setattr(transaction, "on_commit", lambda dispatch, robust=False: dispatch())


def answer_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request is one transaction, so that the receipt is given before COMMIT."""
    submit = intake.submit

    def within_the_request(form: Any) -> Any:
        transaction.atomic().__enter__()
        return submit(form)

    monkeypatch.setattr(intake, "submit", within_the_request)


def no_checksum(monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy in the bucket is not read back."""

    def believed(client: Any, bucket: str, key: str, sha256: str) -> StoredObject:
        return StoredObject(key, "", sha256, 0)

    monkeypatch.setattr(store, "_verified", believed)


# ── Orders of statements ──────────────────────────────────────────────────────────────────────────


def the(world: World, kind: str) -> Step:
    step = world.step(kind)
    assert step is not None
    return step


def two_workers_have_the_same_mail(world: World) -> None:
    """A worker freezes before its point of no return; when it wakes, another has sent the mail."""
    world.post_at_once()
    mail = the(world, MAIL_APPLICANT)
    world.work("worker 1", mail.pk)
    world.until("worker 1", "UPDATE step", times=2)
    world.passes(200)
    world.sweep()
    world.finish("sweeper 1")
    world.work("worker 2", mail.pk)
    world.until("worker 2", "the answer")
    world.finish("worker 1", "worker 2")


def first_worker_fails_late(world: World) -> None:
    """A worker wakes after its lease with an error; another one works on the step."""
    world.post_at_once()
    pdf = the(world, RENDER_PDF)
    world.work("worker 1", pdf.pk)
    world.until("worker 1", "the PDF")
    world.passes(200)
    world.sweep()
    world.finish("sweeper 1")
    world.work("worker 2", pdf.pk)
    world.until("worker 2", "the PDF")
    world.mail_mode = "refuses"
    world.finish("worker 1")
    world.mail_mode = "ok"
    world.finish("worker 2")


def person_acts_on_an_old_page(world: World) -> None:
    """A person retries a step that had failed; by now it is past its point of no return."""
    world.post_at_once()
    mail = the(world, MAIL_APPLICANT)
    world.work("worker 1", mail.pk)
    world.until("worker 1", "the answer")
    world.act("retry", mail)
    world.finish("person")
    world.work("worker 2", mail.pk)
    world.finish("worker 2", "worker 1")


def worker_claims_between_read_and_write(world: World) -> None:
    """A retry has read a step that waits; before it writes, the step starts."""
    world.post_at_once()
    mail = the(world, MAIL_APPLICANT)
    world.mail_mode = "away"
    world.work("worker 1", mail.pk)
    world.finish("worker 1")
    world.mail_mode = "ok"
    world.passes(60)
    world.act("retry", the(world, MAIL_APPLICANT))
    world.until("person", "UPDATE step")
    world.work("worker 1", mail.pk)
    world.until("worker 1", "the answer")
    world.finish("person")
    world.work("worker 2", mail.pk)
    world.finish("worker 2", "worker 1")


def worker_works_within_its_lease(world: World) -> None:
    """The sweeper sweeps while a worker is within its lease."""
    world.post_at_once()
    pdf = the(world, RENDER_PDF)
    world.work("worker 1", pdf.pk)
    world.until("worker 1", "the PDF")
    world.sweep()
    world.finish("sweeper 1", "worker 1")


def sender_is_killed_after_the_point_of_no_return(world: World) -> None:
    """The mail server has the mail; the sender is killed before it reads the answer."""
    world.post_at_once()
    mail = the(world, MAIL_APPLICANT)
    world.work("worker 1", mail.pk)
    world.until("worker 1", "the answer")
    world.kill("worker 1")
    world.passes(200)
    world.sweep()
    world.finish("sweeper 1")
    world.work("worker 2", mail.pk)
    world.finish("worker 2")


def person_cancels_mail_that_the_provider_has(world: World) -> None:
    """The provider has the mail and did not confirm it; it will be asked again."""
    world.keyed = True
    world.post_at_once()
    mail = the(world, MAIL_APPLICANT)
    world.mail_mode = "silent"
    world.work("worker 1", mail.pk)
    world.finish("worker 1")
    world.mail_mode = "ok"
    world.act("cancel", the(world, MAIL_APPLICANT))
    world.finish("person")


def applicant_posts(world: World) -> None:
    world.post()
    world.finish("request 1")


def bucket_in(mode: str) -> Order:
    def bucket_keeps_other_bytes(world: World) -> None:
        world.post_at_once()
        world.work("worker 1", the(world, RENDER_PDF).pk)
        world.finish("worker 1")
        world.bucket_mode = mode
        world.work("worker 1", the(world, ARCHIVE).pk)
        world.finish("worker 1")

    return bucket_keeps_other_bytes


CASES: dict[str, tuple[Sabotage, Order, str]] = {
    "fence": (no_fence, two_workers_have_the_same_mail, promises.ONCE),
    "fence of a late failure": (no_fence, first_worker_fails_late, promises.CLAIM),
    "guard": (no_guard, person_acts_on_an_old_page, promises.ONCE),
    "guard in the UPDATE": (
        no_guard_in_the_update,
        worker_claims_between_read_and_write,
        promises.HISTORY,
    ),
    "lease": (no_check_of_the_lease, worker_works_within_its_lease, promises.TAKEN_BACK),
    "length of the lease": (no_lease, worker_works_within_its_lease, promises.TAKEN_BACK),
    "phase marker": (no_phase_marker, sender_is_killed_after_the_point_of_no_return, promises.ONCE),
    "point of no return": (
        no_check_of_the_point_of_no_return,
        person_cancels_mail_that_the_provider_has,
        promises.STOPPED,
    ),
    "dispatch on commit": (dispatch_at_once, applicant_posts, promises.DISPATCHED),
    "receipt on commit": (answer_at_once, applicant_posts, promises.RECEIPT),
    "checksum": (no_checksum, bucket_in("lies"), promises.BYTES),
    "checksum of a lost object": (no_checksum, bucket_in("forgets"), promises.BYTES),
}


def possible(case: str) -> None:
    if case == "guard in the UPDATE" and connection.vendor == "sqlite":
        pytest.skip("SQLite allows no other write between the read and the write.")


@pytest.mark.parametrize("case", CASES)
def test_order_of_statements_with_every_rule_keeps_the_promises(world: World, case: str) -> None:
    possible(case)
    _sabotage, order, _promise = CASES[case]
    order(world)
    world.come_to_an_end()


@pytest.mark.parametrize("case", CASES)
def test_removed_rule_breaks_the_promise_that_it_protects(
    world: World, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    possible(case)
    sabotage, order, promise = CASES[case]
    sabotage(monkeypatch)
    with pytest.raises(BrokenPromise) as broken:
        order(world)
    assert broken.value.promise == promise
