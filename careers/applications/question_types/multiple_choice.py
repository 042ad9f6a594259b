"""Any number of options of several, stored as a list of their keys."""

from typing import Any

from careers.applications.frozen import Question
from careers.applications.question_types import QuestionType, register


@register
class MultipleChoice(QuestionType):
    name = "multiple_choice"
    is_list = True

    def words(self, question: Question, value: Any) -> list[str]:
        return [question.option_label(key) for key in value]

    def fixed_words(self, question: Question, value: Any) -> tuple[str, ...]:
        labels = {option.key: option.label for option in question.options}
        return tuple(labels[key] for key in value or () if key in labels)
