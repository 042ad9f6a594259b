"""A file leaves the database only when the archive has the same bytes, whatever the archive does.

The tests read what is stored from the archive's own ledger, with every version.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.processes import until
from tests.support.stack import Receipt, sha256
from tests.support.wired import ARCHIVE_FATES, Storm, WiredSite

#: The first test waits for the site to start and for all faults to happen.
pytestmark = pytest.mark.timeout(900)

#: Faults that need a person; with the code of the step.
FOR_A_PERSON = {
    "written by another": "archive-conflict",
    "stored wrongly": "archive-conflict",
}
#: Faults that end without a second attempt of the step.
AT_ONCE = ("well", "without conditions", "refuses conditions")
WELL = [fate for fate in ARCHIVE_FATES if fate not in FOR_A_PERSON]


def cv_of(site: WiredSite, receipt: Receipt) -> dict[str, Any]:
    (row,) = [file for file in site.files(receipt) if file["kind"] == "cv"]
    return row


@pytest.mark.parametrize("fate", WELL)
def test_file_is_stored_once_after_any_archive_error(
    wired: WiredSite, storm: Storm, fate: str
) -> None:
    """500, 503, no answer, one byte a second, a lost answer, a concurrent write, damaged or
    incomplete reads, false success: one object, one version, and the bytes that were sent.
    """
    receipt = storm.files[fate]
    step = wired.step(receipt, "archive")
    assert step["state"] == "succeeded"
    history = wired.history(step)
    if fate in AT_ONCE:
        assert history == ["started", "succeeded"]
    else:
        assert history[:2] == ["started", "retrying"]
    cv = cv_of(wired, receipt)
    (stored,) = wired.object_of(receipt)
    assert sha256(stored) == cv["sha256"]
    assert cv["verified_at"] is not None
    # Only now the database has dropped the bytes.
    assert cv["stored"] is None


@pytest.mark.parametrize("fate", FOR_A_PERSON)
def test_foreign_object_under_the_key_is_never_overwritten(
    wired: WiredSite, storm: Storm, fate: str
) -> None:
    """An object under our key has other content: it stays, our bytes stay in the database, an
    operator is alerted, and all other steps of the application are done.
    """
    receipt = storm.files[fate]
    step = wired.step(receipt, "archive")
    assert (step["state"], step["error_code"]) == ("failed", FOR_A_PERSON[fate])
    assert wired.history(step) == ["started", "failed"]
    cv = cv_of(wired, receipt)
    (stored,) = [
        content
        for key in wired.s3.objects
        if cv["sha256"] in key
        for _version, content in wired.s3.objects[key]
    ]
    assert sha256(stored) != cv["sha256"]
    assert cv["stored"] is not None
    assert cv["verified_at"] is None
    states = wired.states(receipt)
    assert {state for kind, state in states.items() if kind != "archive"} == {"succeeded"}
    words = "holds other content under this file's name. Nothing was overwritten."
    assert words in wired.page_of(receipt)
    until(lambda: alerts_mailed(wired, "archive-conflict") == 1, 60, "no operator was alerted")


def alerts_mailed(site: WiredSite, code: str) -> int:
    """Open alerts about archive steps that fail for this cause."""
    (row,) = site.query(
        "SELECT count(*) AS n FROM careers_notice WHERE code = %s AND kind = 'alert'"
        " AND closed_at IS NULL",
        f"needs-attention.archive.{code}",
    )
    return int(row["n"])


def test_every_file_is_in_archive_or_database_after_all_archive_errors(
    wired: WiredSite, storm: Storm
) -> None:
    for receipt in (*storm.files.values(), *storm.mails.values()):
        for file in wired.files(receipt):
            contents = [
                sha256(content)
                for key, versions in list(wired.s3.objects.items())
                for _version, content in versions
                if file["sha256"] in key
            ]
            assert file["stored"] is not None or contents == [file["sha256"]]


@pytest.mark.parametrize(
    ("mode", "code", "words"),
    [
        ("denied", "archive-forbidden", "Check what the key in AWS_ACCESS_KEY_ID may do"),
        ("no_bucket", "archive-bucket", "Check AWS_STORAGE_BUCKET_NAME"),
    ],
)
def test_archive_that_denies_access_keeps_files_in_the_database_until_it_recovers(
    wired: WiredSite, mode: str, code: str, words: str
) -> None:
    """A configuration error: nothing fails and nothing is lost, operators are alerted, mails are
    sent, and one click runs all steps once the cause is gone.
    """
    wired.s3.mode = mode
    receipts = [wired.apply_to() for _number in range(2)]
    for receipt in receipts:
        wired.wait_for(receipt, "archive", code)
        assert all(file["stored"] is not None for file in wired.files(receipt))
    until(lambda: alerts_mailed(wired, code) == 1, 120, "no alert was opened")
    assert words in wired.page_of(receipts[0])
    for receipt in receipts:
        for kind in ("mail_applicant", "mail_hr"):
            wired.wait_for(receipt, kind, state="succeeded")
    wired.mend()
    wired.retry_all_like("archive", code)
    wired.wait_for_end(receipts, 120)
    for receipt in receipts:
        assert set(wired.states(receipt).values()) == {"succeeded"}
        for kind in ("cv", "pdf", "manifest"):
            assert len(wired.object_of(receipt, kind)) == 1
        assert all(file["stored"] is None for file in wired.files(receipt))
    assert wired.smtp.doubles() == []


def test_files_deleted_from_the_archive_raise_an_alert_until_restored(
    wired: WiredSite,
) -> None:
    """The database no longer has the bytes, so only the archive check can notice. The schedule
    runs that check; here the administrator does, with “Run now”.
    """
    receipt = wired.apply_to()
    wired.wait_for_end([receipt], 120)
    keys = {file["object_key"] for file in wired.files(receipt)}
    assert len(keys) == 3
    taken = {key: wired.s3.objects.pop(key) for key in keys}

    def said() -> list[str]:
        wired.run_now("careers.check_archive")
        return [
            found["message"]
            for found in wired.status()["findings"]
            if found["code"] == "archive-lost"
        ]

    words = "3 archived files are no longer in the archive (S3)."
    until(lambda: said() == [words], 120, "no alert names them", pause=1)
    assert words in wired.text_of("/admin/tasks/")
    wired.s3.objects |= taken
    until(lambda: said() == [], 120, "it is still said", pause=1)
