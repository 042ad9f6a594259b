"""Findings about floods: many quarantined applications, and far more applications than usual."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail import hooks

from careers.applications.models import Application
from careers.operations.models import Finding, Severity
from careers.operations.words import Facts, Words, says

HOUR, WEEK = dt.timedelta(hours=1), dt.timedelta(days=7)
#: More quarantined applications within an hour are a finding.
QUARANTINED = 20
#: More applications within an hour are a finding if they are also ``TIMES`` the usual number.
MANY, TIMES = 100, 10


@hooks.register("health_findings")
def floods() -> list[Finding]:
    """Floods of the last hour; applications that a person has released do not count."""
    now = timezone.now()
    last_hour = Application.objects.filter(received_at__gt=now - HOUR, is_test=False)
    found = []
    quarantined = last_hour.filter(quarantined=True).count()
    if quarantined > QUARANTINED:
        facts = {"count": quarantined}
        found.append(Finding(code="quarantine-flood", severity=Severity.WARNING, facts=facts))
    count = last_hour.count()
    if count > MANY and count > TIMES * (usual := _usual(now)):
        facts = {"count": count, "usual": usual}
        found.append(Finding(code="application-flood", severity=Severity.WARNING, facts=facts))
    return found


def _usual(now: dt.datetime) -> int:
    """How many applications came in an hour, on average over the week before the last hour."""
    before = Application.objects.filter(
        received_at__gt=now - WEEK, received_at__lte=now - HOUR, is_test=False
    )
    return round(before.count() / (WEEK / HOUR - 1))


@says("quarantine-flood")
def _quarantine_flood(facts: Facts) -> Words:
    happened = ngettext(
        "%(count)d application of the last hour is quarantined as spam.",
        "%(count)d applications of the last hour are quarantined as spam.",
        facts["count"],
    ) % {"count": facts["count"]}
    meaning = _("They are stored, but no mail about them is sent, to HR or to the applicants.")
    return Words(
        f"{happened} {meaning}",
        _(
            "Open some of them under Applications, “Quarantined as spam”. If they are honest, "
            "release them: you can release all similar ones at once. If not, limit the requests of "
            "the sender in the proxy."
        ),
    )


@says("application-flood")
def _application_flood(facts: Facts) -> Words:
    happened = _(
        "%(count)d applications came within an hour; the usual number is %(usual)d. They are "
        "stored and safe, but their PDFs and mails may take longer."
    ) % {"count": facts["count"], "usual": facts["usual"]}
    return Words(
        happened,
        _(
            "Look at the newest applications. If they are honest, there is nothing to do. If not, "
            "lower APPLICATIONS_PER_NETWORK and APPLICATIONS_PER_JOB, and limit the requests in "
            "the proxy."
        ),
    )
