"""HR gets one mail about the same content, however often it is sent.

A mail to HR is decided at the moment an application starts to count: when it is received, or when
a person releases it from quarantine. Applications with the same content form a group: the first
one, and those whose ``repeats`` names it.
"""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext as _

from careers.applications.models import Application
from careers.pipeline.registry import NOT_QUARANTINED

#: Which applications of a group count. A release that lets applicants withdraw, or that keeps the
#: rows of erased applications, adds these conditions here.
COUNTS = NOT_QUARANTINED


def lock(first: int) -> None:
    """Make other decisions about the same group wait for the end of this transaction.

    Args:
        first: the id of the first application of the group.
    """
    # Without the key, so that new rows of other tables may refer to the application meanwhile.
    Application.objects.select_for_update(no_key=True).filter(pk=first).first()


def hr_knows(first: int, *, besides: int = 0) -> bool:
    """Whether HR gets a mail about an application of this group that counts.

    Args:
        first: the id of the first application of the group; 0 for none.
        besides: the id of an application to leave out.
    """
    group = Application.objects.filter(Q(pk=first) | Q(repeats=first))
    return group.filter(COUNTS, mails_hr=True).exclude(pk=besides).exists()


def hr_was_mailed() -> str:
    """Why a mail to HR is cancelled, for its history."""
    return _("Not needed: HR gets the mail about the first application with the same content.")
