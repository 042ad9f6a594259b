"""Check that every archived file is still in the archive: anyone with the key can delete it.

The keys are listed, a thousand at a request, and compared with the rows; a few files are read back
as well. A missing or changed file is a finding until a later check finds it in order.
"""

from __future__ import annotations

from careers import archive
from careers.applications.models import ApplicationFile
from careers.operations import findings
from careers.operations.models import Finding, Severity

TASK = "careers.check_archive"
SOURCE = "archive-check"
#: Files that each check reads back whole.
SAMPLE = 25
#: How many files that seem to be missing are asked for by name before they are reported.
CONFIRMED = 1000


def run() -> None:
    """Check the archive and report what is wrong until the next check.

    Raises:
        Transient, Misconfigured: the archive can't be asked; what was reported before still holds.
    """
    try:
        found = check()
    except Exception:
        findings.renew(SOURCE, lasts=findings.RUNS)
        raise
    findings.report(SOURCE, found, lasts=findings.RUNS)


def check() -> list[Finding]:
    """What is missing from the archive, and what differs from what was stored."""
    missing = _missing()
    changed = sum(
        verdict is archive.Verdict.CHANGED for _key, verdict in archive.compare(_some_files())
    )
    counts = {"archive-lost": missing, "archive-altered": changed}
    return [
        Finding(code=code, severity=Severity.CRITICAL, facts={"count": count})
        for code, count in counts.items()
        if count
    ]


def _missing() -> int:
    """How many archived files have no object.

    Folders are named by random ids, so a sixteenth of them at a time bounds the memory.
    """
    return sum(_missing_below(f"{archive.FOLDER}{digit}") for digit in "0123456789abcdef")


def _missing_below(prefix: str) -> int:
    # The rows come first: a file that is archived meanwhile has its object before its row.
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
    # A file that was erased meanwhile is not missing.
    known = ApplicationFile.objects.filter(object_key__in=gone, verified_at__isnull=False).count()
    return known + len(expected) - len(asked)


def _some_files() -> list[tuple[str, str]]:
    chosen = ApplicationFile.objects.filter(verified_at__isnull=False).order_by("?")[:SAMPLE]
    return list(chosen.values_list("object_key", "sha256"))
