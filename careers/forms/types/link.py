"""The address of a web page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.blocks import Block

from careers.applications.frozen import Question
from careers.forms.blocks import QuestionBlock
from careers.forms.text import TextField
from careers.forms.types import FieldType, register
from home.values import link


@register
class Link(FieldType):
    name = "link"
    position = 80
    longest = 500

    def block(self) -> Block:
        return QuestionBlock(label=gettext_lazy("Link"), icon="link")

    def field(self, question: Question) -> forms.Field:
        field = LinkField(
            **self.options(question),
            widget=forms.URLInput(
                {
                    "inputmode": "url",
                    "spellcheck": "false",
                    "autocapitalize": "none",
                    "autocomplete": "off",
                }
            ),
            limit=self.longest,
        )
        field.error_messages["invalid"] = _(
            "Enter the address of a web page for “%(label)s”, such as https://example.com/page."
        ) % {"label": question.label}
        return field

    def example(self, question: Question) -> Any:
        return "https://example.org/work"


class LinkField(TextField):
    """Reads a web address; one without a scheme gets ``https://``."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        if not text:
            return ""
        address = link.read(text)
        if address is None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return address

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What was sent, with the scheme that it gets."""
        return link.read(data or "") or data
