"""One box to tick for one purpose, stored as true or false."""

from typing import Any

from django.utils.translation import gettext as _

from careers.applications.frozen import Question
from careers.applications.question_types import QuestionType, register


@register
class Consent(QuestionType):
    name = "consent"
    is_consent = True
    is_in_form_language = False

    def words(self, question: Question, value: Any) -> list[str]:
        return [_("Agreed") if value else _("Not agreed")]
