"""``/hooks/mail/``: where the mail provider reports what became of a mail.

A report names the step by a mark in the mail's metadata that only we can make, so nothing is
looked up by address and a report about another site's mail changes nothing. Reports come twice,
late and in any order; each may come before our own request for the mail has been answered.
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from careers import notifications
from careers.pipeline.models import Step
from careers.pipeline.runner import confirm_reported
from careers.pipeline.steps import step_marked
from careers.pipeline.transitions import db_now, note

log = logging.getLogger(__name__)

ACTOR = "provider"


@csrf_exempt
@require_http_methods(["POST", "HEAD"])
def listen(request: HttpRequest) -> HttpResponse:
    """Take in what the provider reports. HEAD is how some ask whether anybody is there."""
    if not (settings.EMAIL_PROVIDER and settings.EMAIL_WEBHOOK_SECRET):
        raise Http404
    if request.method == "HEAD":
        return HttpResponse()
    try:
        told = notifications.reports(request)
    except notifications.Forged:
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Basic realm="mail"'})
    except notifications.Unreadable:
        log.warning("the mail provider sent a report that nobody can read")
        return HttpResponse(status=400)
    # The history is written in the site's language, whoever asks.
    with translation.override(settings.LANGUAGE_CODE):
        for report in told:
            record(report)
    return HttpResponse()


def record(report: notifications.Report) -> bool:
    """Write down what a report says; False when it is about no mail of ours."""
    step_id = step_marked(report.mark)
    if step_id is None:
        log.warning("the mail provider reported about a mail that is not ours")
        return False
    now = db_now()
    at = min(report.at or now, now)
    mail = Step.objects.filter(pk=step_id)
    mail.filter(reported_at=None).update(reported_at=at)
    if report.came_back:
        note(
            step_id,
            actor=ACTOR,
            reason=report.came_back,
            guard={"bounced_at": None},
            bounced_at=at,
            bounce_reason=report.came_back,
        )
    elif report.arrived:
        note(
            step_id,
            actor=ACTOR,
            reason=_("It arrived after all."),
            guard={"bounced_at__lt": at},
            bounced_at=None,
            bounce_reason="",
        )
    confirm_reported(step_id)
    return True
