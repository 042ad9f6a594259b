"""Formatted text of editors: it is shown whole, or without the links that can't be made."""

from __future__ import annotations

import logging
import re
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.utils.safestring import SafeString, mark_safe
from wagtail.admin.rich_text import DraftailRichTextArea
from wagtail.rich_text import RichText, expand_db_html

log = logging.getLogger(__name__)

#: The elements that refer to something else: pages, documents, pictures, embedded media.
_REFERRING = re.compile(r"</?(?:a|embed)\b[^>]*>", re.IGNORECASE)


def to_html(text: RichText | str | None) -> SafeString:
    """The HTML of a formatted text, as it is stored.

    Wagtail leaves out a link to something that was deleted. A reference that Wagtail can't read,
    for instance from an import, takes all references of this text with it, but not the page.
    """
    source = text.source if isinstance(text, RichText) else text or ""
    try:
        html = expand_db_html(source)
    except Exception as error:  # each kind of reference has a handler, which fails in its own way
        html = _without_references(source, error)
    return mark_safe(html)  # noqa: S308 -- Wagtail's editor has cleaned it


class Editor(DraftailRichTextArea):  # type: ignore[misc]  # Wagtail has no types
    """Wagtail's editor, which opens such a text as well."""

    def format_value(self, value: Any) -> Any:
        """The text as the editor's script reads it."""
        try:
            return super().format_value(value)
        except Exception as error:  # as in ``to_html``
            source = value.source if isinstance(value, RichText) else value
            return super().format_value(_without_references(source, error))

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """The text that the editor's script sent.

        Raises:
            SuspiciousOperation: the script did not send it.
        """
        try:
            return super().value_from_datadict(data, files, name)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise SuspiciousOperation("a formatted text is no content of the editor") from error


def _without_references(source: str, error: Exception) -> str:
    log.warning("a text is shown without its links: %s", type(error).__name__)
    return _REFERRING.sub("", source)
