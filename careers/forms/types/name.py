"""The applicant's name."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext as _

from careers.applications.frozen import Question
from careers.forms.text import TextField
from careers.forms.types import FieldType, register
from home.values.name import clean


@register
class Name(FieldType):
    name = "name"
    longest = 150

    def field(self, question: Question) -> forms.Field:
        return TextField(
            **self.options(question),
            widget=forms.TextInput({"autocomplete": "name", "spellcheck": "false"}),
            limit=self.longest,
            clean=clean,
        )

    def required_message(self, question: Question) -> str:
        return _("Enter your full name.")
