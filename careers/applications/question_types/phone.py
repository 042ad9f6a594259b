"""A phone number."""

from careers.applications.question_types import QuestionType, register


@register
class Phone(QuestionType):
    name = "phone"
