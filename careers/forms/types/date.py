"""A day."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.blocks import Block

from careers.applications.frozen import Question
from careers.forms.blocks import QuestionBlock
from careers.forms.types import FieldType, register


@register
class Date(FieldType):
    name = "date"
    template = "careers/forms/types/date.html"
    position = 70
    longest = 40

    def block(self) -> Block:
        return QuestionBlock(label=gettext_lazy("Date"), icon="date")

    def field(self, question: Question) -> forms.Field:
        field = forms.DateField(
            **self.options(question),
            widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        )
        field.error_messages["invalid"] = _(
            "Enter a date with day, month and year, such as 2027-03-31."
        )
        return field

    def example(self, question: Question) -> Any:
        return timezone.now().date().isoformat()
