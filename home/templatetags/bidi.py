"""The filter ``isolated``, which every template has: ``{{ application.name|isolated }}``."""

from django import template

from home.bidi import isolated

register = template.Library()


@register.filter(name="isolated", is_safe=False)
def isolated_filter(text: object) -> str:
    """See ``home.bidi.isolated``; None is shown as nothing."""
    return "" if text is None else isolated(str(text))
