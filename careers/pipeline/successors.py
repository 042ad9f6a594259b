"""Queue the steps whose predecessors have reached a state that allows it."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef

from careers.applications.models import Application
from careers.pipeline import registry
from careers.pipeline.models import Step
from careers.pipeline.registry import StepDefinition
from careers.pipeline.states import State
from careers.pipeline.transitions import db_now, move

#: How many rows are changed in one go.
BATCH = 200


def release_successors(step: Step, *, actor: str) -> list[int]:
    """Queue the steps that waited for this one; call it in the transaction that ends the step.

    Returns:
        The ids of the queued steps.
    """
    return [
        pk
        for successor in registry.successors_of(step.kind)
        for pk in release(successor, actor=actor, application_id=step.application_id)
    ]


def release(
    definition: StepDefinition, *, actor: str, reason: str = "", **among: object
) -> list[int]:
    """Queue the waiting steps of one kind whose predecessors have reached a state that allows it.

    A step whose gate is closed keeps waiting. Where an application has several predecessors of one
    kind, such as a mail for each recipient, one of them is enough.

    Args:
        among: lookups that select the steps to look at.

    Returns:
        The ids of the queued steps.
    """
    waiting = Step.objects.filter(kind=definition.kind, state=State.WAITING, **among)
    if definition.gate is not None:
        let_through = Application.objects.filter(definition.gate, pk=OuterRef("application"))
        waiting = waiting.filter(Exists(let_through))
    for kind, enough, may_be_missing in registry.predecessors_of(definition.kind):
        # One that another step replaced is past: what counts is the one that is done again.
        before = Step.objects.filter(
            application=OuterRef("application"), kind=kind, replaced_by__isnull=True
        )
        far_enough: Any = Exists(before.filter(state__in=enough))
        waiting = waiting.filter(far_enough | ~Exists(before) if may_be_missing else far_enough)
    found = list(waiting.only("pk", "state", "attempts")[:BATCH])
    at = db_now() if found else None
    return [
        step.pk
        for step in found
        if move(
            step.pk,
            State.QUEUED,
            leaving=[State.WAITING],
            known=step,
            actor=actor,
            reason=reason,
            at=at,
        )
    ]
