"""Form fields of the admin that clean text, as the application form does."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from wagtail.admin.forms.models import register_form_field_override
from wagtail.admin.widgets import (
    AdminAutoHeightTextInput,
    AdminDateInput,
    AdminDateTimeInput,
    AdminTimeInput,
    SlugInput,
)

from home.values import link, number
from home.values.text import clean


class LineField(forms.CharField):
    """One line of text, without what nobody can see."""

    def to_python(self, value: Any) -> Any:
        return clean(super().to_python(value) or "") or self.empty_value


class LinesField(forms.CharField):
    """Text of many lines, without what nobody can see."""

    def to_python(self, value: Any) -> Any:
        return clean(super().to_python(value) or "", lines=True) or self.empty_value


class _Clean:
    """A field that doesn't fail for what nobody can see, and reads digits of every script."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            # Longer text is no number or date, cut or not.
            value = number.plain(clean(value))
        return super().to_python(value)  # type: ignore[misc]  # of the field


class SlugField(forms.SlugField):
    """A short name in addresses."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(clean(str(value or "")))


class IntegerField(_Clean, forms.IntegerField):
    """A whole number."""


class DateField(_Clean, forms.DateField):
    """A day."""


class DateTimeField(_Clean, forms.DateTimeField):
    """A moment."""


class TimeField(_Clean, forms.TimeField):
    """A time of day."""


class WebAddressField(forms.URLField):
    """The address of a web page; one without a scheme gets ``https://``, as in the form."""

    def to_python(self, value: Any) -> str:
        typed = clean(str(value or ""))
        address = link.read(typed)
        if typed and address is None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return address or ""


#: The form field and the widget for each kind of column, also of subclasses.
_FIELDS = {
    models.SlugField: {"form_class": SlugField, "widget": SlugInput},
    models.IntegerField: {"form_class": IntegerField},
    models.DateField: {"form_class": DateField, "widget": AdminDateInput},
    models.DateTimeField: {"form_class": DateTimeField, "widget": AdminDateTimeInput},
    models.TimeField: {"form_class": TimeField, "widget": AdminTimeInput},
    models.URLField: {"form_class": WebAddressField, "assume_scheme": "https"},
}


def use_in_admin() -> None:
    """Use these fields in every form of Wagtail's admin."""
    for column, override in _FIELDS.items():
        register_form_field_override(column, override=override)
    lines = {"form_class": LinesField, "widget": AdminAutoHeightTextInput}
    register_form_field_override(models.TextField, override=lines, exact_class=True)
    line = {"form_class": LineField}
    register_form_field_override(models.CharField, override=line, exact_class=True)
