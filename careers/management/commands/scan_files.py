"""``manage.py scan_files``: scan files that were received before there was a scanner."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from careers import scanning
from careers.applications.models import UPLOADS, Application, ApplicationFile, ScanVerdict
from careers.applications.references import normalise_reference
from careers.pipeline.enqueue import create_step
from careers.pipeline.kinds import SCAN
from careers.pipeline.models import Step
from careers.pipeline.states import UNDER_WAY, State
from careers.pipeline.transitions import db_now


class Command(BaseCommand):
    """Creates scan steps; the sweeper dispatches them, and workers do them.

    Without references: every application with a file that is not scanned. Its files can be opened
    meanwhile, as before. With references: every file of these applications is scanned again, and
    is locked meanwhile; so a false alarm ends when newer signatures no longer find a virus.
    """

    help = "Scan files that were not scanned, or all files of the named applications again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference", nargs="*", help="an application's reference")

    def handle(self, *args: Any, **options: Any) -> None:
        if not scanning.is_configured():
            raise CommandError(_("CLAMAV_URL is not set: there is no virus scanner."), returncode=2)
        count = sum(_create(application, again=again) for application, again in _wanted(options))
        self.stdout.write(
            ngettext(
                "%(count)d application is scanned.", "%(count)d applications are scanned.", count
            )
            % {"count": count}
        )


def _wanted(options: dict[str, Any]) -> list[tuple[Application, bool]]:
    if not options["reference"]:
        return [(application, False) for application in _with_unscanned_files().iterator()]
    found = []
    for typed in options["reference"]:
        application = Application.objects.filter(reference=normalise_reference(typed)).first()
        if application is None:
            raise CommandError(_("There is no application “%(what)s”.") % {"what": typed})
        found.append((application, True))
    return found


def _with_unscanned_files() -> QuerySet[Application]:
    unscanned = ApplicationFile.objects.filter(
        kind__in=UPLOADS, scan_verdict=ScanVerdict.NOT_SCANNED
    )
    return Application.objects.filter(pk__in=unscanned.values("application")).only("pk")


@transaction.atomic
def _create(application: Application, *, again: bool) -> bool:
    """Create a scan step; False if one is under way."""
    scans = Step.objects.filter(application=application, kind=SCAN)
    if scans.filter(state__in=UNDER_WAY).exists():
        return False
    last = scans.aggregate(last=Max("sequence"))["last"]
    if again:
        application.files.filter(kind__in=UPLOADS).update(
            scan_verdict=ScanVerdict.WAITING, scan_signature="", scanned_at=None
        )
    create_step(
        application,
        SCAN,
        "",
        state=State.QUEUED,
        at=db_now(),
        sequence=0 if last is None else last + 1,
        actor="operator",
        reason=_("Asked for with manage.py scan_files."),
    )
    return True
