"""A number, written as in the language of the form."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.blocks import Block

from careers.applications.frozen import Question
from careers.forms.blocks import QuestionBlock
from careers.forms.types import FieldType, register


@register
class Number(FieldType):
    name = "number"
    position = 60
    longest = 40

    def block(self) -> Block:
        return QuestionBlock(label=gettext_lazy("Number"), icon="order")

    def field(self, question: Question) -> forms.Field:
        field = forms.DecimalField(
            **self.options(question),
            localize=True,
            max_digits=15,
            decimal_places=4,
            widget=forms.TextInput(
                {"class": "input--number", "inputmode": "decimal", "autocomplete": "off"}
            ),
        )
        field.error_messages["invalid"] = _("Enter a number, such as 40.")
        return field

    def example(self, question: Question) -> Any:
        return "6"
