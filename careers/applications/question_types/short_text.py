"""One line of text."""

from careers.applications.question_types import QuestionType, register


@register
class ShortText(QuestionType):
    name = "short_text"
