"""One line of text."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy
from wagtail.blocks import Block

from careers.applications.frozen import Question
from careers.forms.blocks import QuestionBlock
from careers.forms.text import TextField
from careers.forms.types import FieldType, register


@register
class ShortText(FieldType):
    name = "short_text"
    position = 10
    longest = 300

    def block(self) -> Block:
        return QuestionBlock(label=gettext_lazy("Short text"), icon="edit")

    def field(self, question: Question) -> forms.Field:
        return TextField(**self.options(question), limit=self.longest)
