"""A day."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.blocks import Block

from careers.applications.frozen import Question
from careers.forms.blocks import QuestionBlock
from careers.forms.types import FieldType, register
from home.values import date
from home.values.text import visible

#: Both its day and its month are written with different numbers in every order.
EXAMPLE = dt.date(2027, 3, 31)


@register
class Date(FieldType):
    name = "date"
    template = "careers/forms/types/date.html"
    position = 70
    longest = 40

    def block(self) -> Block:
        return QuestionBlock(label=gettext_lazy("Date"), icon="date")

    def field(self, question: Question) -> forms.Field:
        field = DateField(**self.options(question), widget=forms.DateInput({"type": "date"}))
        field.error_messages["invalid"] = _(
            "Enter a date with day, month and year for “%(label)s”, such as %(example)s."
        ) % {"label": question.label, "example": formats.date_format(EXAMPLE, "DATE_FORMAT")}
        return field

    def example(self, question: Question) -> Any:
        return timezone.now().date().isoformat()


class DateField(forms.Field):
    """Reads a date as the browser's date field sends it, and as people write it on this page."""

    def clean(self, value: Any) -> dt.date | None:
        text = value or ""
        if not visible(text):
            if self.required:
                raise ValidationError(self.error_messages["required"], code="required")
            return None
        day = date.read(text)
        if day is None:
            # A date field would show nothing of it.
            self.widget.input_type = "text"
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return day

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What was sent, as a date field takes it if it is a date."""
        day = date.read(data or "")
        return day.isoformat() if day else data
