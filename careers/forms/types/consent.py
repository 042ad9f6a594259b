"""One box to tick for one purpose, never ticked beforehand."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail import blocks

from careers.applications.frozen import Question
from careers.forms.types import FieldType, register
from home.bidi import isolated
from home.text_blocks import LineBlock


class ConsentBlock(blocks.StructBlock):
    """One purpose to which the applicant may agree."""

    label = LineBlock(
        label=gettext_lazy("What the applicant agrees to"),
        max_length=300,
        help_text=gettext_lazy(
            "One purpose only, such as “Keep my application for other jobs for a year”."
        ),
    )
    help_text = LineBlock(label=gettext_lazy("Hint"), required=False, max_length=300)
    required = blocks.BooleanBlock(
        label=gettext_lazy("Must be ticked"),
        required=False,
        help_text=gettext_lazy("Required consent is not freely given. Leave this off if you can."),
    )


@register
class Consent(FieldType):
    name = "consent"
    template = "careers/forms/types/consent.html"
    position = 100

    def block(self) -> blocks.Block:
        return ConsentBlock(label=gettext_lazy("Consent"), icon="check")

    def field(self, question: Question) -> forms.Field:
        return forms.BooleanField(**self.options(question))

    def required_message(self, question: Question) -> str:
        return _("Tick the box to agree to “%(label)s”.") % {"label": isolated(question.label)}

    def example(self, question: Question) -> Any:
        return None
