"""Wagtail's widgets without scripts in the page, so that the admin's policy can forbid them.

Wagtail writes an inline script behind each date, chooser and inline panel. Here it writes data, and
``static/js/backoffice/start.js`` calls what the data names. The templates of dates and panels are
in ``templates/wagtailadmin/``; choosers write their script in Python.
"""

from __future__ import annotations

import json
from typing import Any

from django.forms.renderers import BaseRenderer
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from wagtail.admin.widgets.chooser import BaseChooser


def starter() -> SafeString:
    """The tag of the script that starts the widgets; for ``insert_global_admin_js``."""
    return format_html('<script src="{}"></script>', static("js/backoffice/start.js"))


def render_chooser(
    self: BaseChooser,
    name: str,
    value: Any,
    attrs: dict[str, Any] | None = None,
    renderer: BaseRenderer | None = None,
) -> SafeString:
    """``BaseChooser.render`` with data in place of its script.

    Raises:
        TypeError: ``attrs`` has no ``id``, as in Wagtail.
    """
    if not attrs or "id" not in attrs:
        raise TypeError("BaseChooser cannot be rendered without an 'id' attribute")
    shown = self.get_value_data(value)
    options = self.get_js_init_options(attrs["id"], name, shown)
    data = json.dumps([attrs["id"], options])
    for letter in "&<>":
        data = data.replace(letter, f"\\u{ord(letter):04X}")
    return format_html(
        '{}<script type="application/json" data-start="{}">{}</script>',
        self.render_html(name, shown, attrs),
        self.js_constructor,
        mark_safe(data),  # noqa: S308 -- no letter is left that HTML reads
    )


BaseChooser.render = render_chooser
