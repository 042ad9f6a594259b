"""The applicant's name."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext as _

from careers.applications.frozen import Question
from careers.forms.text import TextField, at_most, one_line
from careers.forms.types import FieldType, register


@register
class Name(FieldType):
    name = "name"

    def field(self, question: Question) -> forms.Field:
        return TextField(
            **self.options(question),
            widget=forms.TextInput({"autocomplete": "name", "spellcheck": "false"}),
            validators=[one_line(), at_most(150)],
        )

    def required_message(self, question: Question) -> str:
        return _("Enter your full name.")
