"""An e-mail address."""

from typing import Any

from careers.applications.question_types import QuestionType, register


@register
class Email(QuestionType):
    name = "email"

    def normalise(self, value: Any) -> Any:
        text = super().normalise(value)
        return text.lower() if isinstance(text, str) else text
