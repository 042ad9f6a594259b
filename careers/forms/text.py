"""Form fields and validators for text, which several types of question share.

The length comes first: cleaning, validators and patterns see only text that is short enough.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from home.values.text import clean

#: The length of an answer whose type names none, in characters.
LONGEST = 300
#: How many times longer than its limit a text may arrive: composing shortens a letter of Korean or
#: Vietnamese to a third, and spaces and invisible characters are removed.
SLACK = 4


def too_long_message() -> str:
    """The error for a text over its limit, with placeholders for the limit and the length."""
    return _("Shorten this to %(limit_value)s characters. It has %(show_value)s.")


def check_length(
    value: Any, limit: int, message: Callable[[], str] = too_long_message, *, slack: int = 1
) -> None:
    """Refuse what was sent for one field before any code looks at its content.

    Args:
        value: what the field's widget returns: text, a list of texts, or anything else, which has
            no length here.
        limit: the most characters, all texts together. A character has at most four bytes.
        message: returns the error.
        slack: how many times longer than ``limit`` it may be; the error names ``limit``.

    Raises:
        ValidationError: it is longer.
    """
    length = _length(value)
    if length > slack * limit:
        params = {"limit_value": limit, "show_value": length}
        raise ValidationError(message(), code="max_length", params=params)


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, (list, tuple)):
        return sum(map(_length, value))
    return 0


class TextField(forms.CharField):
    """Text as ``home.values`` cleans it; empty if nobody can see any of it.

    Args:
        limit: the most characters, counted after cleaning.
        clean: the function of ``home.values`` for this kind of text.
        too_long: returns the error for a longer text.
    """

    def __init__(
        self,
        *,
        limit: int = LONGEST,
        too_long: Callable[[], str] = too_long_message,
        clean: Callable[[str], str] = clean,
        **kwargs: Any,
    ) -> None:
        super().__init__(strip=False, **kwargs)
        self.limit = limit
        self.too_long = too_long
        self.clean_text = clean

    def to_python(self, value: Any) -> str:
        check_length(value, self.limit, self.too_long, slack=SLACK)
        return self.clean_text(super().to_python(value) or "")

    def run_validators(self, value: Any) -> None:
        # Django runs every validator, also after one has failed.
        check_length(value, self.limit, self.too_long)
        super().run_validators(value)
