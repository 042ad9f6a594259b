"""The applicant's phone number."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from careers.applications.frozen import Question
from careers.forms.text import TextField
from careers.forms.types import FieldType, register
from home.values.phone import check, clean


@register
class Phone(FieldType):
    name = "phone"
    longest = 100

    def field(self, question: Question) -> forms.Field:
        return TextField(
            **self.options(question),
            widget=forms.TelInput(
                {"class": "input--phone", "autocomplete": "tel", "inputmode": "tel"}
            ),
            limit=self.longest,
            clean=clean,
            validators=[check],
        )

    def required_message(self, question: Question) -> str:
        return _("Enter your phone number.")

    def example(self, question: Question) -> Any:
        return "+44 20 7946 0018"
