"""At most ``MAILS_PER_MAILBOX`` mails to one applicant's mailbox within a day.

Anybody can enter anybody's address, so without a limit the site would fill a stranger's mailbox.
The limit applies to every step with ``to_applicant``, and to nothing else: HR is notified of
every application as usual. A mail above the limit is cancelled with a reason. A person with the
permission can send it after all.

A mail counts from its first attempt on, whether or not that attempt succeeded. The count and the
claim are one transaction, and only one process at a time runs it for a mailbox. So mails that are
due at the same moment do not exceed the limit together.
"""

from __future__ import annotations

import datetime as dt
import hashlib

from django.conf import settings
from django.db import connection
from django.utils.translation import ngettext

from careers.applications.mailboxes import mailbox_of
from careers.applications.models import Application
from careers.pipeline import registry
from careers.pipeline.attention import MAILBOX_FULL, NOT_SENT
from careers.pipeline.models import Step, StepEvent
from careers.pipeline.states import CLAIMABLE, State
from careers.pipeline.successors import release_successors
from careers.pipeline.transitions import move

WINDOW = dt.timedelta(days=1)


def mails_above_limit(step: Step, now: dt.datetime) -> int:
    """How many mails the mailbox of a step's applicant got, if it may get no further one now.

    Call it in the transaction that claims the step.

    Returns:
        0 if the mail may be sent.
    """
    if step.repeat_until is not None or _was_asked_for(step):
        # An earlier attempt may have sent it, or a person decided to send it.
        return 0
    mailbox = _mailbox(step)
    if not mailbox:
        return 0
    _lock(mailbox)
    sent: int = (
        Step.objects.filter(
            application__mailbox=mailbox,
            kind__in=registry.kinds_to_applicants(),
            started_at__gt=now - WINDOW,
        )
        .exclude(NOT_SENT.query)
        .exclude(pk=step.pk)
        .count()
    )
    return sent if sent >= settings.MAILS_PER_MAILBOX else 0


def refuse(step: Step, sent: int, *, actor: str) -> None:
    """Cancel a mail above the limit; call it in the transaction that counted.

    Args:
        sent: how many mails the mailbox got within the window.
    """
    words = ngettext(
        "Not sent: this mailbox already got %(count)d mail within 24 hours. The application is "
        "complete, and HR is notified as usual.",
        "Not sent: this mailbox already got %(count)d mails within 24 hours. The application is "
        "complete, and HR is notified as usual.",
        sent,
    ) % {"count": sent}
    refused = move(
        step.pk,
        State.CANCELLED,
        leaving=CLAIMABLE,
        fence=step.token,
        actor=actor,
        reason=words,
        error_class="",
        error_code=MAILBOX_FULL,
        error_public=words,
    )
    if refused:
        # The sweeper dispatches them.
        release_successors(step, actor=actor)


def _was_asked_for(step: Step) -> bool:
    """Whether a person created this mail, in place of an earlier one."""
    return (
        step.sequence > 0
        and StepEvent.objects.filter(step=step, from_state="", actor__startswith="user:").exists()
    )


def _mailbox(step: Step) -> str:
    """The mailbox of the step's applicant; "" if the application was deleted meanwhile.

    Applications of an earlier release get theirs when the first mail to it is due.
    """
    application = step.application
    if application is None:
        return ""
    if not application.mailbox:
        application.mailbox = mailbox_of(application.email)
        Application.objects.filter(pk=application.pk).update(mailbox=application.mailbox)
    return application.mailbox


def _lock(mailbox: str) -> None:
    """Wait for the other transactions that count the mails to this mailbox."""
    if connection.vendor != "postgresql":
        return  # SQLite has one writer at a time, from the beginning of its transaction.
    key = hashlib.sha256(mailbox.encode()).digest()[:8]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(key, "big", signed=True)]
        )
