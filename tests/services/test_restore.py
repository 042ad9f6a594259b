"""A backup, taken while applications were being processed, restored on another machine.

The commands are those of ``docs/operations.md``.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.postgresql import binaries
from tests.support.processes import until
from tests.support.stack import BUCKET, Receipt, Stack, shared_postgresql, shared_template

MAILS = ("mail_applicant", "mail_hr")


def pg(program: str, *arguments: str) -> None:
    subprocess.run([str(binaries(os.getuid()) / program), *arguments], check=True)


def dump(site: Stack, to: Path) -> None:
    """A copy of the database."""
    if site.database.startswith("postgres"):
        pg("pg_dump", "-Fc", "--no-owner", "-f", str(to), site.database)
    else:
        with closing(sqlite3.connect(site.var / "db.sqlite3")) as connection:
            connection.execute("VACUUM INTO ?", [str(to)])


def restore(site: Stack, copy: Path) -> None:
    """Replace the database by a copy."""
    if site.database.startswith("postgres"):
        pg("pg_restore", "--clean", "--if-exists", "--no-owner", "-d", site.database, str(copy))
    else:
        for path in site.var.glob("db.sqlite3*"):
            path.unlink()
        (site.var / "db.sqlite3").write_bytes(copy.read_bytes())


def rclone(site: Stack, *arguments: str) -> None:
    """Run the copy program that the site ships; the bucket is ``archive:careers``."""
    environ = {
        "RCLONE_CONFIG": os.devnull,
        "RCLONE_CONFIG_ARCHIVE_TYPE": "s3",
        "RCLONE_CONFIG_ARCHIVE_PROVIDER": "Other",
        "RCLONE_CONFIG_ARCHIVE_ENV_AUTH": "true",
        "RCLONE_CONFIG_ARCHIVE_ENDPOINT": site.environ["AWS_S3_ENDPOINT_URL"],
    }
    command = [str(Path(sys.executable).parent / "rclone"), *arguments]
    subprocess.run(command, env=site.environ | environ, check=True, capture_output=True)


@pytest.fixture
def elsewhere(site: Stack, tmp_path: Path) -> Iterator[Stack]:
    """Another machine with its own database, bucket and broker; no process runs yet."""
    server = shared_postgresql() if site.database.startswith("postgres") else ""
    with Stack(shared_template(), tmp_path / "elsewhere", server=server) as stack:
        yield stack


@pytest.mark.timeout(600)  # two sites, one after the other
def test_restored_site_has_all_data_and_repeats_no_mail(
    site: Stack, elsewhere: Stack, tmp_path: Path
) -> None:
    done = site.apply()
    site.wait_for_end([done])
    site.stop("io")
    under_way = [site.apply(), site.apply()]
    until(
        lambda: all(site.states(receipt)["render_pdf"] == "succeeded" for receipt in under_way),
        60,
        "the PDFs were not made",
    )
    dump(site, tmp_path / "database")

    # After the backup, mails are sent and a person applies.
    site.start("io")
    late = site.apply()
    site.wait_for_end([*under_way, late])
    # The database first, the bucket after it.
    rclone(site, "sync", f"archive:{BUCKET}", str(tmp_path / "bucket"))
    sent = Counter(mail.message_id.strip() for mail in site.smtp.mails())

    restore(elsewhere, tmp_path / "database")
    rclone(elsewhere, "sync", str(tmp_path / "bucket"), f"archive:{BUCKET}")
    elsewhere.query("UPDATE wagtailcore_site SET port = %s", elsewhere.port)
    elsewhere.start("web", "cpu", "io", "sweeper")

    # Running steps are completed, except mails: those wait for a person.
    elsewhere.wait_for_end([done, *under_way])
    for receipt in under_way:
        states = elsewhere.states(receipt)
        assert states.pop("render_pdf") == states.pop("archive") == "succeeded"
        assert states == dict.fromkeys(MAILS, "uncertain")
        assert {
            step["error_code"] for step in elsewhere.steps(receipt) if step["kind"] in MAILS
        } == {"restored"}
    assert set(elsewhere.states(done).values()) == {"succeeded"}
    for receipt in (done, *under_way):
        assert elsewhere.get(receipt.location)[0] == 200
    assert elsewhere.get(late.location)[0] == 404

    checked = elsewhere.manage("check_archive")
    assert (checked.returncode, checked.stderr) == (0, "")
    told(elsewhere, site, late, tmp_path)

    # The restored site works: a new application completes all steps.
    fresh = elsewhere.apply()
    elsewhere.wait_for_end([fresh])
    assert set(elsewhere.states(fresh).values()) == {"succeeded"}
    sent.update(mail.message_id.strip() for mail in elsewhere.smtp.mails())
    assert [message_id for message_id, times in sent.items() if times > 1] == []


def told(elsewhere: Stack, site: Stack, late: Receipt, tmp_path: Path) -> None:
    """Applicants who applied after the copy was made are only in the bucket, and can be found
    there.
    """
    application = site.application(late)
    unknown = elsewhere.manage("check_archive", "--unknown")
    assert unknown.returncode == 1
    (line,) = [line for line in unknown.stdout.splitlines() if application["reference"] in line]
    public_id = line.split()[1]
    saved = elsewhere.manage("restore_file", public_id, "--to", str(tmp_path / "saved"))
    assert saved.returncode == 0, saved.stderr
    kinds = {path.name.partition("-")[0] for path in (tmp_path / "saved" / public_id).iterdir()}
    assert kinds == {"cv", "pdf", "manifest"}
