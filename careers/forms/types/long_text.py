"""Several paragraphs of text."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.blocks import Block

from careers.applications.frozen import Question
from careers.forms.blocks import QuestionBlock
from careers.forms.text import TextField
from careers.forms.types import FieldType, register

LIMIT = 10_000  # characters


@register
class LongText(FieldType):
    name = "long_text"
    template = "careers/forms/types/long_text.html"
    position = 20

    def block(self) -> Block:
        return QuestionBlock(label=gettext_lazy("Long text"), icon="pilcrow")

    def field(self, question: Question) -> forms.Field:
        message = _(
            "Your text is %(show_value)s characters long. "
            "Shorten it to %(limit_value)s or attach it as a file."
        )
        return LongTextField(
            **self.options(question),
            widget=forms.Textarea({"rows": 6}),
            validators=[MaxLengthValidator(LIMIT, message)],
        )


class LongTextField(TextField):
    """Text of many lines, without the invisible characters that come with pasted text.

    An applicant cannot see such characters, so they cannot correct them either.
    """

    limit = LIMIT

    def to_python(self, value: Any) -> str:
        text = re.sub(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", super().to_python(value))
        return re.sub(r"[\x00-\x08\x0e-\x1f\x7f]", "", text).strip()
