"""Mail a receipt once more because the applicant asks for a new link.

The mail is a step like any other. When it is sent, an expired link is replaced by a new one.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from careers.applications.models import Application
from careers.pipeline.enqueue import create_step
from careers.pipeline.kinds import MAIL_APPLICANT
from careers.pipeline.models import Step
from careers.pipeline.registry import NOT_QUARANTINED
from careers.pipeline.states import UNDER_WAY, State
from careers.pipeline.transitions import db_now
from home.values import mail_address

#: Receipts that one application gets in a day, together with the first.
MAILS_A_DAY = 3
DAY = dt.timedelta(days=1)


def mail_receipt_again(email: str, reference: str) -> None:
    """Queue another receipt for an applicant, if address and reference belong to one application.

    The caller learns nothing, and neither does the applicant's browser. Nothing is queued while a
    receipt is on its way, after ``MAILS_A_DAY``, or for a quarantined application. The sweeper
    dispatches the step within seconds: waiting for the broker would show that there is one.

    Args:
        email: as the applicant typed it; capitals and the spelling of the host do not matter.
        reference: in its stored form.
    """
    found = Application.objects.filter(NOT_QUARANTINED, reference=reference)
    stored = found.values_list("email", flat=True).first()
    if stored is None or mail_address.key(stored) != mail_address.key(email):
        return
    with transaction.atomic():
        # Whoever asks twice at the same moment waits here, and then finds the first mail.
        application = found.select_for_update(no_key=True).first()
        if application is not None and _may_be_mailed(application):
            create_step(
                application,
                MAIL_APPLICANT,
                "",
                state=State.QUEUED,
                at=db_now(),
                sequence=_next_sequence(application),
                actor="applicant",
                reason=_("The applicant asked for a new link."),
            )


def _may_be_mailed(application: Application) -> bool:
    mails = Step.objects.filter(application=application, kind=MAIL_APPLICANT)
    today = mails.filter(created_at__gt=db_now() - DAY)
    return not mails.filter(state__in=UNDER_WAY).exists() and today.count() < MAILS_A_DAY


def _next_sequence(application: Application) -> int:
    mails = Step.objects.filter(application=application, kind=MAIL_APPLICANT)
    last = mails.aggregate(last=Max("sequence"))["last"]
    return 0 if last is None else last + 1
