"""What each type of question means for an answer, once it is given.

A module of this package describes one type: how its answer is stored, read by people, exported,
compared and how long it takes. All code that handles answers uses these types. How a form shows a
type is in ``careers.forms.types``, which needs Wagtail; this package does not.

Another app adds a type with a module ``question_types`` of its own, or calls ``register`` in its
``ready()``::

    from careers.applications.question_types import QuestionType, register

    @register
    class Rating(QuestionType):
        name = "rating"
"""

from __future__ import annotations

import datetime as dt
import pkgutil
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.utils.module_loading import autodiscover_modules

from home.values.text import clean

if TYPE_CHECKING:
    from careers.applications.frozen import Question

#: One cell of a table: text, or a value that a spreadsheet has a type for.
Cell = str | Decimal | dt.date


class QuestionType:
    """One type of question; the methods here are right for text.

    Attributes:
        name: as it is stored with questions and in the blocks of pages. It never changes.
        minutes: how long an applicant needs for it, about.
        is_asked: whether it expects an answer at all.
        is_file: whether the answer is an uploaded file, which is stored apart.
        is_consent: whether the answer is recorded as a consent, in the words that were shown.
        is_list: whether each paragraph of the answer is an item of a list.
        is_in_form_language: whether the answer is in the language of the form. Answers that
            are formatted for their reader, such as dates, are not.
    """

    name: ClassVar[str]
    minutes: ClassVar[float] = 0.4
    is_asked: ClassVar[bool] = True
    is_file: ClassVar[bool] = False
    is_consent: ClassVar[bool] = False
    is_list: ClassVar[bool] = False
    is_in_form_language: ClassVar[bool] = True

    def to_json(self, value: Any) -> Any:
        """The value of the form field as it is stored; JSON can hold it."""
        return value

    def words(self, question: Question, value: Any) -> list[str]:
        """A stored answer as paragraphs of text, in the active language.

        Args:
            value: never empty (see ``in_words``).
        """
        return [line.strip() for line in str(value).splitlines() if line.strip()]

    def in_words(self, question: Question, value: Any) -> list[str]:
        """The same for any stored answer; no paragraphs when there is no answer."""
        return [] if is_empty(value) else self.words(question, value)

    def fixed_words(self, question: Question, value: Any) -> tuple[str, ...]:
        """The answer in the words of the form, where it can be nothing else.

        Empty for types whose answers applicants write themselves, and for options that
        ``question`` does not have. What this returns may be sent to an unconfirmed address.
        """
        return ()

    def heading(self, question: Question) -> str:
        """What stands above the cells of a question in a table: its label, and a unit."""
        return question.label

    def cell(self, question: Question, value: Any) -> Cell:
        """A stored answer as one cell of a table.

        The writer of the table guards text against formulas.
        """
        return "\n".join(self.in_words(question, value))

    def normalise(self, value: Any) -> Any:
        """A stored answer, without differences that mean nothing, to compare it with another.

        These are spaces, what nobody can see, and the order of a list.
        """
        if isinstance(value, list):
            return sorted(value)
        if isinstance(value, str):
            return clean(value)
        return value


def is_empty(value: Any) -> bool:
    """Whether a stored answer says nothing; False and 0 are answers."""
    return value is None or value in ("", [])


_registered: dict[str, QuestionType] = {}
T = TypeVar("T", bound=type[QuestionType])


def register(cls: T) -> T:
    """Add a type; a class decorator.

    Raises:
        ValueError: another class has the name.
    """
    known = _registered.setdefault(cls.name, cls())
    if type(known) is not cls:
        raise ValueError(f"There are two types of question with the name {cls.name!r}.")
    return cls


def type_of(question: Question) -> QuestionType:
    """The type of a question; text where no app knows its type any more."""
    _discover()
    return _registered.get(question.type) or QuestionType()


def names() -> list[str]:
    """The names of all types."""
    _discover()
    return sorted(_registered)


@cache
def _discover() -> None:
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    autodiscover_modules("question_types")
