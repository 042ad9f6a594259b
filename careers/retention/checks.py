"""Django's system check of the data map; it runs when every app is ready."""

from __future__ import annotations

from typing import Any

from django.core import checks
from django.core.checks import CheckMessage

from careers.retention import data_map


def check_data_map(**_: Any) -> list[CheckMessage]:
    """Find fields of which nobody said whether they hold personal data.

    It is a warning: an app that was just added must not keep the site from starting.
    """
    names = list(data_map.undeclared())
    if not names:
        return []
    return [
        checks.Warning(
            f"The data map does not match these fields: {', '.join(names)}. Exports and erasure "
            "do not know them.",
            hint="Declare them with careers.retention.data_map.declare (docs/extending.md).",
            id="careers.W001",
        )
    ]
