"""The age of the last backup, as the backup job tells it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from careers.operations import backups


@pytest.mark.parametrize(
    ("hours", "codes"), [(None, ["backup-unknown"]), (2, []), (47, []), (73, ["backup-old"])]
)
def test_old_or_unknown_backup_is_a_finding(
    tmp_path: Path, settings: Any, hours: int | None, codes: list[str]
) -> None:
    stamp = tmp_path / "backup"
    settings.BACKUP_STAMP, settings.BACKUP_MAX_HOURS = str(stamp), 48
    if hours is not None:
        stamp.touch()
        moment = time.time() - hours * 3600
        os.utime(stamp, (moment, moment))
    found = backups.check()
    assert [one.code for one in found] == codes
    if hours == 73:
        assert found[0].message.startswith("The last backup is more than 3 days old.")


def test_nothing_is_said_where_no_file_is_named(settings: Any) -> None:
    settings.BACKUP_STAMP = ""
    assert backups.check() == []
