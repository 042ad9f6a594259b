"""An act: something that a person may do, with its permission, its rule and its words.

The button in the panel, the URL and the guarded UPDATE all follow the same rule.
``careers.pipeline.actions`` holds the acts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied

from careers.pipeline.models import Step
from careers.pipeline.rules import Rule
from careers.pipeline.states import LEAVES_TO, State
from careers.pipeline.transitions import move

RETRY, CANCEL = "careers.retry_step", "careers.cancel_step"
#: Makes them count in the whole site, if the same group grants it.
OPERATE = "careers.operate_site"


@dataclass(frozen=True)
class Words:
    """What people read about an act; ``%(step)s`` or ``%(reference)s`` names what it acts on.

    Attributes:
        label: on the button that leads to the act.
        question, consequence, button: on the page that asks first.
        done: the message afterwards.
        refused: the message when the rule no longer holds; ``%(state)s`` is the state.
        reason: in the history when the person gives none; "" where ``Act.do`` words it.
    """

    label: Any
    question: Any
    consequence: Any
    button: Any
    done: Any
    refused: Any
    reason: Any = ""


@dataclass(frozen=True)
class Doing:
    """One use of an act: who acts, why, and the rule that every write must hold."""

    actor: str
    reason: str
    rule: Rule

    def move(self, step: Step, to: State, **changes: Any) -> bool:
        """Move the step from any state that the act's rule and the state machine allow."""
        return move(
            step.pk,
            to,
            leaving=[state for state in State if to in LEAVES_TO[state]],
            guard=self.rule.query,
            actor=self.actor,
            reason=self.reason,
            **changes,
        )


@dataclass(frozen=True)
class Act:
    """Something that a person may do to a step, or to an application.

    Attributes:
        name: in URLs.
        permission: which the person needs.
        allowed: when it can be done; both the buttons and the UPDATE follow it.
        do: does it. Returns something true when it was done.
        asks: whether a page asks before it is done.
        serious: whether it can't be undone.
        sends: whether it sends a mail that may have been sent before.
        needs_reason: whether the person must say why.
    """

    name: str
    permission: str
    allowed: Rule
    do: Callable[..., Any]
    words: Words
    asks: bool = True
    serious: bool = False
    sends: bool = False
    needs_reason: bool = False

    # A template would call an act that it only shows.
    do_not_call_in_templates: ClassVar[bool] = True

    def __call__(self, subject: Any, user: Any, reason: str = "", **more: Any) -> Any:
        """Do it, if the rule still holds in the database.

        Args:
            subject: a step, or an application for ``release_from_quarantine``.
            more: what else this act needs, such as an address.

        Returns:
            Something false when the rule no longer holds, as after a double click.

        Raises:
            PermissionDenied: the user lacks the permission.
        """
        actor = actor_of(user, self.permission)
        doing = Doing(actor, reason or str(self.words.reason), self.allowed)
        return self.do(subject, doing, **more)

    def offered(self, subject: Any, user: Any) -> bool:
        """Whether this person may do it to this subject now."""
        return bool(user.has_perm(self.permission)) and self.allowed(subject)


#: The length of ``StepEvent.actor``.
ACTOR_LENGTH = 64


def actor_of(user: Any, permission: str) -> str:
    """The actor for a step's events; the user name stays there when the account is deleted.

    Raises:
        PermissionDenied: the user lacks the permission.
    """
    if not user.has_perm(permission):
        raise PermissionDenied
    return f"user:{user.pk}:{user.get_username()}"[:ACTOR_LENGTH]
