"""The registered steps, and what follows from their definitions.

An installed app adds a step in its ``AppConfig.ready()``::

    from careers.pipeline import steps

    steps.register(
        steps.StepDefinition(
            kind="announce",
            label=_("Chat message"),
            short_label=_("Chat"),
            effect=announce,
            after=(steps.succeeded("archive"),),
        )
    )

The Celery task, the chip, the filter choice, the metrics and the position in the process follow
from the definition. Rows of a kind that is not registered belong to another release: nothing runs
or dispatches them, and pages show the kind itself in place of a label.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from django.db.models import Q
from django.utils.functional import Promise

from careers.applications.models import Application
from careers.notifications import BeforeSend
from careers.pipeline.models import Step
from careers.pipeline.states import ENDED, State

#: The column holds 20 characters; the name must be valid in a task name, a URL and a metric.
KIND = re.compile(r"[a-z][a-z0-9_]{0,19}")
#: The condition that an application must meet before mails about it are sent.
NOT_QUARANTINED = Q(quarantined=False)


@dataclass(frozen=True)
class Outcome:
    """What a step's effect returns.

    Attributes:
        result: facts to keep with the step, as plain data without personal data.
        reason: words for the step's history; "" for none.
        record: writes rows in the transaction that records the success.
    """

    result: dict[str, Any] = field(default_factory=dict)
    reason: str = ""
    record: Callable[[], None] = lambda: None


class Predecessor(NamedTuple):
    """A step that comes first.

    Attributes:
        enough: the states of this step in which its successor may start.
        may_be_missing: an application without such a step does not wait for it. Such applications
            were received before the step was registered.
    """

    kind: str
    enough: tuple[State, ...]
    may_be_missing: bool = False


def succeeded(kind: str) -> Predecessor:
    """A predecessor that must succeed."""
    return Predecessor(kind, (State.SUCCEEDED,))


def ended(kind: str) -> Predecessor:
    """A predecessor that must end: it may also fail or be cancelled."""
    return Predecessor(kind, ENDED)


def always(application: Application) -> bool:
    """Every new application gets the step."""
    return True


def on_demand(application: Application) -> bool:
    """No new application gets the step: another step creates it when there is a reason."""
    return False


@dataclass(frozen=True, kw_only=True)
class StepDefinition:
    """One step of the process.

    Attributes:
        kind: the stored name: lower-case letters, digits and ``_``, at most 20 characters.
        label: what the step does, for people; lazily translated.
        short_label: one or two words for a chip; lazily translated.
        effect: does the work. It gets the step, and a function to call right before the point of
            no return. It must be safe to repeat, and raises the classes of
            ``careers.applications.errors``.
        queue: the Celery queue. ``cpu`` is for work that computes, ``io`` for work that waits for
            another server; any other queue needs a worker of its own.
        after: the predecessors, made by ``succeeded`` and ``ended``.
        before: kinds that wait until this step has succeeded, as for a virus scan. An
            application that is older than the step does not wait for it.
        gate: the condition that the ``Application`` must meet before the step is queued.
        is_mail: the effect sends a mail: it obeys the mail server's rate limit, and in a restored
            database it waits for a person.
        to_applicant: the mail goes to the applicant's mailbox: it obeys the limit of mails to one
            mailbox. See ``careers.pipeline.mailbox_limit``.
        about: what the step belongs to.
        per_recipient: an application gets one such step for each notification recipient.
        needed: whether a new application gets the step. It is called once, when the application
            and its files are stored. Steps that wait for a step that is not there do not wait.
    """

    kind: str
    label: str | Promise
    short_label: str | Promise
    effect: Callable[[Step, BeforeSend], Outcome]
    queue: str = "io"
    after: tuple[Predecessor, ...] = ()
    before: tuple[str, ...] = ()
    gate: Q | None = None
    is_mail: bool = False
    to_applicant: bool = False
    about: Literal["application", "alert"] = "application"
    per_recipient: bool = False
    needed: Callable[[Application], bool] = always

    @property
    def task_name(self) -> str:
        return f"careers.{self.kind}"

    @property
    def waits_for_a_server(self) -> bool:
        """Whether another server, and not the content of the application, makes it slow."""
        return self.queue != "cpu"


#: Every registered step by its kind. Only ``register`` writes it.
REGISTERED: dict[str, StepDefinition] = {}


def register(definition: StepDefinition) -> None:
    """Add a step to the process; call it from ``AppConfig.ready()``.

    Raises:
        ValueError: the kind is malformed or taken, a step about an alert has predecessors, or a
            step to the applicant is no mail about an application.
    """
    if not KIND.fullmatch(definition.kind):
        raise ValueError(f"{definition.kind!r} is no kind: it must match {KIND.pattern}")
    if definition.kind in REGISTERED:
        raise ValueError(f"the step {definition.kind!r} is registered already")
    if definition.about == "alert" and (definition.after or definition.before or definition.gate):
        raise ValueError("a step about an alert has no predecessors, no successors and no gate")
    if definition.to_applicant and not (definition.is_mail and definition.about == "application"):
        raise ValueError("a step to the applicant is a mail about an application")
    REGISTERED[definition.kind] = definition


def definitions() -> list[StepDefinition]:
    """Every registered step, in the order of the process."""
    ordered: list[StepDefinition] = []
    for definition in REGISTERED.values():
        places = (i for i, other in enumerate(ordered) if other.kind in definition.before)
        ordered.insert(min(places, default=len(ordered)), definition)
    return ordered


def kinds() -> list[str]:
    """The kinds of every registered step, in the order of the process."""
    return [definition.kind for definition in definitions()]


def kinds_to_show(found: Iterable[str]) -> list[str]:
    """The kinds in the order of the process, without those that some applications do not need.

    Args:
        found: kinds that are shown in any case, because there is something to show.
    """
    found = set(found)
    return [
        definition.kind
        for definition in definitions()
        if definition.needed is always or definition.kind in found
    ]


def kinds_of_mails() -> list[str]:
    return [definition.kind for definition in definitions() if definition.is_mail]


def is_mail(kind: str) -> bool:
    return kind in REGISTERED and REGISTERED[kind].is_mail


def is_to_applicant(kind: str) -> bool:
    return kind in REGISTERED and REGISTERED[kind].to_applicant


def kinds_to_applicants() -> list[str]:
    return [definition.kind for definition in definitions() if definition.to_applicant]


def kinds_about_applications() -> list[str]:
    return [definition.kind for definition in definitions() if definition.about == "application"]


def in_order(found: Iterable[str]) -> list[str]:
    """Kinds in the order of the process; those that are not registered come last."""
    order = {kind: place for place, kind in enumerate(kinds())}
    return sorted(set(found), key=lambda kind: (order.get(kind, len(order)), kind))


def label_of(kind: str) -> str:
    """What a step does, for people; the kind itself where it is not registered."""
    return str(REGISTERED[kind].label) if kind in REGISTERED else kind


def short_label_of(kind: str) -> str:
    """As ``label_of``, short enough for a chip."""
    return str(REGISTERED[kind].short_label) if kind in REGISTERED else kind


def is_gated(kind: str) -> bool:
    """Whether the step waits while its application is quarantined."""
    return kind in REGISTERED and REGISTERED[kind].gate == NOT_QUARANTINED


def predecessors_of(kind: str) -> list[Predecessor]:
    """What must come before a step: the steps that it names in ``after``, and those that name it in
    ``before``.
    """
    return [
        *(
            predecessor._replace(may_be_missing=True)
            if predecessor.kind in REGISTERED and REGISTERED[predecessor.kind].needed is not always
            else predecessor
            for predecessor in REGISTERED[kind].after
        ),
        *(
            succeeded(other.kind)._replace(may_be_missing=True)
            for other in definitions()
            if kind in other.before
        ),
    ]


def successors_of(kind: str, *, needing_success: bool = False) -> list[StepDefinition]:
    """The steps that wait for a step.

    Args:
        needing_success: only those that do not start after a failed or cancelled step.
    """
    return [
        definition
        for definition in definitions()
        if any(
            predecessor.kind == kind
            and not (needing_success and State.CANCELLED in predecessor.enough)
            for predecessor in predecessors_of(definition.kind)
        )
    ]
