"""An e-mail address."""

from typing import Any

from careers.applications.question_types import QuestionType, register
from home.values import mail_address


@register
class Email(QuestionType):
    name = "email"

    def normalise(self, value: Any) -> Any:
        text = super().normalise(value)
        return mail_address.key(text) if isinstance(text, str) else text
