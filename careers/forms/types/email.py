"""The applicant's e-mail address."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext as _

from careers.applications.frozen import Question
from careers.forms.text import TextField
from careers.forms.types import FieldType, register
from home.values.email import check, clean


@register
class Email(FieldType):
    name = "email"
    longest = 254

    def field(self, question: Question) -> forms.Field:
        return TextField(
            **self.options(question),
            widget=forms.EmailInput(
                {
                    "autocomplete": "email",
                    "inputmode": "email",
                    "spellcheck": "false",
                    "autocapitalize": "none",
                }
            ),
            limit=self.longest,
            clean=clean,
            validators=[check],
        )

    def required_message(self, question: Question) -> str:
        return _("Enter your e-mail address.")
