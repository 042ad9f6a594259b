"""One option of several, stored by its key."""

from typing import Any

from careers.applications.frozen import Question
from careers.applications.question_types import QuestionType, register


@register
class SingleChoice(QuestionType):
    name = "single_choice"

    def words(self, question: Question, value: Any) -> list[str]:
        return [question.option_label(value)]

    def fixed_words(self, question: Question, value: Any) -> tuple[str, ...]:
        return tuple(option.label for option in question.options if option.key == value)
