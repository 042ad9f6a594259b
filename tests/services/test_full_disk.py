"""A full disk: an application that cannot be stored gets no receipt, and stored ones are kept."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.disk import fill
from tests.support.processes import until
from tests.support.stack import Stack, a_cv, shared_template

MEGABYTES = 60


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "none", str(tmp_path)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a disk of its own")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def test_full_disk_refuses_the_application_and_keeps_earlier_ones(small_disk: Path) -> None:
    with Stack(shared_template(), small_disk) as site:
        # The sweeper keeps SQLite's log open; without it the database cannot be read at all.
        site.start("web", "sweeper")
        before = site.apply()
        assert before.status == 303
        ballast = small_disk / "ballast"
        fill(ballast)

        refused = site.apply(cv=a_cv("No room", size=200_000))
        assert (refused.status, refused.location) == (503, "")
        told = {
            found["code"]: found for found in json.loads(site.get("/health/ready")[2])["findings"]
        }
        assert told["disk-full"]["message"].startswith(f"The disk of {small_disk} is full")
        assert "Free some space at once." in told["disk-full"]["action"]
        # Earlier receipts can still be read.
        assert site.get(before.location)[0] == 200

        ballast.unlink()
        until(lambda: site.get("/health/ready")[0] == 200, 10, "the site did not come back")
        after = site.apply()
        assert after.status == 303
        rows = site.query("SELECT receipt_secret FROM careers_application ORDER BY id")
        assert [row["receipt_secret"] for row in rows] == [before.secret, after.secret]
        assert site.query("PRAGMA integrity_check") == [{"integrity_check": "ok"}]
        assert "could not be stored" in site.log_text()
