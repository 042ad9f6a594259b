"""A number, stored as text so that no digit is lost.

The text is ``home.values.number.exact`` with what the number counts behind it, so that the answer
can be read without its question: "40000 (EUR)" with the unit or currency of the question, "40000 €"
with the currency that the applicant wrote where the question names none, else "40000".
"""

from decimal import Decimal
from typing import Any

from careers.applications.frozen import Question
from careers.applications.question_types import Cell, QuestionType, is_empty, register
from home.values import money, number


@register
class Number(QuestionType):
    name = "number"
    is_in_form_language = False

    def to_json(self, value: Any) -> Any:
        return number.exact(value) if isinstance(value, Decimal) else value

    def words(self, question: Question, value: Any) -> list[str]:
        digits, _space, mark = str(value).partition(" ")
        return [in_unit(question, Decimal(digits), mark)]

    def heading(self, question: Question) -> str:
        unit = question.setting("currency") or question.setting("unit")
        return f"{question.label} ({unit})" if unit else question.label

    def cell(self, question: Question, value: Any) -> Cell:
        if is_empty(value):
            return ""
        digits = _without_unit(str(value))
        # As a plain number it would lose the currency that the applicant wrote.
        return digits if " " in digits else Decimal(digits)

    def normalise(self, value: Any) -> Any:
        # The unit differs between the languages of a job, and the answer does not.
        return _without_unit(super().normalise(value)) if value else value


def stored(question: Question, digits: str, mark: str) -> str:
    """An answer as it is stored.

    Args:
        digits: the number, from ``home.values.number.exact``.
        mark: the currency that the applicant wrote; for a question without unit and currency.
    """
    unit = question.setting("currency") or question.setting("unit")
    return f"{digits} ({unit})" if unit else f"{digits} {mark}".rstrip()


def _without_unit(value: str) -> str:
    """A stored answer without the unit of its question."""
    digits, bracket, _unit = value.partition(" (")
    return digits if bracket else value


def in_unit(question: Question, amount: Decimal, mark: str = "") -> str:
    """A number as the active language writes it, with the unit or currency of its question.

    Args:
        mark: the currency that the applicant wrote; for a question without unit and currency.
    """
    if currency := question.setting("currency"):
        return money.shown(amount, currency)
    unit = question.setting("unit") or mark
    return f"{number.shown(amount)}\u00a0{unit}" if unit else number.shown(amount)
