"""The applicant's e-mail address."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from careers.applications.frozen import Question
from careers.forms.text import TextField
from careers.forms.types import FieldType, register
from home.recipients import unreachable
from home.values.email import check, clean


def _refuse_unreachable(address: str) -> None:
    """Refuse an address that no mail reaches: the applicant would wait for the receipt."""
    if why := unreachable(address):
        raise ValidationError(why, code="unreachable")


@register
class Email(FieldType):
    name = "email"
    longest = 254

    def field(self, question: Question) -> forms.Field:
        return TextField(
            **self.options(question),
            # No type="email": Chromium sends user@faß.de as user@fass.de then.
            widget=forms.TextInput(
                {
                    "autocomplete": "email",
                    "inputmode": "email",
                    "spellcheck": "false",
                    "autocapitalize": "none",
                }
            ),
            limit=self.longest,
            clean=clean,
            validators=[check, _refuse_unreachable],
        )

    def required_message(self, question: Question) -> str:
        return _("Enter your e-mail address.")
