"""The applicant's e-mail address."""

from __future__ import annotations

from django import forms
from django.core.validators import EmailValidator
from django.utils.translation import gettext as _

from careers.applications.frozen import Question
from careers.forms.text import TextField
from careers.forms.types import FieldType, register


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
            validators=[EmailValidator(_("Enter an e-mail address in the form name@example.com."))],
        )

    def required_message(self, question: Question) -> str:
        return _("Enter your e-mail address.")
