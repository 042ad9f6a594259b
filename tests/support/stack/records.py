"""What a site keeps, read from outside: rows by SQL, objects from the disk."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.support.processes import Process, until
from tests.support.speed import patient
from tests.support.stack.posting import Receipt
from tests.support.stack.template import BUCKET

#: States in which nothing more happens by itself; ``failed`` and ``uncertain`` wait for a person.
ENDS = ("succeeded", "failed", "uncertain", "cancelled")

#: The steps of an application when all went well.
DONE = {
    "render_pdf": "succeeded",
    "archive": "succeeded",
    "mail_applicant": "succeeded",
    "mail_hr": "succeeded",
}


def column(field: str) -> str:
    """The column of a field of ``Step``; some columns keep an older name."""
    from careers.pipeline.models import Step

    return str(Step._meta.get_field(field).column)


class Records:
    """The rows and objects of a site.

    Attributes:
        var: the directory that holds all that the site writes.
        database: its address.
        parts: the site's processes.
    """

    var: Path
    database: str
    parts: dict[str, Process]

    def keep_running(self, *names: str) -> None:
        """Restart those parts that ended."""
        raise NotImplementedError

    def query(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        """Rows of a statement with ``%s`` for parameters, read in a connection of its own.

        A migration takes locks meanwhile, and PostgreSQL may end this statement to solve a
        deadlock; it is then sent again.
        """
        from psycopg.errors import DeadlockDetected

        for _attempt in range(3):
            with contextlib.suppress(DeadlockDetected):
                return self._query(sql, *parameters)
        return self._query(sql, *parameters)

    def _query(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        with self._connected() as connection:
            if self.database.startswith("postgres"):
                cursor = connection.execute(sql, parameters or None)
            else:
                cursor = connection.execute(sql.replace("%s", "?"), parameters)
            if cursor.description is None:
                return []
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def change_content(self, sql: str, *parameters: Any) -> None:
        """Change what pages show by SQL, with the new version that Django would write."""
        self.query(sql, *parameters)
        self.query(
            "INSERT INTO home_contentversion (id, version) VALUES (1, %s)"
            " ON CONFLICT (id) DO UPDATE SET version = excluded.version",
            secrets.token_hex(16),
        )

    def application(self, receipt: Receipt) -> dict[str, Any]:
        """The row behind a receipt."""
        (row,) = self.query(
            "SELECT * FROM careers_application WHERE receipt_secret = %s", receipt.secret
        )
        return row

    def steps(self, receipt: Receipt) -> list[dict[str, Any]]:
        """The steps of one application, in the order of their making."""
        return self.query(
            "SELECT s.* FROM careers_step s JOIN careers_application a ON a.id = s.application_id"
            " WHERE a.receipt_secret = %s ORDER BY s.id",
            receipt.secret,
        )

    def step(self, receipt: Receipt, kind: str) -> dict[str, Any]:
        (row,) = [step for step in self.steps(receipt) if step["kind"] == kind]
        return row

    def states(self, receipt: Receipt) -> dict[str, str]:
        return {step["kind"]: step["state"] for step in self.steps(receipt)}

    def counts(self, receipts: Iterable[Receipt]) -> dict[str, Counter[str]]:
        """How many steps of these applications are in which state, by kind."""
        wanted = {receipt.secret for receipt in receipts}
        found: dict[str, Counter[str]] = {}
        for row in self.query(
            "SELECT s.kind, s.state, a.receipt_secret FROM careers_step s"
            " JOIN careers_application a ON a.id = s.application_id"
        ):
            if row["receipt_secret"] in wanted:
                found.setdefault(row["kind"], Counter())[row["state"]] += 1
        return found

    def ended(self, receipts: Iterable[Receipt]) -> bool:
        """Whether nothing more will happen by itself to these applications."""
        counts = self.counts(receipts).values()
        return all(state in ENDS for states in counts for state in states)

    def wait_for_end(
        self, receipts: Iterable[Receipt], seconds: float = 120, keep: Iterable[str] = ()
    ) -> None:
        """Wait until nothing more will happen by itself; restart the parts in ``keep``."""
        receipts, keep = list(receipts), list(keep)

        def done() -> bool:
            self.keep_running(*keep)
            return self.ended(receipts)

        try:
            until(done, seconds, "some steps did not end", pause=0.3)
        except AssertionError as error:
            rest = {kind: dict(states) for kind, states in self.counts(receipts).items()}
            words = "\n".join(part.last_words(8) for part in self.parts.values())
            raise AssertionError(f"{error}: {rest}\n{words}") from None

    def files(self, receipt: Receipt) -> list[dict[str, Any]]:
        """The file rows of one application; ``stored`` tells whether the bytes are there."""
        return self.query(
            "SELECT f.*, b.file_id AS stored FROM careers_applicationfile f"
            " JOIN careers_application a ON a.id = f.application_id"
            " LEFT JOIN careers_filebytes b ON b.file_id = f.id"
            " WHERE a.receipt_secret = %s ORDER BY f.id",
            receipt.secret,
        )

    def object(self, key: str) -> bytes:
        """What the S3 server has on its disk under a key."""
        return (self.var / "archive" / BUCKET / key).read_bytes()

    def object_keys(self) -> list[str]:
        bucket = self.var / "archive" / BUCKET
        return sorted(str(p.relative_to(bucket)) for p in bucket.rglob("*") if p.is_file())

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Any]:
        connection: Any
        if self.database.startswith("postgres"):
            import psycopg

            connection = psycopg.connect(self.database, autocommit=True)
        else:
            connection = sqlite3.connect(
                self.var / "db.sqlite3", timeout=patient(20), isolation_level=None
            )
        with contextlib.closing(connection):
            yield connection
