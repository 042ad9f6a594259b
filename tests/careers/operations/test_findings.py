"""The store of findings: reports, expiry, hooks, languages, and dismissed advice."""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection
from django.utils import timezone, translation
from wagtail import hooks

from careers.applications.models import ApplicationFile
from careers.operations import findings, health
from careers.operations.findings import PROCESS, ask_hooks, current, dismiss, report
from careers.operations.models import Dismissal, Finding, ScheduledRun, Severity
from careers.operations.words import Words, of, says
from careers.pipeline.transitions import db_now
from tests.support import people
from tests.support.factories import ApplicationFileFactory

pytestmark = pytest.mark.django_db


def fonts(*scripts: str) -> Finding:
    return Finding(code="fonts", severity=Severity.ADVICE, facts={"scripts": list(scripts)})


def lost(count: int) -> Finding:
    return Finding(code="archive-lost", severity=Severity.CRITICAL, facts={"count": count})


def codes() -> list[str]:
    return [finding.code for finding in current(db_now())]


# ── Reports ─────────────────────────────────────────────────────────────────────────────


def test_report_replaces_the_earlier_report_of_its_source() -> None:
    report("a", [fonts("thai"), lost(1)], lasts=PROCESS)
    report("b", [fonts("thai")], lasts=PROCESS)
    report("a", [lost(2)], lasts=PROCESS)
    stored = Finding.objects.values_list("source", "code").order_by("source")
    assert list(stored) == [("a", "archive-lost"), ("b", "fonts")]
    assert Finding.objects.get(source="a").facts == {"count": 2}
    report("a", [], lasts=PROCESS)
    assert codes() == ["fonts"]


def test_unchanged_report_writes_nothing_until_half_of_its_time_is_over(
    django_assert_num_queries: Any,
) -> None:
    report("a", [fonts("thai")], lasts=PROCESS)
    first = Finding.objects.get()
    with django_assert_num_queries(2):
        report("a", [fonts("thai")], lasts=PROCESS)
    Finding.objects.update(expires_at=db_now() + PROCESS / 3)
    report("a", [fonts("thai")], lasts=PROCESS)
    renewed = Finding.objects.get()
    assert renewed.since == first.since
    assert renewed.expires_at >= first.expires_at


def test_finding_that_is_not_renewed_expires_and_is_deleted_later() -> None:
    report("a", [lost(1)], lasts=PROCESS)
    Finding.objects.update(expires_at=db_now())
    assert codes() == []
    findings.forget_expired()
    assert Finding.objects.count() == 1
    Finding.objects.update(expires_at=db_now() - dt.timedelta(hours=2))
    findings.forget_expired()
    assert Finding.objects.count() == 0


def test_finding_that_returns_after_it_expired_is_new() -> None:
    report("a", [lost(1)], lasts=PROCESS)
    long_ago = db_now() - dt.timedelta(hours=2)
    Finding.objects.update(since=long_ago, expires_at=long_ago + PROCESS)
    report("a", [lost(1)], lasts=PROCESS)
    assert Finding.objects.get().since > long_ago


def test_finding_from_before_the_clock_was_set_back_does_not_count() -> None:
    report("a", [lost(1)], lasts=PROCESS)
    ahead = db_now() + dt.timedelta(days=365)
    Finding.objects.update(since=ahead, expires_at=ahead + PROCESS)
    assert codes() == []
    report("a", [lost(1)], lasts=PROCESS)
    assert codes() == ["archive-lost"]


def test_report_with_a_database_error_is_only_logged(caplog: Any) -> None:
    def broken(execute: Any, sql: str, *args: Any) -> Any:
        raise DatabaseError("disk full")

    with connection.execute_wrapper(broken):
        report("a", [lost(1)], lasts=PROCESS)
    assert "no finding written for a: DatabaseError" in caplog.text


# ── Words ───────────────────────────────────────────────────────────────────────────────


def test_finding_is_read_in_the_language_of_the_reader() -> None:
    with translation.override("de"):
        report("a", [lost(2)], lasts=PROCESS)
    (stored,) = current(db_now())
    assert stored.message == "2 archived files are no longer in the archive (S3)."
    with translation.override("fr"):
        assert stored.message != "2 archived files are no longer in the archive (S3)."


@pytest.mark.parametrize("facts", [{}, {"count": "many"}, {"count": None}])
def test_finding_with_unknown_facts_is_shown_by_its_code(facts: dict[str, Any]) -> None:
    finding = Finding(code="archive-lost", severity=Severity.CRITICAL, facts=facts)
    assert "archive-lost" in finding.message


def test_finding_with_unknown_code_is_shown_by_its_code() -> None:
    assert "from-an-app" in of("from-an-app", {}).message


# ── The hook ────────────────────────────────────────────────────────────────────────────


def test_hook_of_an_app_is_stored_and_its_sentence_shown() -> None:
    people.ada()

    @says("coffee")
    def coffee(facts: dict[str, Any]) -> Words:
        return Words(f"{facts['cups']} cups are left.", "Buy coffee.")

    def find() -> list[Finding]:
        return [Finding(code="coffee", severity=Severity.WARNING, facts={"cups": 2})]

    with hooks.register_temporarily("health_findings", find):
        ask_hooks()
    (finding,) = (one for one in health.check().faults if one.code == "coffee")
    assert (finding.message, finding.action) == ("2 cups are left.", "Buy coffee.")


def test_hook_that_fails_stops_no_other_and_keeps_its_findings(caplog: Any) -> None:
    failing = False

    def find() -> list[Finding]:
        if failing:
            raise KeyError
        return [lost(1)]

    with hooks.register_temporarily("health_findings", find):
        ask_hooks()
        failing = True
        ask_hooks()
    assert "no-operators" in codes()
    assert "archive-lost" in codes()
    assert "health_findings" in caplog.text


# ── Dismissed advice ────────────────────────────────────────────────────────────────────


def test_dismissed_advice_is_shown_again_only_when_its_facts_change() -> None:
    ada = people.ada()
    report("worker:a", [fonts("thai")], lasts=PROCESS)
    assert dismiss(fonts("thai").digest, ada)
    found = health.check()
    assert "fonts" not in [finding.code for finding in found.findings]
    ((finding, dismissal),) = found.dismissed
    assert (finding.code, dismissal.dismissed_by) == ("fonts", ada)
    assert timezone.now() - dismissal.dismissed_at < dt.timedelta(minutes=1)
    # The same worker under another name.
    report("worker:a", [], lasts=PROCESS)
    report("worker:b", [fonts("thai")], lasts=PROCESS)
    assert "fonts" not in [finding.code for finding in health.check().findings]
    report("worker:b", [fonts("thai", "emoji")], lasts=PROCESS)
    assert "fonts" in [finding.code for finding in health.check().findings]


def test_previous_release_can_delete_a_user_with_a_dismissal() -> None:
    """It does not know the table of dismissals, so it leaves their rows as they are."""
    user = get_user_model().objects.create_superuser("gone")
    report("a", [fonts("thai")], lasts=PROCESS)
    assert dismiss(fonts("thai").digest, user)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM auth_user WHERE id = %s", [user.pk])
    connection.check_constraints()
    ((_, dismissal),) = health.check(broker_error="").dismissed
    assert dismissal.dismissed_by is None


def test_only_advice_that_is_reported_can_be_dismissed() -> None:
    ada = people.ada()
    report("a", [lost(1)], lasts=PROCESS)
    assert not dismiss(lost(1).digest, ada)
    assert not dismiss(fonts("thai").digest, ada)
    assert Dismissal.objects.count() == 0


def test_dismissing_needs_the_permission() -> None:
    report("a", [fonts("thai")], lasts=PROCESS)
    with pytest.raises(PermissionDenied):
        dismiss(fonts("thai").digest, people.charlie())


# ── The upgrade ─────────────────────────────────────────────────────────────────────────


def test_migration_keeps_what_scheduled_runs_had_found() -> None:
    old = {"code": "archive-lost", "level": "critical", "message": "7 archived files …"}
    now = timezone.now()
    ScheduledRun.objects.create(task="careers.check_archive", started_at=now, findings=[old])
    ScheduledRun.objects.create(task="careers.watch", started_at=now, error="KeyError")
    migration = import_module("careers.migrations.0013_findings")
    migration.copy_findings(apps, None)
    migration.copy_findings(apps, None)
    rows = {row.code: row for row in Finding.objects.all()}
    assert rows["archive-lost"].facts == {"count": 7}
    assert "(KeyError)" in rows["schedule-failed.careers.watch"].message
    assert len(rows) == 2


# ── The virus scan ──────────────────────────────────────────────────────────────────────


def test_missing_scanner_is_advice_that_can_be_dismissed(settings: Any) -> None:
    findings.ask_hooks()
    (advice,) = Finding.objects.filter(code="not-scanned")
    assert advice.is_advice
    assert "Not scanned" in advice.message
    settings.CLAMAV_URL = "tcp://127.0.0.1:3310"
    findings.ask_hooks()
    assert not Finding.objects.filter(code="not-scanned").exists()


def test_infected_files_of_the_last_day_are_one_warning() -> None:
    for hours, verdict in ((1, "infected"), (23, "infected"), (25, "infected"), (1, "clean")):
        file = ApplicationFileFactory(scan_verdict=verdict)
        at = timezone.now() - dt.timedelta(hours=hours)
        ApplicationFile.objects.filter(pk=file.pk).update(scanned_at=at)
    findings.ask_hooks()
    (finding,) = Finding.objects.filter(code="infected-files")
    assert (finding.severity, finding.facts) == ("warning", {"count": 2})
    assert "locked" in finding.message
