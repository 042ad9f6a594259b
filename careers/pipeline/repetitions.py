"""HR gets one mail about the same content, however often it is sent.

A mail to HR is decided at the moment an application starts to count: when it is received, or when
a person releases it from quarantine. Applications with the same content form a group: the first
one, and those whose ``repeats`` names it.
"""

from __future__ import annotations

from django.db import connection
from django.utils.translation import gettext as _

from careers.applications.models import Application

#: Which applications of a group count is its last condition. A release that lets applicants
#: withdraw, or that keeps the rows of erased applications, adds these conditions. Each application
#: runs the statement, and Django takes several times as long to compose it as to run it.
_HR_KNOWS = (
    "SELECT EXISTS (SELECT 1 FROM careers_application WHERE (id = %s OR repeats_id = %s) "
    "AND id <> %s AND mails_hr AND NOT quarantined)"
)


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
    with connection.cursor() as cursor:
        cursor.execute(_HR_KNOWS, [first, first, besides])
        return bool(cursor.fetchone()[0])


def hr_was_mailed() -> str:
    """Why a mail to HR is cancelled, for its history."""
    return _("Not needed: HR gets the mail about the first application with the same content.")
