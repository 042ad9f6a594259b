"""Yes or no. A question without an answer is neither."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.blocks import Block

from careers.applications.frozen import Question
from careers.forms.blocks import QuestionBlock
from careers.forms.types import FieldType, register
from home.bidi import isolated


@register
class YesNo(FieldType):
    name = "yes_no"
    template = "careers/forms/types/choices.html"
    position = 50

    def block(self) -> Block:
        return QuestionBlock(label=gettext_lazy("Yes or no"), icon="help")

    def field(self, question: Question) -> forms.Field:
        field = forms.TypedChoiceField(
            **self.options(question),
            widget=forms.RadioSelect({"class": "choices--row"}),
            choices=[("yes", _("Yes")), ("no", _("No"))],
            coerce=lambda value: value == "yes",
            empty_value=None,
        )
        field.error_messages["invalid_choice"] = _("Choose yes or no.")
        return field

    def required_message(self, question: Question) -> str:
        return _("Choose an answer to “%(label)s”.") % {"label": isolated(question.label)}

    def example(self, question: Question) -> Any:
        return "yes"
