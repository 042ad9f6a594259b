"""The applicant's phone number."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _

from careers.applications.frozen import Question
from careers.forms.text import TextField
from careers.forms.types import FieldType, register

#: Digits and what people write between them, with at least one digit.
PHONE = r"\A(?=[^0-9]*[0-9])[0-9+()/.\- \u00a0\u202fx]+\Z"


@register
class Phone(FieldType):
    name = "phone"
    longest = 40

    def field(self, question: Question) -> forms.Field:
        return TextField(
            **self.options(question),
            widget=forms.TelInput(
                {"class": "input--phone", "autocomplete": "tel", "inputmode": "tel"}
            ),
            limit=self.longest,
            validators=[
                RegexValidator(PHONE, _("Enter a phone number, such as +44 20 7946 0018."))
            ],
        )

    def required_message(self, question: Question) -> str:
        return _("Enter your phone number.")

    def example(self, question: Question) -> Any:
        return "+44 20 7946 0018"
