"""``/hooks/mail/``: the mail provider reports whether a mail was delivered or bounced.

A report names the step by the signed reference in the mail's metadata. So nothing is looked up by
address, and a report about another site's mail changes nothing. Reports come twice, late and in any
order, and may come before the provider has answered the request that sends the mail.
"""

from __future__ import annotations

import datetime as dt
import logging

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from careers import notifications
from careers.pipeline.mail_reference import step_of_reference
from careers.pipeline.models import Step, StepEvent
from careers.pipeline.states import State
from careers.pipeline.transitions import db_now, note
from careers.pipeline.unconfirmed import confirm_reported

log = logging.getLogger(__name__)

ACTOR = "provider"


@csrf_exempt
@require_http_methods(["POST", "HEAD"])
def listen(request: HttpRequest) -> HttpResponse:
    """Receive reports. Some providers send HEAD to check that the address exists."""
    if not (settings.EMAIL_PROVIDER and settings.EMAIL_WEBHOOK_SECRET):
        raise Http404
    if request.method == "HEAD":
        return HttpResponse()
    try:
        reports = notifications.read_reports(request)
    except notifications.Forged:
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Basic realm="mail"'})
    except notifications.Unreadable:
        log.warning("the mail provider sent an unreadable report")
        return HttpResponse(status=400)
    # The history is written in the site's language, not in that of the request.
    with translation.override(settings.LANGUAGE_CODE):
        for report in reports:
            record(report)
    return HttpResponse()


def record(report: notifications.Report) -> bool:
    """Record a report; False when it is not about a mail of this site."""
    step_id = step_of_reference(report.reference)
    if step_id is None:
        log.warning("the mail provider reported about a mail of another site")
        return False
    now = db_now()
    at = min(report.at or now, now)
    mail = Step.objects.filter(pk=step_id)
    mail.filter(reported_at=None).update(reported_at=at)
    if report.bounce_reason:
        _bounced(step_id, at, report.bounce_reason)
    elif report.delivered:
        _arrived(step_id, at)
    if report.remark:
        _remarked(step_id, report.remark)
    confirm_reported(step_id)
    return True


def _bounced(step_id: int, at: dt.datetime, why: str) -> None:
    """Record a bounce, unless the mail was delivered later: servers try again for days."""
    mail, bounce = Step.objects.filter(pk=step_id), {"bounced_at": at, "bounce_reason": why}
    with transaction.atomic():
        first = (Q(delivered_at=None) | Q(delivered_at__lte=at)) & Q(bounced_at=None)
        if not note(step_id, actor=ACTOR, reason=why, guard=first, **bounce):
            mail.filter(bounced_at__lt=at).update(**bounce)


def _arrived(step_id: int, at: dt.datetime) -> None:
    """Record a delivery. It removes an earlier bounce, even if that is reported again later.

    A cancelled mail stays cancelled, because it may have been replaced; its history says that it
    arrived.
    """
    mail = Step.objects.filter(pk=step_id)
    with transaction.atomic():
        news = Q(bounced_at__lt=at)
        if mail.filter(delivered_at=None).update(delivered_at=at):
            news |= Q(bounced_at=None, state=State.CANCELLED)
        mail.filter(delivered_at__lt=at).update(delivered_at=at)
        words = _("It arrived later.")
        note(step_id, actor=ACTOR, reason=words, guard=news, bounced_at=None, bounce_reason="")


def _remarked(step_id: int, remark: str) -> None:
    """Write a remark into the history once, however often it is reported."""
    with transaction.atomic():
        Step.objects.select_for_update().get(pk=step_id)
        if not StepEvent.objects.filter(step_id=step_id, actor=ACTOR, reason=remark).exists():
            note(step_id, actor=ACTOR, reason=remark, guard=Q(), reported_at=F("reported_at"))
