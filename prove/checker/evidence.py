"""What a campaign left behind: the rows by SQL, the objects from the disk, the ledgers."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import email
import email.policy
import hashlib
import io
import json
import re
import sqlite3
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

MARK = re.compile(r"Zq[a-z]{4}", re.IGNORECASE)
SHOWN_REFERENCE = re.compile(r"(?<![0-9A-Z])[0-9A-Z]{4}-[0-9A-Z]{4}(?![0-9A-Z])")
RECEIPT = re.compile(r"/received/([\w-]{20,})")
#: Seconds by which two clocks of one machine may tell one moment differently.
SLACK = 1
MAILS = ("mail_applicant", "mail_hr")
OTHERS = ("render_pdf", "archive")
SCAN = "scan"
#: The mails about an infected file, to the applicant and to each HR recipient.
WARNINGS = ("mail_infected", "mail_infected_hr")
TO_HR = ("mail_hr", "mail_infected_hr")
DEATHS = {"child": "child dies", "group": "worker dies", "freeze": "worker freezes"}
ENDS = ("succeeded", "failed", "cancelled", "uncertain")


@dataclass(frozen=True)
class Mail:
    """A mail that the mail server accepted."""

    message_id: str
    recipients: tuple[str, ...]
    text: str
    answer: str

    @property
    def confirmed(self) -> bool:
        return re.match(r"2\d\d[ -]", self.answer) is not None and len(self.answer) < 500


class Evidence:
    """Everything that a campaign left behind: ledgers, rows and objects.

    Args:
        directory: the run's directory with the ledgers.
        database: ``sqlite:///PATH`` or a PostgreSQL address.
        bucket: the directory in which the S3 server keeps the bucket's objects.
    """

    def __init__(self, directory: Path, database: str, bucket: Path) -> None:
        self.directory, self.database, self.bucket = directory, database, bucket

    def lines(self, name: str) -> list[dict[str, Any]]:
        """A ledger; a missing one is empty."""
        path = self.directory / f"{name}.jsonl"
        return (
            [json.loads(line) for line in path.read_text("utf-8").splitlines()]
            if path.exists()
            else []
        )

    def rows(self, sql: str) -> list[dict[str, Any]]:
        connection: Any
        if self.database.startswith("sqlite"):
            path = self.database.removeprefix("sqlite:///")
            connection = sqlite3.connect(path, timeout=30)
        else:
            import psycopg

            connection = psycopg.connect(self.database, connect_timeout=10)
        with contextlib.closing(connection):
            cursor = connection.execute(sql)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    @cached_property
    def scans(self) -> bool:
        """Whether the site had a virus scanner."""
        return any(line["scanner"] for line in self.lines("site"))

    @cached_property
    def promises(self) -> list[dict[str, Any]]:
        return self.lines("promises")

    @cached_property
    def promise_of(self) -> dict[int, dict[str, Any]]:
        """What the receipt of each application promises, by the application's id."""
        by_secret = {row["receipt_secret"]: pk for pk, row in self.applications.items()}
        return {
            by_secret[promise["secret"]]: promise
            for promise in self.promises
            if promise["secret"] in by_secret
        }

    @cached_property
    def applications(self) -> dict[int, dict[str, Any]]:
        return {row["id"]: row for row in self.rows("SELECT * FROM careers_application")}

    @cached_property
    def steps(self) -> dict[int, dict[str, Any]]:
        return {
            row["id"]: row
            for row in self.rows("SELECT * FROM careers_step WHERE application_id IS NOT NULL")
        }

    @cached_property
    def steps_of(self) -> dict[int, list[dict[str, Any]]]:
        return grouped(self.steps.values(), "application_id")

    @cached_property
    def events(self) -> dict[int, list[dict[str, Any]]]:
        return grouped(self.rows("SELECT * FROM careers_stepevent ORDER BY id"), "step_id")

    @cached_property
    def last_event_of(self) -> dict[str, float]:
        """When each worker wrote its last event."""
        found: dict[str, float] = {}
        for events in self.events.values():
            for event in events:
                at = as_moment(event["at"]).timestamp()
                found[event["actor"]] = max(at, found.get(event["actor"], at))
        return found

    @cached_property
    def consents_of(self) -> dict[int, list[dict[str, Any]]]:
        return grouped(self.rows("SELECT * FROM careers_consentrecord"), "application_id")

    @cached_property
    def files_of(self) -> dict[int, list[dict[str, Any]]]:
        return grouped(self.rows("SELECT * FROM careers_applicationfile"), "application_id")

    @cached_property
    def kept_bytes(self) -> dict[int, str]:
        """File ids whose bytes the database still holds, with their hashes."""
        return {
            row["file_id"]: hashlib.sha256(bytes(row["content"])).hexdigest()
            for row in self.rows("SELECT file_id, content FROM careers_filebytes")
        }

    @cached_property
    def mails(self) -> list[Mail]:
        """The mail server's ledger."""
        found = []
        for line in self.lines("mails"):
            content = base64.b64decode(line["content"])
            parsed = email.message_from_bytes(content, policy=email.policy.default)
            text = "\n".join(f"{name}: {value}" for name, value in parsed.items())
            for part in parsed.walk():
                if part.get_content_maintype() == "text":
                    text += "\n" + part.get_content()
            recipients = tuple(address.lower() for address in line["recipients"])
            found.append(Mail(str(parsed["Message-ID"]).strip(), recipients, text, line["answer"]))
        return found

    @cached_property
    def by_message_id(self) -> dict[str, dict[str, Any]]:
        """The step that each Message-ID belongs to."""
        found = {}
        for step in self.steps.values():
            application = self.applications[step["application_id"]]
            public = str(as_uuid(application["public_id"]))
            if step["kind"] == "mail_applicant":
                found[f"receipt.{public}.{step['sequence']}"] = step
            elif step["kind"] == "mail_infected":
                found[f"infected.{public}.{step['sequence']}"] = step
            elif step["kind"] in TO_HR:
                mark = hashlib.sha256(f"{public} {step['recipient'].lower()}".encode())
                kind = "hr" if step["kind"] == "mail_hr" else "infected-hr"
                found[f"{kind}.{public}.{mark.hexdigest()[:16]}.{step['sequence']}"] = step
        return found

    def step_of(self, mail: Mail) -> dict[str, Any] | None:
        return self.by_message_id.get(mail.message_id.strip("<>").rpartition("@")[0])

    @cached_property
    def references(self) -> set[str]:
        return {row["reference"] for row in self.applications.values()}

    @cached_property
    def marks(self) -> set[str]:
        """The marks of all people of this campaign."""
        rows = self.applications.values()
        return {mark.lower() for row in rows for mark in MARK.findall(row["email"])}

    def was(self, step_id: int, state: str) -> bool:
        """Whether a step was ever in a state."""
        return any(event["to_state"] == state for event in self.events.get(step_id, []))

    def object(self, key: str) -> bytes | None:
        """What the bucket holds under a key."""
        path = self.bucket / key
        return path.read_bytes() if path.is_file() else None

    @cached_property
    def deaths(self) -> list[dict[str, Any]]:
        """Processes that the plan killed or froze at a point of a step."""
        return [death for death in self.lines("deaths") if death["victim"] in DEATHS]

    @cached_property
    def happened(self) -> list[dict[str, Any]]:
        return [fault for fault in self.lines("faults") if fault["happened"]]


def slot_of(step: dict[str, Any]) -> tuple[Any, ...]:
    """What identifies a step within its application."""
    return step["application_id"], step["kind"], step["recipient"], step["sequence"]


def total(steps: dict[str, Any], state: str) -> int:
    return sum(states.get(state, 0) for states in steps.values())


def grouped(rows: Iterable[dict[str, Any]], key: str) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row[key]].append(row)
    return found


def united(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same time as spans that do not overlap."""
    found: list[tuple[float, float]] = []
    for began, ended in sorted(spans):
        if found and began <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ended))
        else:
            found.append((began, ended))
    return found


def letters(text: str) -> str:
    """Only letters and digits, for texts with other line breaks and hyphens."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", text) if letter.isalnum())


def as_json(value: Any) -> dict[str, Any]:
    """SQLite keeps JSON as text."""
    found: dict[str, Any] = json.loads(value) if isinstance(value, str) else value
    return found


def as_uuid(value: Any) -> Any:
    """SQLite keeps a UUID as 32 hex digits."""
    import uuid

    return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))


def as_moment(value: Any) -> dt.datetime:
    moment = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def text_of_pdf(content: bytes) -> str:
    import pypdfium2

    document = pypdfium2.PdfDocument(io.BytesIO(content))
    with contextlib.closing(document):
        return "\n".join(page.get_textpage().get_text_range() for page in document)
