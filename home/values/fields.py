"""Form fields that clean what a person typed in the admin, as the application form does."""

from __future__ import annotations

from typing import Any

from django import forms

from home.values import email, text


class LineField(forms.CharField):
    """One line of text, without what nobody can see."""

    def to_python(self, value: Any) -> Any:
        return text.clean(super().to_python(value) or "") or self.empty_value


class LinesField(forms.CharField):
    """Text of many lines, without what nobody can see."""

    def to_python(self, value: Any) -> Any:
        return text.clean(super().to_python(value) or "", lines=True) or self.empty_value


class EmailField(forms.EmailField):
    """An e-mail address, also one that was pasted with a name around it."""

    default_validators = (email.check,)  # type: ignore[assignment]

    def to_python(self, value: Any) -> Any:
        return email.clean(super().to_python(value) or "") or self.empty_value
