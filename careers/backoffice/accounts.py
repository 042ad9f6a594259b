"""Only a superuser may make a superuser, or change the account of one.

Wagtail lets everybody who may edit users do so. The role of administrators may edit users.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

#: Wagtail's field of the form that makes an account a superuser's.
FIELD = "is_superuser"


def guard_new(request: HttpRequest) -> HttpResponse | None:
    """For Wagtail's hook ``before_create_user``."""
    return _refuse(request) if FIELD in request.POST else None


def guard_edit(request: HttpRequest, user: Any) -> HttpResponse | None:
    """For Wagtail's hook ``before_edit_user``."""
    return _refuse(request) if user.is_superuser or FIELD in request.POST else None


def guard_bulk(
    request: HttpRequest, action_type: str, objects: list[Any], action: Any
) -> HttpResponse | None:
    """For Wagtail's hook ``before_bulk_action``."""
    users = [item for item in objects if isinstance(item, get_user_model())]
    return _refuse(request) if any(user.is_superuser for user in users) else None


def _refuse(request: HttpRequest) -> HttpResponse | None:
    if request.user.is_superuser:
        return None
    messages.error(
        request, _("Only a superuser may make a superuser, or change the account of one.")
    )
    return redirect("wagtailusers_users:index")
