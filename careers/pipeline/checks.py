"""Django's system checks of the registered steps; they run when every app is ready."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import Any

from django.core.checks import CheckMessage, Error

from careers.pipeline import registry


def check_steps(**_: Any) -> list[CheckMessage]:
    """Find steps that could never start."""
    known = set(registry.kinds())
    named = {
        definition.kind: {
            *(predecessor.kind for predecessor in definition.after),
            *definition.before,
        }
        for definition in registry.definitions()
    }
    errors: list[CheckMessage] = [
        Error(
            f"The step “{kind}” names steps that are not registered: {', '.join(sorted(missing))}.",
            hint="Register them, or take them out of “after” or “before”.",
            id="careers.E001",
        )
        for kind, names in named.items()
        if (missing := names - known)
    ]
    if errors:
        return errors
    graph = {
        kind: [predecessor.kind for predecessor in registry.predecessors_of(kind)] for kind in known
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = ", ".join(error.args[1])
        hint = "Change “after” or “before” of one of them."
        return [Error(f"These steps wait for each other: {circle}.", hint=hint, id="careers.E002")]
    return []
