"""The address of a web page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.blocks import Block

from careers.applications.frozen import Question
from careers.forms.blocks import QuestionBlock
from careers.forms.text import TextField, one_line
from careers.forms.types import FieldType, register


@register
class Link(FieldType):
    name = "link"
    position = 80
    longest = 500

    def block(self) -> Block:
        return QuestionBlock(label=gettext_lazy("Link"), icon="link")

    def field(self, question: Question) -> forms.Field:
        return TextField(
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
            validators=[web_address],
        )

    def example(self, question: Question) -> Any:
        return "https://example.org/work"


def web_address(value: str) -> None:
    """Accept an address with ``http`` or ``https``.

    Raises:
        ValidationError: it is not such an address.
    """
    try:
        # URLValidator lets control characters in the path pass.
        one_line()(value)
        URLValidator(schemes=["http", "https"])(value)
    except ValidationError:
        raise ValidationError(_("Enter a whole address that starts with https://.")) from None
