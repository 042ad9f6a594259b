"""A registered step takes part in the process, and every page and program shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Q
from django.utils import timezone

from careers.applications.errors import Permanent
from careers.backoffice import presentation
from careers.backoffice.figures import last_day
from careers.backoffice.task_detail import in_order
from careers.backoffice.task_list import TaskFilters
from careers.operations import health, sweeper
from careers.pipeline import actions, checks, dispatch, registry, steps, tasks
from careers.pipeline.enqueue import create_steps
from careers.pipeline.kinds import ARCHIVE, MAIL_HR, RENDER_PDF
from careers.pipeline.models import Step
from careers.pipeline.registry import kinds, label_of, successors_of
from careers.pipeline.runner import run
from careers.pipeline.states import State
from tests.support import people
from tests.support.factories import ApplicationFactory, StepFactory

Register = Callable[..., None]


def nothing(step: Step, before_send: Any) -> steps.Outcome:
    return steps.Outcome({"nothing": True})


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Registers a step for the time of one test."""
    monkeypatch.setattr(registry, "REGISTERED", dict(registry.REGISTERED))

    def register(kind: str, **given: Any) -> None:
        words = {"label": f"Do {kind}", "short_label": kind.title(), "effect": nothing}
        steps.register(steps.StepDefinition(kind=kind, **{**words, **given}))

    return register


def start(application: Any) -> dict[str, str]:
    """Create the steps of an application; returns their states."""
    create_steps(application, ["hr@example.com"], at=timezone.now())
    return states(application)


def states(application: Any) -> dict[str, str]:
    return dict(application.steps.values_list("kind", "state"))


def perform(application: Any, kind: str) -> None:
    run(application.steps.get(kind=kind).pk, owner="worker:1")


@pytest.mark.parametrize("kind", ["", "Scan", "1st", "scan-files", "a" * 21])
def test_register_malformed_kind_is_refused(kind: str, register: Register) -> None:
    with pytest.raises(ValueError, match="no kind"):
        register(kind)


def test_register_taken_kind_is_refused(register: Register) -> None:
    with pytest.raises(ValueError, match="registered already"):
        register(ARCHIVE)


def test_register_alert_step_with_predecessor_is_refused(register: Register) -> None:
    with pytest.raises(ValueError, match="about an alert"):
        register("page_me", about="alert", after=(steps.succeeded(ARCHIVE),))


def test_registered_step_gets_a_celery_task(register: Register) -> None:
    register("announce")
    task = tasks.task_for("announce")
    assert task.name == "careers.announce"
    task.app.tasks.pop(task.name)


def test_every_registered_step_has_a_celery_task() -> None:
    found = tasks.step_tasks()
    assert [(kind, task.name) for kind, task in found.items()] == [
        (kind, f"careers.{kind}") for kind in kinds()
    ]


@pytest.mark.django_db
class TestProcess:
    def test_step_waits_for_every_predecessor(
        self, register: Register, application: Any, effects: Any
    ) -> None:
        register("first")
        register("both", after=(steps.succeeded("first"), steps.succeeded(RENDER_PDF)))
        assert start(application)["both"] == State.WAITING
        perform(application, RENDER_PDF)
        assert states(application)["both"] == State.WAITING
        perform(application, "first")
        assert states(application)["both"] == State.QUEUED

    def test_step_after_ended_is_queued_when_the_predecessor_fails(
        self, register: Register, application: Any, effects: Any
    ) -> None:
        register("strict", after=(steps.succeeded(RENDER_PDF),))
        register("lenient", after=(steps.ended(RENDER_PDF),))
        effects(render_pdf=Permanent("pdf", "It can't be made."))
        start(application)
        perform(application, RENDER_PDF)
        found = states(application)
        assert (found["strict"], found["lenient"]) == (State.WAITING, State.QUEUED)

    def test_step_registered_before_another_must_succeed_first(
        self, register: Register, application: Any, effects: Any
    ) -> None:
        register("check", before=(RENDER_PDF,))
        assert kinds().index("check") < kinds().index(RENDER_PDF)
        found = start(application)
        assert (found["check"], found[RENDER_PDF]) == (State.QUEUED, State.WAITING)
        sweeper.release_forgotten_waiters()
        assert states(application)[RENDER_PDF] == State.WAITING
        perform(application, "check")
        assert states(application)[RENDER_PDF] == State.QUEUED

    def test_application_older_than_a_step_does_not_wait_for_it(
        self, register: Register, application: Any, effects: Any
    ) -> None:
        start(application)
        register("check", before=(ARCHIVE,))
        perform(application, RENDER_PDF)
        assert states(application)[ARCHIVE] == State.QUEUED

    def test_step_with_a_closed_gate_waits_until_it_opens(
        self, register: Register, application: Any, effects: Any
    ) -> None:
        register("report", gate=Q(language="fr"))
        assert start(application)["report"] == State.WAITING
        sweeper.release_forgotten_waiters()
        assert states(application)["report"] == State.WAITING
        type(application).objects.update(language="fr")
        sweeper.release_forgotten_waiters()
        assert states(application)["report"] == State.QUEUED

    def test_cancel_ends_every_step_that_needs_a_cancelled_one(
        self, register: Register, application: Any, effects: Any
    ) -> None:
        register("announce", after=(steps.succeeded(ARCHIVE),))
        register("count", after=(steps.ended(ARCHIVE),))
        start(application)
        actions.cancel(application.steps.get(kind=RENDER_PDF), people.ada())
        found = states(application)
        assert (found["announce"], found["count"]) == (State.CANCELLED, State.QUEUED)

    def test_release_queues_a_step_with_a_gate_of_several_conditions(
        self, register: Register, application: Any
    ) -> None:
        register("chat", gate=steps.NOT_QUARANTINED & Q(is_test=False))
        type(application).objects.update(quarantined=True)
        assert start(application)["chat"] == State.WAITING
        actions.release_from_quarantine(application, people.ada())
        assert states(application)["chat"] == State.QUEUED

    def test_step_per_recipient_is_made_for_each(
        self, register: Register, application: Any
    ) -> None:
        register("chat", per_recipient=True)
        create_steps(application, ["a@example.com", "b@example.com"], at=timezone.now())
        assert application.steps.filter(kind="chat").count() == 2

    def test_registered_step_is_shown_everywhere(
        self, register: Register, application: Any, effects: Any
    ) -> None:
        register("announce", after=(steps.succeeded(ARCHIVE),))
        start(application)
        rows = list(application.steps.all())
        assert "Announce" in [chip.name for chip in presentation.chips(rows)]
        assert in_order(rows)[-1].kind == "announce"
        assert ("announce", "Do announce") in TaskFilters.base_filters["kind"].field.choices
        assert "Do announce" in [figures.step for figures in last_day()]
        assert health.check().steps["announce"] == {State.WAITING: 1}

    def test_needing_success_leaves_out_steps_that_only_wait_for_an_end(self) -> None:
        found = [step.kind for step in successors_of(RENDER_PDF)]
        strict = [step.kind for step in successors_of(RENDER_PDF, needing_success=True)]
        assert (found, strict) == ([ARCHIVE, MAIL_HR], [ARCHIVE])


@pytest.mark.django_db
class TestUnknownKind:
    """A row of a newer release, while this one still runs."""

    @pytest.fixture
    def row(self) -> Step:
        return StepFactory(application=ApplicationFactory(), kind="tide", queued=True)

    def test_unknown_kind_is_neither_run_nor_dispatched(self, row: Step, broker: Any) -> None:
        assert run(row.pk, owner="worker:1") == []
        assert dispatch.dispatch_steps([row.pk]) == 0
        assert row.pk not in [*sweeper.forgotten(), *sweeper.due()]
        row.refresh_from_db()
        assert (row.state, row.attempts) == (State.QUEUED, 0)

    def test_unknown_kind_is_shown_by_its_name(self, row: Step) -> None:
        known = StepFactory(application=row.application, kind=ARCHIVE, succeeded=True)
        assert label_of("tide") == "tide"
        assert [chip.name for chip in presentation.chips([row, known])] == ["Archive", "tide"]
        assert in_order([row, known]) == [known, row]


class TestChecks:
    def test_check_steps_of_this_project_finds_nothing(self) -> None:
        assert checks.check_steps() == []

    def test_check_steps_names_an_unregistered_predecessor(self, register: Register) -> None:
        register("lost", after=(steps.succeeded("nowhere"),))
        (error,) = checks.check_steps()
        assert error.id == "careers.E001"
        assert "nowhere" in str(error)

    def test_check_steps_reports_a_cycle(self, register: Register) -> None:
        register("egg", after=(steps.succeeded("hen"),))
        register("hen", after=(steps.succeeded("egg"),))
        (error,) = checks.check_steps()
        assert error.id == "careers.E002"
        assert "egg" in str(error)
