"""An uploaded file; its bytes are rows of ``ApplicationFile``, not answers."""

from typing import Any

from careers.applications.frozen import Question
from careers.applications.question_types import QuestionType, register


@register
class File(QuestionType):
    name = "file"
    minutes = 1.0
    is_file = True
    is_in_form_language = False

    def words(self, question: Question, value: Any) -> list[str]:
        return []
