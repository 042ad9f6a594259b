"""Whether a page of the admin lets a user in."""

from __future__ import annotations

from typing import Any

from django.urls import reverse


def outcome(response: Any) -> str:
    """“done”, “login”, “home” (refused), or a status code other than 302."""
    if response.streaming:
        response.getvalue()  # closes its file
    if response.status_code != 302:
        return str(response.status_code)
    where = response.headers["Location"]
    if where.startswith(reverse("wagtailadmin_login")):
        return "login"
    return "home" if where == reverse("wagtailadmin_home") else "done"
