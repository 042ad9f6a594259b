"""How each type of question is added by HR, asked on the form and validated.

A module of this package describes one type: its block in the page editor, its form field with
widget and error messages, and its template. What an answer means afterwards is in the module of
the same name in ``careers.applications.question_types``.

Another app adds a type with a module ``form_types`` of its own, or calls ``register`` in its
``ready()``::

    from careers.forms.types import FieldType, register

    @register
    class Rating(FieldType):
        name = "rating"
        ...
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import Any, ClassVar, TypeVar

from django import forms
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext as _
from wagtail.blocks import Block

from careers.applications.frozen import Question
from careers.forms.text import LONGEST, SLACK, check_length, too_long_message
from home.bidi import isolated


class FieldType:
    """How one type of question is asked.

    Attributes:
        name: the same as in ``careers.applications.question_types``.
        template: shows one question of this type. Its context has ``field`` (the bound field),
            ``question`` and ``id``.
        position: the order in the list from which HR chooses; small numbers come first.
        longest: the most characters of one answer. The form refuses a longer one before the
            field sees it; for text it may arrive ``SLACK`` times as long, see ``TextField``. A
            question with options may have such an answer for each option.
    """

    name: ClassVar[str]
    template: ClassVar[str] = "careers/forms/types/line.html"
    position: ClassVar[int] = 1000
    longest: ClassVar[int] = LONGEST

    def block(self) -> Block | None:
        """A new block with which HR adds such a question; None where HR cannot add one.

        Its value has ``label``, and may have ``help_text``, ``required`` and ``options``. What
        else it has is read by ``settings``.
        """
        return None

    def settings(self, value: Any) -> tuple[tuple[str, str], ...]:
        """What HR set for a question of this type only, from the value of its block.

        Returns:
            Names and texts for ``Question.settings``, without those that are empty. They are
            stored with each application, so old ones must stay readable.
        """
        return ()

    def field(self, question: Question) -> forms.Field:
        """A new form field for one question, with errors that say how to correct them."""
        raise NotImplementedError

    def required_message(self, question: Question) -> str:
        """The error for a required question without an answer."""
        return _("Enter an answer to “%(label)s”.") % {"label": isolated(question.label)}

    def too_long_message(self) -> str:
        """The error for an answer over ``longest``, with placeholders as in ``forms.text``."""
        return too_long_message()

    def check_length(self, question: Question, value: Any) -> None:
        """Refuse what was sent for a question because of its length, before any other check.

        Raises:
            ValidationError: it is too long.
        """
        limit = self.longest * max(1, len(question.options))
        check_length(value, limit, self.too_long_message, slack=SLACK)

    def fields_sent(self, question: Question) -> int:
        """The most fields and files that a browser sends for one question."""
        return 1

    def example(self, question: Question) -> Any:
        """What a demo applicant sends, as the browser sends it; None leaves it empty."""
        return "I have done this for six years and would like to do it with you."

    def options(self, question: Question) -> dict[str, Any]:
        """The arguments that every form field takes."""
        return {
            "label": question.label,
            "help_text": question.help,
            "required": question.required,
            "error_messages": {"required": self.required_message(question)},
            "template_name": self.template,
        }


_registered: dict[str, FieldType] = {}
T = TypeVar("T", bound=type[FieldType])


def register(cls: T) -> T:
    """Add a type; a class decorator.

    Raises:
        ValueError: another class has the name.
    """
    known = _registered.setdefault(cls.name, cls())
    if type(known) is not cls:
        raise ValueError(f"There are two field types with the name {cls.name!r}.")
    return cls


def field_type(question: Question) -> FieldType:
    """The type of a question.

    Raises:
        ValueError: no installed app has the type.
    """
    _discover()
    try:
        return _registered[question.type]
    except KeyError:
        raise ValueError(f"unknown question type {question.type!r}") from None


def choosable() -> list[tuple[str, Block]]:
    """The types that HR may add, in their order: each name with a new block."""
    _discover()
    kinds = sorted(_registered.values(), key=lambda kind: (kind.position, kind.name))
    return [(kind.name, block) for kind in kinds if (block := kind.block()) is not None]


@cache
def _discover() -> None:
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    autodiscover_modules("form_types")
