"""Scan the files that an applicant sent, and arrange that people learn of an infected one."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from careers import scanning
from careers.applications.errors import Permanent
from careers.applications.models import (
    UPLOADS,
    Application,
    ApplicationFile,
    ScanVerdict,
)
from careers.notifications import BeforeSend
from careers.pipeline.effects.subject import application_of, content_of
from careers.pipeline.enqueue import create_step
from careers.pipeline.kinds import MAIL_HR, MAIL_INFECTED, MAIL_INFECTED_HR
from careers.pipeline.models import Step
from careers.pipeline.registry import Outcome
from careers.pipeline.states import State

#: Files without a verdict of the scanner.
OPEN_VERDICTS = (ScanVerdict.NOT_SCANNED, ScanVerdict.WAITING, ScanVerdict.OPENED)


def is_needed(application: Application) -> bool:
    """Whether a new application gets the step: it has files, and the site has a scanner."""
    return scanning.is_configured() and application.files.filter(kind__in=UPLOADS).exists()


def scan_files(step: Step, before_send: BeforeSend) -> Outcome:
    """Scan every upload that has no verdict yet.

    Each verdict is written at once: it is a fact about the bytes, whatever happens to the step. So
    an infected file is known although another one can't be scanned, and a step that is tried again
    continues where it stopped.
    """
    application = application_of(step)
    files = application.files.filter(kind__in=UPLOADS, scan_verdict__in=OPEN_VERDICTS)
    if not scanning.is_configured():
        files.filter(scan_verdict=ScanVerdict.WAITING).update(scan_verdict=ScanVerdict.NOT_SCANNED)
        return Outcome(reason=_("No virus scanner is configured: the files are not scanned."))
    refused: Permanent | None = None
    for file in list(files):
        try:
            signature = scanning.scan(content_of(file))
        except Permanent as error:
            refused = error
        else:
            _write(file, signature, step)
    if refused is not None:
        raise refused
    return _outcome(application)


def _write(file: ApplicationFile, signature: str, step: Step) -> None:
    verdict = ScanVerdict.INFECTED if signature else ScanVerdict.CLEAN
    with transaction.atomic():
        # Another process may have scanned the same file meanwhile; the first verdict stays.
        written = ApplicationFile.objects.filter(pk=file.pk, scan_verdict__in=OPEN_VERDICTS).update(
            scan_verdict=verdict, scan_signature=signature, scanned_at=timezone.now()
        )
        if written and verdict == ScanVerdict.INFECTED:
            _create_mails(step)


def _create_mails(step: Step) -> None:
    """Create the mails about an infected file, one for the applicant and one for each HR recipient.

    They wait until the scan has ended, so that they name every infected file. An application gets
    them once, however many of its files are infected and however often it is scanned.
    """
    about, now = step.about, timezone.now()
    if Step.objects.filter(application=step.application, kind=MAIL_INFECTED).exists():
        return
    mails = Step.objects.filter(application=step.application, kind=MAIL_HR)
    addresses = mails.exclude(state=State.CANCELLED).values_list("recipient", flat=True)
    for kind, recipient in [
        (MAIL_INFECTED, ""),
        *((MAIL_INFECTED_HR, address) for address in sorted(set(addresses))),
    ]:
        create_step(about, kind, recipient, state=State.WAITING, at=now, actor=step.owner)


def _outcome(application: Application) -> Outcome:
    uploads = Q(kind__in=UPLOADS)
    found = application.files.aggregate(
        clean=Count("pk", filter=uploads & Q(scan_verdict=ScanVerdict.CLEAN)),
        infected=Count("pk", filter=uploads & Q(scan_verdict=ScanVerdict.INFECTED)),
    )
    if not found["infected"]:
        return Outcome(found)
    reason = ngettext(
        "%(count)d infected file is locked.",
        "%(count)d infected files are locked.",
        found["infected"],
    )
    return Outcome(found, reason=reason % {"count": found["infected"]})
