"""The log of sign-ins, which is part of Wagtail's site history.

Administrators see it under Reports. An entry says who, how and from which network, and is deleted
after ``KEPT``. Passwords, codes and the names of accounts that do not exist are never kept.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from allauth.core.internal import ratelimit
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.log_actions import log as wagtail_log
from wagtail.models import ModelLogEntry

logger = logging.getLogger(__name__)

PREFIX = "signin."
KEPT = dt.timedelta(days=90)

#: What the log says about each action.
ACTIONS = {
    "signin.in": (_("Sign in"), _("Signed in")),
    "signin.failed": (_("Fail to sign in"), _("Did not sign in: wrong password or code")),
    "signin.limited": (_("Reach the limit of attempts"), _("Too many wrong passwords or codes")),
    "signin.out": (_("Sign out"), _("Signed out")),
    "signin.factor_added": (_("Add a second factor"), _("Second factor added")),
    "signin.factor_removed": (_("Remove a second factor"), _("Second factor removed")),
    "signin.codes_renewed": (_("Renew recovery codes"), _("Recovery codes renewed")),
    "signin.factors_reset": (_("Reset second factors"), _("Second factors reset by somebody else")),
    "signin.sessions_ended": (_("End sessions"), _("Sessions ended")),
    "signin.password_changed": (_("Change the password"), _("Password changed")),
    "signin.password_reset": (_("Reset the password"), _("Password reset by mail")),
    "signin.groups": (_("Set groups by single sign-on"), _("Groups set by single sign-on")),
}


def write(action: str, subject: Any, request: HttpRequest | None, **data: Any) -> None:
    """Add an entry.

    Args:
        action: one of ``ACTIONS``.
        subject: whose account it is about.
        request: the request of the person who acts; its network is kept.
        data: further facts, without secrets.
    """
    actor = getattr(request, "user", None)
    if request is not None:
        data["network"] = ratelimit.get_ip(request)
    wagtail_log(
        instance=subject,
        action=action,
        user=actor if actor is not None and actor.is_authenticated else subject,
        title=subject.get_username(),
        data=data,
    )
    logger.info("%s, user %s", action, subject.pk)


def entries() -> Any:
    """All entries of the log."""
    return ModelLogEntry.objects.filter(action__startswith=PREFIX)


def of(user: Any) -> Any:
    """The entries about one account, newest first."""
    kind = ContentType.objects.get_for_model(get_user_model(), for_concrete_model=False)
    return entries().filter(content_type=kind, object_id=str(user.pk)).order_by("-timestamp")


def has_signed_in_from(user: Any, network: str) -> bool:
    """Whether the person has signed in from this network while the log goes back.

    It takes the same queries for an account that does not exist.
    """
    kind = ContentType.objects.get_for_model(get_user_model(), for_concrete_model=False)
    found = entries().filter(content_type=kind, action="signin.in", data__network=network)
    return bool(found.filter(object_id=str(user.pk) if user else "").exists())


def delete_old() -> int:
    """Delete entries older than ``KEPT``; returns how many."""
    count, _by_model = entries().filter(timestamp__lt=timezone.now() - KEPT).delete()
    return int(count)
