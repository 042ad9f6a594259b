"""Fields of the admin's forms, for models and blocks, that read values as people write them."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst, slugify
from django.utils.translation import gettext as _
from django.utils.translation import override
from wagtail import blocks

from home.values import country, number
from home.values.text import clean

# ── Numbers ────────────────────────────────────────────────────────────────────────────


class AmountField(forms.DecimalField):
    """A number that may be written as in any language, such as ``45 000,50``."""

    widget = forms.TextInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widget.attrs.setdefault("inputmode", "decimal")
        self.widget.attrs.setdefault("autocomplete", "off")

    def to_python(self, value: Any) -> Any:
        if isinstance(value, Decimal):
            return value
        text = clean(str(value or ""))
        if not text:
            return None
        written = number.read(text)
        if written is None or written.marks:
            raise ValidationError(_("Enter a number, such as 40."), code="invalid")
        if len(written.numbers) > 1:
            large, small = map(number.exact, written.numbers)
            raise ValidationError(
                _("This can be %(large)s or %(small)s. Write it without separators."),
                code="ambiguous",
                params={"large": large, "small": small},
            )
        # Zeros at the end are no decimal places.
        return Decimal(number.exact(written.numbers[0]))

    def prepare_value(self, value: Any) -> Any:
        """A stored number so that it is read as the same number again."""
        if not isinstance(value, Decimal):
            return value
        # With three decimals it could be taken for thousands.
        return number.exact(value) + ("0" if number.places(value) == 3 else "")


class AmountBlock(blocks.DecimalBlock):
    """A block of the page editor for such a number."""

    def __init__(
        self,
        required: bool = True,
        help_text: Any = None,
        max_digits: int | None = None,
        decimal_places: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(required=required, help_text=help_text, **kwargs)
        self.field = AmountField(
            required=required,
            help_text=help_text,
            max_digits=max_digits,
            decimal_places=decimal_places,
        )


class AmountModelField(models.DecimalField):
    """A column for such a number."""

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": AmountField, **kwargs})

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.DecimalField", args, kwargs


# ── Long lists ─────────────────────────────────────────────────────────────────────────


class ListInput(forms.TextInput):
    """A line of text for which the browser suggests the entries of a list while a person types.

    HTML's ``datalist`` needs no script, and works with keyboards and screen readers.
    """

    #: The texts to suggest; ``ListedField`` sets it.
    suggestions: Callable[[], list[str]]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        identifier = f"{(attrs or {}).get('id') or name}-list"
        line = super().render(name, value, {**(attrs or {}), "list": identifier}, renderer)
        options = format_html_join(
            "", '<option value="{}">', ((text,) for text in self.suggestions())
        )
        return format_html('{}<datalist id="{}">{}</datalist>', line, identifier, options)


class ListedField(forms.CharField):
    """One entry of a long list, found by its name or its code; the value is the code.

    A text that means an entry without being its name or code, such as "UK" or a spelling mistake,
    is not taken as it is: the form comes back with that entry in its place.

    Args:
        names: the names of the entries by code, in the active language.
        alias: the code that another text means; "" for none.
    """

    widget = ListInput

    def __init__(
        self,
        *,
        names: Callable[[], dict[str, str]],
        alias: Callable[[str], str] = lambda _text: "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"max_length": 120, **kwargs})
        self.names, self.alias = names, alias
        self.widget.suggestions = self._labels
        self.widget.attrs.setdefault("autocomplete", "off")

    def _labels(self) -> list[str]:
        labels = (_label(code, name) for code, name in self.names().items())
        return sorted(labels, key=lambda label: (slugify(label) or label, label))

    def clean(self, value: Any) -> str:
        text = number.plain(super().clean(value))
        if not text:
            return ""
        if code := self._code(text):
            return code
        if code := self._suggestion(text):
            raise ValidationError(
                _("“%(typed)s” is not in the list. Did you mean “%(entry)s”? Save again if so."),
                code="suggestion",
                params={"typed": text, "entry": _label(code, self.names()[code])},
            )
        raise ValidationError(
            _("“%(typed)s” is not in the list. Type a few letters and choose an entry."),
            code="invalid",
            params={"typed": text},
        )

    def prepare_value(self, value: Any) -> Any:
        """The label of a stored code, and of what a text probably means."""
        text = number.plain(str(value or ""))
        found = self._code(text) or self._suggestion(text)
        return _label(found, self.names()[found]) if found else value

    def _code(self, text: str) -> str:
        """The code of an entry by its code, name or label, in the active language or English."""
        names = self.names()
        if text.upper() in names:
            return text.upper()
        wanted = _folded(text)
        for known in (names, self._english()):
            for code, name in known.items():
                if wanted in (_folded(name), _folded(_label(code, name))):
                    return code
        return ""

    def _suggestion(self, text: str) -> str:
        if code := self.alias(text):
            return code
        folded = {_folded(name): code for code, name in self.names().items()}
        close = difflib.get_close_matches(_folded(text[:120]), folded, 1, 0.8)
        return folded[close[0]] if close else ""

    def _english(self) -> dict[str, str]:
        with override("en"):
            return self.names()


def _label(code: str, name: str) -> str:
    return f"{name} ({code})"


def _folded(text: str) -> str:
    """A text without case and accents, to compare it."""
    return slugify(text) or text.strip().casefold()


class ListedBlock(blocks.FieldBlock):
    """A block of the page editor for an entry of a long list."""

    def __init__(
        self,
        names: Callable[[], dict[str, str]],
        required: bool = True,
        help_text: Any = None,
        **kwargs: Any,
    ) -> None:
        self.field = ListedField(names=names, required=required, help_text=help_text)
        super().__init__(**kwargs)

    class Meta:
        icon = "list-ul"
        default = ""


class ListedModelField(models.CharField):
    """A column for the code of an entry of a long list."""

    def __init__(
        self,
        *args: Any,
        names: Callable[[], dict[str, str]] = dict,
        alias: Callable[[str], str] = lambda _text: "",
        **kwargs: Any,
    ) -> None:
        self.names, self.alias = names, alias
        super().__init__(*args, **kwargs)

    def formfield(self, **kwargs: Any) -> Any:
        return ListedField(
            names=self.names,
            alias=self.alias,
            label=capfirst(self.verbose_name),
            required=not self.blank,
            help_text=self.help_text,
            initial=self.get_default() if self.has_default() else None,
        )

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs


class CountryField(ListedModelField):
    """A column for a country: two letters of ISO 3166-1."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(
            *args, **{"names": country.names, "alias": country.meant, "max_length": 2, **kwargs}
        )
