"""Text between questions. It asks nothing."""

from careers.applications.question_types import QuestionType, register


@register
class Note(QuestionType):
    name = "note"
    minutes = 0.0
    is_asked = False
    is_in_form_language = False
