"""The scheduled check finds what is missing from the archive."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from careers.applications.errors import Misconfigured
from careers.applications.models import ApplicationFile
from careers.operations import archive_check, health, schedule
from careers.operations.models import ScheduledRun
from careers.pipeline.transitions import db_now
from tests.support.factories import ApplicationFactory, ApplicationFileFactory
from tests.support.servers import HostileS3, close_archive

pytestmark = pytest.mark.django_db


@pytest.fixture
def s3(settings: Any) -> Iterator[HostileS3]:
    with HostileS3() as server:
        settings.STORAGES = server.storages()
        yield server
        close_archive()


@pytest.fixture
def archived(s3: HostileS3) -> list[ApplicationFile]:
    """The CVs of five people, in the archive and nowhere else."""
    files = []
    for number in range(5):
        content = b"%%PDF-1.4 %d" % number
        file = ApplicationFileFactory(
            application=ApplicationFactory(), content=content, archived=True
        )
        s3.put(file.object_key, content)
        files.append(file)
    return files


def said() -> dict[str, str]:
    """The findings about the archive: messages by code."""
    return {
        found.code: found.message
        for found in health.check(broker_error="").faults
        if found.code.startswith("archive")
    }


def test_complete_archive_has_no_finding(archived: Any) -> None:
    schedule.check_archive.apply()
    assert said() == {}


def test_missing_files_are_counted_until_they_are_restored(
    s3: HostileS3, archived: list[ApplicationFile]
) -> None:
    taken = {file.object_key: s3.objects.pop(file.object_key) for file in archived[:2]}
    schedule.check_archive.apply()
    assert said() == {
        "archive-lost": "2 archived files are no longer in the archive (S3).",
    }
    (finding,) = [found for found in health.check().faults if found.code == "archive-lost"]
    assert finding.level == "critical"
    assert "manage.py restore_file --all --from FOLDER" in finding.action
    s3.objects |= taken
    schedule.check_archive.apply()
    assert said() == {}


def test_check_of_emptied_bucket_reports_one_finding(s3: HostileS3, archived: Any) -> None:
    s3.objects.clear()
    schedule.check_archive.apply()
    assert said() == {"archive-lost": "5 archived files are no longer in the archive (S3)."}


def test_changed_file_is_a_finding(s3: HostileS3, archived: list[ApplicationFile]) -> None:
    s3.put(archived[0].object_key, b"another writer's")
    schedule.check_archive.apply()
    assert said() == {
        "archive-altered": (
            "1 archived file differs from the file that was stored in the archive (S3)."
        ),
    }


def test_check_with_unreachable_archive_keeps_the_earlier_findings(
    s3: HostileS3, archived: list[ApplicationFile]
) -> None:
    """The earlier findings remain, and the run counts as failed."""
    del s3.objects[archived[0].object_key]
    schedule.check_archive.apply()
    before = said()
    s3.mode = "denied"
    with pytest.raises(Misconfigured):
        archive_check.run()
    schedule.check_archive.apply()
    assert ScheduledRun.objects.get().error == "Misconfigured"
    assert said() == before


def test_finding_remains_while_the_archive_is_unreachable_for_days(
    s3: HostileS3, archived: list[ApplicationFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise operators would read "Resolved" about files that are lost."""
    del s3.objects[archived[0].object_key]
    now = db_now()
    schedule.check_archive.apply()
    before = said()
    s3.mode = "denied"
    for later in (40, 80):
        for module in (archive_check.findings, health):
            monkeypatch.setattr(module, "db_now", lambda: now + dt.timedelta(hours=later))  # noqa: B023
        schedule.check_archive.apply()
        assert said() == before


def test_file_erased_during_the_check_is_not_missing(
    s3: HostileS3, archived: list[ApplicationFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = archive_check.archive.keys_below

    def erases_first(prefix: str) -> Iterator[str]:
        file = archived[0]
        if file.object_key.startswith(prefix) and file.object_key in s3.objects:
            del s3.objects[file.object_key]
            ApplicationFile.objects.filter(pk=file.pk).delete()
        return listed(prefix)

    monkeypatch.setattr(archive_check.archive, "keys_below", erases_first)
    assert archive_check.check() == []


def test_file_not_archived_yet_is_not_checked(s3: HostileS3) -> None:
    ApplicationFileFactory(application=ApplicationFactory())
    assert archive_check.check() == []
    assert not any(method == "GET" and "/applications/" in path for method, path in s3.requests)
