"""Form fields of the admin that clean text, as the application form does."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import models
from wagtail.admin.forms.models import register_form_field_override
from wagtail.admin.widgets import AdminAutoHeightTextInput

from home.values.text import clean


class LineField(forms.CharField):
    """One line of text, without what nobody can see."""

    def to_python(self, value: Any) -> Any:
        return clean(super().to_python(value) or "") or self.empty_value


class LinesField(forms.CharField):
    """Text of many lines, without what nobody can see."""

    def to_python(self, value: Any) -> Any:
        return clean(super().to_python(value) or "", lines=True) or self.empty_value


def use_in_admin() -> None:
    """Use these fields in every form of Wagtail's admin.

    Fields of subclasses, such as slugs, have forms of their own.
    """
    lines = {"form_class": LinesField, "widget": AdminAutoHeightTextInput}
    register_form_field_override(models.TextField, override=lines, exact_class=True)
    line = {"form_class": LineField}
    register_form_field_override(models.CharField, override=line, exact_class=True)
