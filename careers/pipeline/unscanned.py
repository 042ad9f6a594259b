"""The act that opens a file whose virus scan failed for good.

open_unscanned(file, user, "The applicant brought it to the office.")
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy

from careers.applications.models import ApplicationFile, ScanVerdict
from careers.pipeline.acts import Act, Doing, Words
from careers.pipeline.kinds import SCAN
from careers.pipeline.models import Step
from careers.pipeline.rules import Rule, one_of
from careers.pipeline.states import UNDER_WAY
from careers.pipeline.transitions import note

OPEN_UNSCANNED = "careers.open_unscanned"

_UNDER_WAY = Step.objects.filter(kind=SCAN, state__in=UNDER_WAY)
#: No scan of the application is under way: it has failed, or a person has cancelled it.
SCAN_OVER = Rule(
    Q(~Exists(_UNDER_WAY.filter(application=OuterRef("application")))),
    lambda file: not _UNDER_WAY.filter(application=file.application_id).exists(),
)


def latest_scan(application_id: int) -> Step | None:
    """The last scan of an application's files; None when they were never to be scanned."""
    scans = Step.objects.filter(application=application_id, kind=SCAN)
    return scans.order_by("sequence").last()


def _open(file: ApplicationFile, doing: Doing) -> bool:
    with transaction.atomic():
        locked = ApplicationFile.objects.filter(doing.rule.query, pk=file.pk)
        opened = locked.update(scan_verdict=ScanVerdict.OPENED)
        scan = latest_scan(file.application_id)
        if opened and scan is not None:
            files = [*scan.result.get("opened", []), str(file.public_id)]
            note(
                scan.pk,
                actor=doing.actor,
                reason=doing.reason,
                guard=Q(),
                result={**scan.result, "opened": files},
            )
    return bool(opened)


open_unscanned = Act(
    "open-unscanned",
    OPEN_UNSCANNED,
    one_of("scan_verdict", ScanVerdict.WAITING) & SCAN_OVER,
    _open,
    Words(
        label=gettext_lazy("Open without a scan"),
        question=gettext_lazy("Open “%(file)s” of %(reference)s without a virus scan?"),
        consequence=gettext_lazy(
            "The virus scan failed, so nobody knows whether the file is safe. Everybody who may "
            "read this application can then open it. The history shows your name and your reason."
        ),
        button=gettext_lazy("Yes, open it"),
        done=gettext_lazy("“%(file)s” can be opened."),
        refused=gettext_lazy(
            "Nothing was done: “%(file)s” is not waiting for a decision any more."
        ),
    ),
    serious=True,
)
