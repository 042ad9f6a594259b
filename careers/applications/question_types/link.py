"""The address of a web page."""

from careers.applications.question_types import QuestionType, register


@register
class Link(QuestionType):
    name = "link"
