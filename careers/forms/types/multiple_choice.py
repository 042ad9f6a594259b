"""Any number of options of several."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.blocks import Block

from careers.applications.frozen import Question
from careers.forms.blocks import ChoiceQuestionBlock
from careers.forms.types import FieldType, register
from home.bidi import isolated


@register
class MultipleChoice(FieldType):
    name = "multiple_choice"
    template = "careers/forms/types/choices.html"
    position = 40

    def block(self) -> Block:
        return ChoiceQuestionBlock(label=gettext_lazy("Multiple choice"), icon="tick-inverse")

    def field(self, question: Question) -> forms.Field:
        field = ChoicesField(
            **self.options(question),
            widget=forms.CheckboxSelectMultiple,
            choices=[(option.key, option.label) for option in question.options],
        )
        field.error_messages["invalid_choice"] = _("Choose among the answers.")
        return field

    def required_message(self, question: Question) -> str:
        return _("Choose at least one answer to “%(label)s”.") % {"label": isolated(question.label)}

    def fields_sent(self, question: Question) -> int:
        return len(question.options)

    def example(self, question: Question) -> Any:
        return [option.key for option in question.options[:2]]


class ChoicesField(forms.MultipleChoiceField):
    """Takes each choice once, even if it was sent several times."""

    def to_python(self, value: Any) -> list[str]:
        return list(dict.fromkeys(super().to_python(value)))
