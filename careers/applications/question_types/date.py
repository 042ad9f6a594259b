"""A day, stored as ISO 8601 text."""

import datetime as dt
from typing import Any

from django.utils import formats

from careers.applications.frozen import Question
from careers.applications.question_types import Cell, QuestionType, is_empty, register


@register
class Date(QuestionType):
    name = "date"
    is_in_form_language = False

    def to_json(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, dt.date) else value

    def words(self, question: Question, value: Any) -> list[str]:
        return [formats.date_format(dt.date.fromisoformat(value), "DATE_FORMAT")]

    def cell(self, question: Question, value: Any) -> Cell:
        return "" if is_empty(value) else dt.date.fromisoformat(value)
