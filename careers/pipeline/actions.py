"""What a person may do: one table of acts, each with its permission, its rule and its words.

    actions.retry(step, user, "The mailbox works again.")
    actions.retry.offered(step, user)

Each act writes an event with the person and the reason. The callers have already checked that the
person may see the step.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from careers.applications.models import Application
from careers.pipeline import registry, repetitions
from careers.pipeline.acts import CANCEL, RETRY, Act, Doing, Words
from careers.pipeline.again import (
    Moved,
    archive_again,
    create_next,
    dispatch_after_commit,
    do_after_all,
    make_pdf_again,
    replace,
    send_receipt_again,
)
from careers.pipeline.attention import (
    MAY_HAVE_BEEN_SENT,
    NOT_SENT,
    OPEN_BOUNCE,
    REPLACED,
)
from careers.pipeline.enqueue import create_step
from careers.pipeline.kinds import MAIL_HR
from careers.pipeline.models import Step
from careers.pipeline.rules import one_of
from careers.pipeline.set_aside import mark_handled, snooze
from careers.pipeline.states import UNDER_WAY, State
from careers.pipeline.successors import release, release_successors
from careers.pipeline.transitions import db_now, move
from home.values import mail_address


class AlreadyMailed(Exception):
    """The address already has a mail about the application."""


def _retry(step: Step, doing: Doing) -> bool:
    fresh: dict[str, Any] = {"attempts": 0, "failing_since": None}
    moved = doing.move(step, State.QUEUED, run_after=None, **fresh) or doing.move(
        step, State.RETRYING, run_after=db_now(), **fresh
    )
    if moved:
        dispatch_after_commit([step.pk], doing)
    return moved


def _confirm_arrival(step: Step, doing: Doing) -> bool:
    return doing.move(step, State.SUCCEEDED, error_class="", error_code="", error_public="")


def _send_again(step: Step, doing: Doing) -> Step | None:
    try:
        with transaction.atomic():
            again = create_next(step, doing, state=State.QUEUED)
            replace(step, again, doing)
    except (Moved, IntegrityError):
        return None
    dispatch_after_commit([again.pk], doing)
    return again


def _send_to(step: Step, doing: Doing, *, address: str) -> Step | None:
    """Send a mail to another address, and cancel the mail to the wrong one.

    Args:
        address: a valid address.

    Returns:
        The new step, or None when the rule no longer holds.

    Raises:
        AlreadyMailed: that address already has a mail about this application.
    """
    address = mail_address.key(address)
    why = _("The address was wrong: sent to %(address)s.") % {"address": address}
    doing = dataclasses.replace(doing, reason=doing.reason or why)
    known = Step.objects.filter(
        application=step.application,
        kind=MAIL_HR,
        recipient__in=mail_address.spellings(address),
    )
    if known.exclude(state=State.CANCELLED).exists():
        raise AlreadyMailed(address)
    try:
        with transaction.atomic():
            new = create_step(
                step.about,
                MAIL_HR,
                address,
                state=State.WAITING,
                at=db_now(),
                sequence=known.count(),
                actor=doing.actor,
                reason=doing.reason,
            )
            replace(step, new, doing)
            ready = release(registry.REGISTERED[MAIL_HR], actor=doing.actor, pk=new.pk)
    except Moved:
        return None
    except IntegrityError:
        raise AlreadyMailed(address) from None
    dispatch_after_commit(ready, doing)
    new.refresh_from_db()
    return new


def _cancel(step: Step, doing: Doing) -> bool:
    """Take a running step away from its worker, which then records nothing and sends no mail."""
    with transaction.atomic():
        moved = doing.move(step, State.CANCELLED)
        cancelled = [step, *_cancel_what_needs_it(step, doing)] if moved else []
        ready = [pk for one in cancelled for pk in release_successors(one, actor=doing.actor)]
    dispatch_after_commit(ready, doing)
    return moved


def _cancel_what_needs_it(step: Step, doing: Doing) -> list[Step]:
    """Cancel the waiting steps that need the success of a cancelled step, because they never start.

    The same holds for the steps that need the success of those.
    """
    cancelled = []
    for definition in registry.successors_of(step.kind, needing_success=True):
        for waiting in Step.objects.filter(
            application=step.application, kind=definition.kind, state=State.WAITING
        ):
            if move(
                waiting.pk,
                State.CANCELLED,
                leaving=[State.WAITING],
                actor=doing.actor,
                reason=_("Cancelled with the step before it."),
            ):
                cancelled += [waiting, *_cancel_what_needs_it(waiting, doing)]
    return cancelled


def _release(application: Application, doing: Doing) -> bool:
    first = application.first_id
    with transaction.atomic():
        repetitions.lock(first)
        quarantined = Application.objects.filter(doing.rule.query, pk=application.pk)
        mails_hr = not repetitions.hr_knows(first, besides=application.pk)
        freed = quarantined.update(quarantined=False, mails_hr=mails_hr)
        if freed and not mails_hr:
            _cancel_mails_to_hr(application, doing)
        ready = [
            pk
            for definition in registry.definitions()
            if freed and definition.gate is not None
            for pk in release(
                definition, actor=doing.actor, reason=doing.reason, application=application
            )
        ]
    dispatch_after_commit(ready, doing)
    return bool(freed)


def _cancel_mails_to_hr(application: Application, doing: Doing) -> None:
    for step in Step.objects.filter(application=application, kind=MAIL_HR, state=State.WAITING):
        move(
            step.pk,
            State.CANCELLED,
            leaving=[State.WAITING],
            actor=doing.actor,
            reason=repetitions.hr_was_mailed(),
        )


_REFUSED = gettext_lazy("Nothing was done: “%(step)s” is now “%(state)s”.")

#: A step that failed runs again, and one that waits for its next attempt runs at once. Its
#: attempts are counted from zero.
retry = Act(
    "retry",
    RETRY,
    one_of("state", State.FAILED, State.RETRYING),
    _retry,
    Words(
        label=gettext_lazy("Retry now"),
        question=gettext_lazy("Retry “%(step)s”?"),
        consequence=gettext_lazy(
            "The step runs again at once. It does not repeat what it has already done."
        ),
        button=gettext_lazy("Retry"),
        done=gettext_lazy("“%(step)s” is retried now."),
        refused=_REFUSED,
        reason=gettext_lazy("Asked to try again."),
    ),
    asks=False,
)
#: The person found out that an unconfirmed mail did arrive.
confirm_arrival = Act(
    "confirm",
    RETRY,
    one_of("state", State.UNCERTAIN),
    _confirm_arrival,
    Words(
        label=gettext_lazy("It arrived"),
        question=gettext_lazy("Did “%(step)s” arrive?"),
        consequence=gettext_lazy(
            "Ask the recipient or check the mail server’s log before you confirm. The step is then "
            "marked as done, and no mail is sent."
        ),
        button=gettext_lazy("Yes, it arrived"),
        done=gettext_lazy("“%(step)s” is marked as done."),
        refused=_REFUSED,
        reason=gettext_lazy("Confirmed: it arrived."),
    ),
)
#: A mail with a Message-ID of its own replaces one that is unconfirmed or bounced. Returns the
#: new step.
send_again = Act(
    "send-again",
    RETRY,
    one_of("state", State.UNCERTAIN) | OPEN_BOUNCE,
    _send_again,
    Words(
        label=gettext_lazy("Send again"),
        question=gettext_lazy("Send “%(step)s” again?"),
        consequence=gettext_lazy(
            "One mail is sent now. If the first one did arrive, the recipient gets it twice."
        ),
        button=gettext_lazy("Yes, send one mail"),
        done=gettext_lazy("“%(step)s” is sent again."),
        refused=_REFUSED,
        reason=gettext_lazy("Sent again: it did not arrive."),
    ),
    sends=True,
)
#: A mail above the limit of mails to one mailbox is sent in spite of it. Returns the new step.
send_after_all = Act(
    "send-after-all",
    RETRY,
    NOT_SENT & ~REPLACED,
    _send_again,
    Words(
        label=gettext_lazy("Send it after all"),
        question=gettext_lazy("Send “%(step)s” after all?"),
        consequence=gettext_lazy(
            "One mail is sent now, although this mailbox has reached its limit of mails within "
            "24 hours."
        ),
        button=gettext_lazy("Yes, send it"),
        done=gettext_lazy("“%(step)s” is sent after all."),
        refused=_REFUSED,
        reason=gettext_lazy("Sent in spite of the limit for one mailbox."),
    ),
    sends=True,
)
#: A mail to HR goes to another address, because the first one is wrong. Returns the new step.
send_to = Act(
    "change-address",
    RETRY,
    one_of("kind", MAIL_HR)
    & (
        one_of("state", State.FAILED, State.UNCERTAIN, State.RETRYING, State.CANCELLED)
        | OPEN_BOUNCE
    )
    & ~MAY_HAVE_BEEN_SENT
    & ~REPLACED,
    _send_to,
    Words(
        label=gettext_lazy("Send to another address"),
        question=gettext_lazy("Send “%(step)s” to another address?"),
        consequence=gettext_lazy(
            "The mail to the wrong address is cancelled, and the same mail goes to the right one."
        ),
        button=gettext_lazy("Send"),
        done=gettext_lazy("The mail is sent to %(address)s."),
        refused=gettext_lazy("“%(step)s” is now “%(state)s”: its address can’t be changed."),
    ),
)
#: A step ends. It is done only if a person chooses ``do_after_all``. A mail that may have been sent
#: can't be cancelled before it is unconfirmed.
cancel = Act(
    "cancel",
    CANCEL,
    one_of("state", State.FAILED, State.UNCERTAIN, *UNDER_WAY) & ~MAY_HAVE_BEEN_SENT,
    _cancel,
    Words(
        label=gettext_lazy("Cancel"),
        question=gettext_lazy("Cancel “%(step)s”?"),
        consequence=gettext_lazy(
            "The step is not done, unless a person chooses “Do it after all” later. The "
            "application stays as it is."
        ),
        button=gettext_lazy("Yes, cancel this step"),
        done=gettext_lazy("“%(step)s” is cancelled."),
        refused=_REFUSED,
        reason=gettext_lazy("Cancelled."),
    ),
    serious=True,
)
#: An application that was quarantined as spam is not spam: its mails are sent.
release_from_quarantine = Act(
    "release",
    RETRY,
    one_of("quarantined", True),
    _release,
    Words(
        label=gettext_lazy("Not spam: release it"),
        question=gettext_lazy("Release %(reference)s? It is not spam."),
        consequence=gettext_lazy("The application is treated like any other."),
        button=gettext_lazy("Yes, release it"),
        done=gettext_lazy("%(reference)s is released."),
        refused=gettext_lazy("%(reference)s is not quarantined any more."),
        reason=gettext_lazy("Released: not spam."),
    ),
    sends=True,
)

#: What a person may do to a step, in the order of the buttons.
STEP_ACTS = (
    retry,
    confirm_arrival,
    send_again,
    send_after_all,
    do_after_all,
    send_to,
    send_receipt_again,
    make_pdf_again,
    archive_again,
    snooze,
    mark_handled,
    cancel,
)
ACTS = {act.name: act for act in (*STEP_ACTS, release_from_quarantine)}
