"""A number, stored as text so that no digit is lost."""

from decimal import Decimal
from typing import Any

from django.utils import formats

from careers.applications.frozen import Question
from careers.applications.question_types import Cell, QuestionType, is_empty, register


@register
class Number(QuestionType):
    name = "number"
    is_in_form_language = False

    def to_json(self, value: Any) -> Any:
        # Adding 0 makes 0 of -0.
        return format((value + 0).normalize(), "f") if isinstance(value, Decimal) else value

    def words(self, question: Question, value: Any) -> list[str]:
        return [formats.number_format(Decimal(value), force_grouping=True)]

    def cell(self, question: Question, value: Any) -> Cell:
        return "" if is_empty(value) else Decimal(value)
