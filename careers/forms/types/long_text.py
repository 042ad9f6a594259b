"""Several paragraphs of text."""

from __future__ import annotations

from functools import partial

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.blocks import Block

from careers.applications.frozen import Question
from careers.forms.blocks import QuestionBlock
from careers.forms.text import TextField
from careers.forms.types import FieldType, register
from home.values.text import clean

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
        return TextField(
            **self.options(question),
            widget=forms.Textarea({"rows": 6}),
            limit=self.longest,
            clean=partial(clean, lines=True),
            too_long=self.too_long_message,
        )

    def too_long_message(self) -> str:
        return _(
            "Your text is %(show_value)s characters long. "
            "Shorten it to %(limit_value)s or attach it as a file."
        )
