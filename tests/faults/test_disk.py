"""PostgreSQL's disk is full: what cannot be stored gets no receipt, and nothing is lost.

``tests/services/test_full_disk.py`` tests SQLite on a full disk.
``tests/careers/documents/test_pdf.py`` tests a read-only directory for temporary files.
"""

from __future__ import annotations

import contextlib
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.disk import fill
from tests.support.postgresql import PostgreSQL
from tests.support.processes import until
from tests.support.stack import Stack, a_cv, shared_template

#: The first test of a run makes the database that all sites start from.
pytestmark = pytest.mark.timeout(900)
PATIENCE = 120  # seconds; ends a hang
MEGABYTES = 220


@pytest.fixture
def disk_of_the_server() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="careers-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=1777", "none", str(path)]
    if subprocess.run(mount, capture_output=True).returncode:
        path.rmdir()
        pytest.skip("only root may mount a disk of its own")
    # The server runs as another user.
    path.chmod(0o1777)
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)
    path.rmdir()


def test_full_disk_of_postgresql_refuses_applications_and_loses_nothing(
    disk_of_the_server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At first there is no room for a CV, and PostgreSQL reports it (53100). Then there is no room
    for its log, and PostgreSQL stops. An applicant without a receipt reads why. With room again
    the site continues, and has exactly the applications that have receipts.
    """
    with monkeypatch.context() as here:
        here.setattr(tempfile, "tempdir", str(disk_of_the_server))
        server = PostgreSQL(
            "min_wal_size=32MB", "max_wal_size=48MB", password=secrets.token_hex(12)
        )
    with server, Stack(shared_template(), tmp_path, server=server.url) as site:
        site.start("web")
        receipts = [site.apply()]
        ballast = disk_of_the_server / "ballast"
        fill(ballast)

        no_room = site.apply(name="Ada Full", cv=a_cv("No room", size=8_000_000))
        assert (no_room.status, no_room.location) == (503, "")
        assert "could not be stored just now" in no_room.page
        assert "Ada Full" in no_room.page
        assert "could not be stored: the database's disk is full" in site.log_text()
        # Earlier receipts can still be read.
        assert site.get(receipts[0].location)[0] == 200

        with contextlib.suppress(psycopg.Error):
            for _ in range(20):
                site.query("SELECT pg_switch_wal(), pg_logical_emit_message(false, 'x', 'y')")
        no_log = site.apply(name="Ada Full", cv=a_cv("No log", size=8_000_000))
        assert (no_log.status, no_log.location) == (503, "")

        ballast.unlink()

        def goes_on() -> bool:
            with contextlib.suppress(AssertionError):
                # A server that could not recover has stopped; its supervisor starts it.
                server.__enter__()
            receipts.append(site.apply())
            return receipts[-1].status == 303

        until(goes_on, PATIENCE, "the site did not come back")
        rows = site.query("SELECT receipt_secret FROM careers_application ORDER BY id")
        told = [receipt.secret for receipt in receipts if receipt.status == 303]
        assert [row["receipt_secret"] for row in rows] == told
