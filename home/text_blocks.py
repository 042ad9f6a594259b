"""Blocks of the page editor for text, which is cleaned as in the application form.

A required text needs something that can be seen.
"""

from __future__ import annotations

from html import unescape
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.utils.html import strip_tags
from wagtail import blocks
from wagtail.images.blocks import ImageBlock

from home.text_fields import WebAddressField
from home.values.text import clean, title, visible


class LineBlock(blocks.CharBlock):
    """One line of text, without what nobody can see."""

    def clean(self, value: Any) -> Any:
        return super().clean(title(value or ""))


class LinesBlock(blocks.TextBlock):
    """Text of many lines, without what nobody can see."""

    def clean(self, value: Any) -> Any:
        return super().clean(clean(value or "", lines=True))


class WebAddressBlock(blocks.URLBlock):
    """The address of a web page; one without a scheme gets ``https://``."""

    def __init__(self, required: bool = True, help_text: Any = None, **kwargs: Any) -> None:
        super().__init__(required=required, help_text=help_text, **kwargs)
        self.field = WebAddressField(required=required, help_text=help_text, assume_scheme="https")


class FormattedBlock(blocks.RichTextBlock):
    """Formatted text, with something that can be seen if it is required."""

    #: Elements that show something without text.
    PICTURES: ClassVar = ("<embed", "<img", "<hr")

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        source = cleaned.source
        shows_something = visible(unescape(strip_tags(source)))
        shows_something = shows_something or any(tag in source for tag in self.PICTURES)
        # A draft may have gaps.
        if self.required and not (shows_something or self.is_deferred_validation):
            raise ValidationError(self.field.error_messages["required"], code="required")
        return cleaned


class DescribedImageBlock(ImageBlock):
    """A picture whose description shows something, if it has one."""

    def clean(self, value: Any) -> Any:
        if value is not None and value.contextual_alt_text:
            value.contextual_alt_text = clean(value.contextual_alt_text)
        return super().clean(value)


#: Migrations name Wagtail's blocks: what is stored is the same.
DECONSTRUCT_ALIASES = {
    LineBlock: "wagtail.blocks.CharBlock",
    LinesBlock: "wagtail.blocks.TextBlock",
    FormattedBlock: "wagtail.blocks.RichTextBlock",
    WebAddressBlock: "wagtail.blocks.URLBlock",
}
