"""Filters that every template has, such as ``{{ application.shown_name|isolated }}``."""

from collections.abc import Iterable

from django import template

from home.bidi import isolated, listed

register = template.Library()


@register.filter(name="isolated", is_safe=False)
def isolated_filter(value: object) -> str | list[str]:
    """See ``home.bidi.isolated``; None is shown as nothing, and a list stays a list."""
    if isinstance(value, list | tuple):
        return [isolated(str(text)) for text in value]
    return "" if value is None else isolated(value if isinstance(value, str) else str(value))


@register.filter(name="listed", is_safe=False)
def listed_filter(names: Iterable[object]) -> str:
    """See ``home.bidi.listed``."""
    return listed(map(str, names))


@register.filter(is_safe=False)
def isolated_lines(text: str) -> str:
    """Text of many lines, each isolated: a paragraph of a page ends what is open in it."""
    return "\n".join(map(isolated, text.splitlines()))
