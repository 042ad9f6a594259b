"""The one store of findings: each process reports its own, and health reads them all.

    report("worker:cpu@host", [Finding(code="fonts", severity=Severity.ADVICE, facts={…})], …)

An app adds findings with the hook ``health_findings``: a function without arguments that returns
``Finding`` objects with code, severity and facts. The sweeper calls it every few seconds and
stores what it returns. ``careers.operations.words.says`` adds the sentences.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable
from typing import Any

from django.db import Error as DatabaseError
from django.db import IntegrityError, connection, transaction
from wagtail import hooks

from careers import scanning
from careers.applications.models import ApplicationFile, ScanVerdict
from careers.operations import backups
from careers.operations.models import Dismissal, Finding, Severity
from careers.pipeline.acts import RETRY, actor_of
from careers.pipeline.transitions import db_now
from home.models import SiteSettings

log = logging.getLogger(__name__)

#: For how long a finding counts unless its source renews it. ``PROCESS`` is for what a process
#: renews every few seconds, ``VISITS`` for what a web server finds only during requests, and
#: ``RUNS`` for scheduled tasks. ``RUNS`` is long, so that a problem does not seem resolved only
#: because the scheduler has stopped.
PROCESS = dt.timedelta(seconds=35)
VISITS = dt.timedelta(minutes=10)
RUNS = dt.timedelta(days=30)
#: How long an infected file is a finding. It is locked already, so nothing has to be repaired.
INFECTED_FOR = dt.timedelta(days=1)
#: A row that is further in the future than this was written before the clock was set back.
AHEAD = dt.timedelta(minutes=1)


def report(source: str, found: Iterable[Finding], *, lasts: dt.timedelta) -> None:
    """Store ``found`` in place of what ``source`` reported before; an empty list removes all.

    Findings that did not change are written again only when half of ``lasts`` is over.
    An error of the database is logged, never raised.

    Args:
        source: who reports. Only one process at a time should use a name.
        found: findings with code, severity and facts.
        lasts: for how long they count unless they are reported again; ``RUNS`` at most.
    """
    try:
        _replace(source, {finding.code: finding for finding in found}, min(lasts, RUNS))
    except DatabaseError as error:
        log.warning("no finding written for %s: %s", source, type(error).__name__)
        # Nothing else in these processes closes a lost connection.
        connection.close_if_unusable_or_obsolete()


def _replace(source: str, found: dict[str, Finding], lasts: dt.timedelta) -> None:
    stored = {row.code: row for row in Finding.objects.filter(source=source)}
    if not found and not stored:
        return
    now = db_now()
    for code, finding in found.items():
        content: dict[str, Any] = {"severity": finding.severity, "facts": finding.facts}
        row = stored.pop(code, None)
        if row is None:
            try:
                with transaction.atomic():
                    Finding.objects.create(
                        source=source, code=code, since=now, expires_at=now + lasts, **content
                    )
            except IntegrityError:
                pass  # another thread of the same source was first
            continue
        left = row.expires_at - now
        same = row.severity == finding.severity and row.facts == finding.facts
        if not same or not lasts / 2 < left <= lasts:
            since = row.since if dt.timedelta() < left <= lasts else now
            Finding.objects.filter(pk=row.pk).update(since=since, expires_at=now + lasts, **content)
    if stored:
        Finding.objects.filter(pk__in=[row.pk for row in stored.values()]).delete()


def renew(source: str, *, lasts: dt.timedelta) -> None:
    """Extend the time of what ``source`` has reported, for a source that can't check now."""
    now = db_now()
    still = Finding.objects.filter(source=source, expires_at__gt=now)
    still.update(expires_at=now + min(lasts, RUNS))


def current(now: dt.datetime) -> list[Finding]:
    """The findings that count, sorted and reduced by ``worst_first``."""
    rows = Finding.objects.filter(
        since__lte=now + AHEAD, expires_at__gt=now, expires_at__lte=now + RUNS + AHEAD
    )
    return worst_first(rows)


def worst_first(found: Iterable[Finding]) -> list[Finding]:
    """One finding of each code and, for advice, of each code and facts; the worst first."""
    kept: dict[str, Finding] = {}
    for finding in sorted(found, key=lambda one: Severity.values.index(one.severity)):
        kept.setdefault(finding.digest if finding.is_advice else finding.code, finding)
    return list(kept.values())


def forget_expired() -> None:
    """Delete the rows of sources that no longer exist."""
    Finding.objects.filter(expires_at__lt=db_now() - dt.timedelta(hours=1)).delete()


# ── Findings of the hook ────────────────────────────────────────────────────────────────


def ask_hooks() -> None:
    """Call each function of the hook ``health_findings`` and store what it returns.

    A function that fails is logged. What it found before counts until it expires.
    """
    for find in (_operators, _virus_scan, backups.check, *hooks.get_hooks("health_findings")):
        name = f"{find.__module__}.{find.__qualname__}"
        try:
            found = list(find())
        except Exception:  # an error of an extension must not stop the sweeper
            log.exception("the health_findings hook %s failed", name)
            continue
        report(f"hook:{name}"[:160], found, lasts=PROCESS)


def _operators() -> list[Finding]:
    if SiteSettings.operator_addresses():
        return []
    return [Finding(code="no-operators", severity=Severity.ADVICE)]


def _virus_scan() -> list[Finding]:
    """Findings about a missing scanner, and about infected files of the last day."""
    found = []
    if not scanning.is_configured():
        found.append(Finding(code="not-scanned", severity=Severity.ADVICE))
    since = db_now() - INFECTED_FOR
    infected = ApplicationFile.objects.filter(
        scan_verdict=ScanVerdict.INFECTED, scanned_at__gt=since
    ).count()
    if infected:
        facts = {"count": infected}
        found.append(Finding(code="infected-files", severity=Severity.WARNING, facts=facts))
    return found


# ── Dismissing ──────────────────────────────────────────────────────────────────────────


def dismissals(found: Iterable[Finding]) -> dict[str, Dismissal]:
    """The dismissals of these findings, by digest."""
    digests = [finding.digest for finding in found if finding.is_advice]
    if not digests:
        return {}
    rows = Dismissal.objects.filter(digest__in=digests).select_related("dismissed_by")
    return {row.digest: row for row in rows}


def dismiss(digest: str, user: Any) -> bool:
    """Hide advice until its facts change.

    Returns:
        False if no advice with this digest is reported now.

    Raises:
        PermissionDenied: the user may not do this.
    """
    actor_of(user, RETRY)
    now = db_now()
    for finding in current(now):
        if finding.is_advice and finding.digest == digest:
            Dismissal.objects.get_or_create(
                digest=digest,
                defaults={"code": finding.code, "dismissed_by": user, "dismissed_at": now},
            )
            return True
    return False
