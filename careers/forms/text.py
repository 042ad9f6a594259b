"""Form fields and validators for text, which several types of question share."""

from __future__ import annotations

import unicodedata
from typing import Any

from django import forms
from django.core.validators import (
    MaxLengthValidator,
    ProhibitNullCharactersValidator,
    RegexValidator,
)
from django.utils.translation import gettext as _

#: One line of text holds none of these: in a mail header they would start another header.
CONTROL_CHARACTERS = r"[\x00-\x1f\x7f\x85\u2028\u2029]"


class TextField(forms.CharField):
    """Text in composed form (Unicode NFC), composed before its length is checked."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # The validators of each type refuse NUL with a message of their own.
        self.validators = [
            validator
            for validator in self.validators
            if not isinstance(validator, ProhibitNullCharactersValidator)
        ]

    def to_python(self, value: Any) -> str:
        return unicodedata.normalize("NFC", super().to_python(value) or "")


def at_most(limit: int) -> MaxLengthValidator:
    """Accepts up to ``limit`` characters."""
    message = _("Shorten this to %(limit_value)s characters. It has %(show_value)s.")
    return MaxLengthValidator(limit, message)


def one_line(message: str = "") -> RegexValidator:
    """Accepts text without line breaks and control characters."""
    message = message or _("Remove line breaks and control characters.")
    return RegexValidator(CONTROL_CHARACTERS, message, inverse_match=True)
