"""Yes or no, stored as true or false."""

from typing import Any

from django.utils.translation import gettext as _

from careers.applications.frozen import Question
from careers.applications.question_types import QuestionType, register


@register
class YesNo(QuestionType):
    name = "yes_no"
    is_in_form_language = False

    def words(self, question: Question, value: Any) -> list[str]:
        return [_("Yes") if value else _("No")]

    def fixed_words(self, question: Question, value: Any) -> tuple[str, ...]:
        return tuple(self.words(question, value)) if isinstance(value, bool) else ()
