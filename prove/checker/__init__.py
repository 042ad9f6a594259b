"""Compares what people were shown with what was stored and sent, independently of the product.

It imports nothing of the product's code: it reads the rows by SQL, the objects from the S3
server's disk, and the ledgers that the applicants, the faults, the person at the admin pages and
the mail server kept in the run's directory. The rules of the product are stated here a second time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prove.checker.evidence import Evidence
from prove.checker.files import check_bucket, check_files
from prove.checker.findings import RED, Findings
from prove.checker.mails import check_mails, check_unconfirmed
from prove.checker.panel import check_attempts, check_panel
from prove.checker.records import check_promises, check_steps
from prove.checker.repetitions import check_repetitions

__all__ = ["RED", "Checker", "Findings"]


class Checker:
    """Compares everything that a campaign left behind.

    Args:
        directory: the run's directory with the ledgers.
        database: ``sqlite:///PATH`` or a PostgreSQL address.
        bucket: the directory in which the S3 server keeps the bucket's objects.
    """

    def __init__(self, directory: Path, database: str, bucket: Path) -> None:
        self.evidence = Evidence(directory, database, bucket)
        self.found = Findings()

    def check(self) -> Findings:
        """Make every comparison."""
        for check in (
            check_promises,
            check_repetitions,
            check_steps,
            check_files,
            check_bucket,
            check_mails,
            check_unconfirmed,
            check_attempts,
            check_panel,
        ):
            check(self.evidence, self.found)
        return self.found

    def lines(self, name: str) -> list[dict[str, Any]]:
        """A ledger; a missing one is empty."""
        return self.evidence.lines(name)
