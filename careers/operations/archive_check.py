"""Is everything that was archived still there? Somebody with the key to a bucket may empty it.

The keys are listed, a thousand at a request, and compared with the rows; a few files are read back
as well. What is missing or changed is a finding until a later look finds it in its place.
"""

from __future__ import annotations

from dataclasses import asdict

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from careers import archive
from careers.applications.models import ApplicationFile
from careers.operations.health import Finding
from careers.pipeline.models import ScheduledRun

TASK = "careers.check_archive"
#: Files that each look reads back whole.
SAMPLE = 25
#: Of what seems to be missing so many are asked for by name before it is said.
CONFIRMED = 1000


def take() -> None:
    """Look through the archive, and keep what was found until the next look.

    Raises:
        Transient, Misconfigured: the archive can't be asked; what was found before still holds.
    """
    found = [asdict(finding) for finding in findings()]
    ScheduledRun.objects.update_or_create(
        task=TASK,
        defaults={"findings": found},
        create_defaults={"findings": found, "started_at": timezone.now()},
    )


def findings() -> list[Finding]:
    """What is missing from the archive, and what is not as it was stored."""
    missing = _missing()
    changed = sum(
        verdict is archive.Verdict.CHANGED for _key, verdict in archive.compare(_some_files())
    )
    restore = _(
        "Put it back from a copy of the bucket: manage.py restore_file --all --from FOLDER."
    )
    names = _("“manage.py check_archive” names each file. Look in the server's log who did it.")
    found = []
    if missing:
        found.append(
            Finding(
                "archive-lost",
                "critical",
                ngettext(
                    "%(count)d archived file is no longer in the archive (S3).",
                    "%(count)d archived files are no longer in the archive (S3).",
                    missing,
                )
                % {"count": missing},
                f"{restore} {names}",
            )
        )
    if changed:
        found.append(
            Finding(
                "archive-altered",
                "critical",
                ngettext(
                    "%(count)d archived file is not the one that was stored in the archive (S3).",
                    "%(count)d archived files are not those that were stored in the archive (S3).",
                    changed,
                )
                % {"count": changed},
                f"{restore} {names}",
            )
        )
    return found


def _missing() -> int:
    """How many archived files have no object.

    Folders are named by random ids, so a sixteenth of them at a time bounds the memory.
    """
    return sum(_missing_below(f"{archive.FOLDER}{digit}") for digit in "0123456789abcdef")


def _missing_below(prefix: str) -> int:
    # First the rows: a file that is archived while this runs has its object before its row.
    rows = ApplicationFile.objects.filter(
        verified_at__isnull=False, object_key__startswith=prefix
    ).values_list("object_key", "sha256")
    expected = dict(rows.iterator())
    for key in archive.keys_below(prefix):
        expected.pop(key, None)
    if not expected:
        return 0
    asked = dict(list(expected.items())[:CONFIRMED])
    gone = [
        key for key, verdict in archive.compare(asked.items()) if verdict is archive.Verdict.MISSING
    ]
    # What was erased meanwhile is not missing.
    known = ApplicationFile.objects.filter(object_key__in=gone, verified_at__isnull=False).count()
    return known + len(expected) - len(asked)


def _some_files() -> list[tuple[str, str]]:
    chosen = ApplicationFile.objects.filter(verified_at__isnull=False).order_by("?")[:SAMPLE]
    return list(chosen.values_list("object_key", "sha256"))
