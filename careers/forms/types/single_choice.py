"""One option of several."""

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

#: The most options that are shown one below the other; more of them become a menu.
SHOWN_AT_ONCE = 9


@register
class SingleChoice(FieldType):
    name = "single_choice"
    template = "careers/forms/types/choices.html"
    position = 30

    def block(self) -> Block:
        return ChoiceQuestionBlock(label=gettext_lazy("Single choice"), icon="radio-full")

    def field(self, question: Question) -> forms.Field:
        options = self.options(question)
        if len(question.options) > SHOWN_AT_ONCE:
            options["template_name"] = "careers/forms/types/menu.html"
        field = forms.ChoiceField(
            **options,
            widget=forms.RadioSelect,
            choices=[(option.key, option.label) for option in question.options],
        )
        field.error_messages["invalid_choice"] = _("Choose one of the answers.")
        return field

    def required_message(self, question: Question) -> str:
        return _("Choose an answer to “%(label)s”.") % {"label": isolated(question.label)}

    def example(self, question: Question) -> Any:
        return question.options[0].key
