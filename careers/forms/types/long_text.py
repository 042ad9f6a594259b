"""Several paragraphs of text."""

from __future__ import annotations

import re
from typing import Any

from django import forms
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
    longest = LIMIT

    def block(self) -> Block:
        return QuestionBlock(label=gettext_lazy("Long text"), icon="pilcrow")

    def field(self, question: Question) -> forms.Field:
        return LongTextField(
            **self.options(question),
            widget=forms.Textarea({"rows": 6}),
            limit=self.longest,
            too_long=self.too_long_message(),
        )

    def too_long_message(self) -> str:
        return _(
            "Your text is %(show_value)s characters long. "
            "Shorten it to %(limit_value)s or attach it as a file."
        )


class LongTextField(TextField):
    """Text of many lines, without the invisible characters that come with pasted text.

    An applicant cannot see such characters, so they cannot correct them either.
    """

    def to_python(self, value: Any) -> str:
        text = re.sub(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", super().to_python(value))
        return re.sub(r"[\x00-\x08\x0e-\x1f\x7f]", "", text).strip()
