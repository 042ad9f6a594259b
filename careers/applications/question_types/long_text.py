"""Several paragraphs of text."""

from careers.applications.question_types import QuestionType, register


@register
class LongText(QuestionType):
    name = "long_text"
    minutes = 2.0
