"""The applicant's name."""

from careers.applications.question_types import QuestionType, register


@register
class Name(QuestionType):
    name = "name"
