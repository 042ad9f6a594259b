"""Compares what people were told with what there is, and believes nothing that we say.

It knows nothing of the product's code: it reads the rows by SQL, the objects from the S3
server's disk, and the ledgers that the applicants, the faults, the person at the panel and the
mail server kept in the run's directory. What the product must do is written here once more.
"""

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
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

MARK = re.compile(r"Zq[a-z]{4}", re.IGNORECASE)
SHOWN_REFERENCE = re.compile(r"(?<![0-9A-Z])[0-9A-Z]{4}-[0-9A-Z]{4}(?![0-9A-Z])")
RECEIPT = re.compile(r"/received/([\w-]{20,})")
MAILS = ("mail_applicant", "mail_hr")
OTHERS = ("render_pdf", "archive")
ENDS = ("succeeded", "failed", "cancelled", "uncertain")
DEATHS = {"child": "child dies", "group": "worker dies", "freeze": "worker freezes"}
#: Seconds by which two clocks of one machine may tell one moment differently.
SLACK = 1
#: Seconds after a fault in which an applicant may still be sent away; a fault of the web server
#: has ended only when the new one answers.
AFTERMATH = 5
#: Seconds that the site waits for SQLite's only lock, before it asks an applicant to try again.
LOCK_PATIENCE = 20
#: What an applicant may be told then: nothing at all, or that he should try again.
SENT_AWAY = (0, 503)
#: What makes a campaign red, in words.
RED = {
    "lost": "lost",
    "twice": "twice",
    "wrong": "wrong content",
    "stuck": "stuck",
    "unexplained": "unexplained",
    "refused": "applicants refused",
    "panel": "panel said otherwise",
}


@dataclass
class Findings:
    """What the comparison came to.

    Attributes:
        red: by the words of ``RED``, a sentence for each thing that must not be.
        unconfirmed: how many mails were unconfirmed at some time, by cause.
        shown: mails that the mail server refused for good and that the panel shows as failed.
        both: times that a person sent a mail again and the first one had arrived, too.
        counts: what there was to compare.
        excusing: in which share of the time an applicant may have been sent away.
        doubtful: of which share of the mails that went well a doubt would have been excused.
    """

    red: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in RED})
    unconfirmed: Counter[str] = field(default_factory=Counter)
    shown: int = 0
    both: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    excusing: float = 0.0
    doubtful: float = 0.0

    @property
    def ok(self) -> bool:
        return not any(self.red.values())


@dataclass(frozen=True)
class Try:
    """One time that somebody had a mail in hand."""

    step: int
    owner: str
    began: float
    ended: float
    #: Who wrote down how it ended.
    by: str

    def meets(self, began: float, ended: float) -> bool:
        return self.began - SLACK <= ended and began <= self.ended + SLACK


@dataclass(frozen=True)
class Mail:
    """A mail that the mail server took."""

    message_id: str
    recipients: tuple[str, ...]
    text: str
    answer: str

    @property
    def confirmed(self) -> bool:
        return re.match(r"2\d\d[ -]", self.answer) is not None and len(self.answer) < 500


class Checker:
    """One look at everything that a campaign left behind.

    Args:
        evidence: the run's directory with the ledgers.
        database: ``sqlite:///PATH`` or a PostgreSQL address.
        bucket: the directory in which the S3 server keeps the bucket's objects.
    """

    def __init__(self, evidence: Path, database: str, bucket: Path) -> None:
        self.evidence, self.bucket = evidence, bucket
        self._database = database
        #: How many doubts each fault has explained that can explain only so many.
        self._spent: Counter[int] = Counter()
        self.found = Findings()

    def check(self) -> Findings:
        """Look at everything."""
        for look in (
            self._promises,
            self._applications,
            self._steps,
            self._files,
            self._bucket,
            self._mails,
            self._unconfirmed,
            self._attempts,
            self._panel,
        ):
            look()
        return self.found

    def _red(self, what: str, sentence: str) -> None:
        self.found.red[what].append(sentence)

    # ── What there is ───────────────────────────────────────────────────────────────────

    def lines(self, name: str) -> list[dict[str, Any]]:
        """A ledger; an absent one is an empty one."""
        path = self.evidence / f"{name}.jsonl"
        return (
            [json.loads(line) for line in path.read_text("utf-8").splitlines()]
            if path.exists()
            else []
        )

    def rows(self, sql: str) -> list[dict[str, Any]]:
        connection: Any
        if self._database.startswith("sqlite"):
            path = self._database.removeprefix("sqlite:///")
            connection = sqlite3.connect(path, timeout=30)
        else:
            import psycopg

            connection = psycopg.connect(self._database, connect_timeout=10)
        with contextlib.closing(connection):
            cursor = connection.execute(sql)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    @cached_property
    def promises(self) -> list[dict[str, Any]]:
        return self.lines("promises")

    @cached_property
    def promise_of(self) -> dict[int, dict[str, Any]]:
        """What the receipt of each application promises; filled by ``_promises``."""
        return {}

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
        return _grouped(self.steps.values(), "application_id")

    @cached_property
    def events(self) -> dict[int, list[dict[str, Any]]]:
        return _grouped(self.rows("SELECT * FROM careers_stepevent ORDER BY id"), "step_id")

    @cached_property
    def last_word_of(self) -> dict[str, float]:
        """When each worker wrote its last event."""
        found: dict[str, float] = {}
        for events in self.events.values():
            for event in events:
                at = _moment(event["at"]).timestamp()
                found[event["actor"]] = max(at, found.get(event["actor"], at))
        return found

    @cached_property
    def consents_of(self) -> dict[int, list[dict[str, Any]]]:
        return _grouped(self.rows("SELECT * FROM careers_consentrecord"), "application_id")

    @cached_property
    def files_of(self) -> dict[int, list[dict[str, Any]]]:
        return _grouped(self.rows("SELECT * FROM careers_applicationfile"), "application_id")

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
            public = str(_uuid(application["public_id"]))
            if step["kind"] == "mail_applicant":
                found[f"receipt.{public}.{step['sequence']}"] = step
            elif step["kind"] == "mail_hr":
                mark = hashlib.sha256(f"{public} {step['recipient'].lower()}".encode())
                found[f"hr.{public}.{mark.hexdigest()[:16]}.{step['sequence']}"] = step
        return found

    def step_of(self, mail: Mail) -> dict[str, Any] | None:
        return self.by_message_id.get(mail.message_id.strip("<>").rpartition("@")[0])

    @cached_property
    def references(self) -> set[str]:
        return {row["reference"] for row in self.applications.values()}

    @cached_property
    def marks(self) -> set[str]:
        """What tells the people of this campaign apart."""
        rows = self.applications.values()
        return {mark.lower() for row in rows for mark in MARK.findall(row["email"])}

    # ── What must be ────────────────────────────────────────────────────────────────────

    def _promises(self) -> None:
        """Behind each receipt is what was sent; the same content has one receipt, not two."""
        by_secret = {row["receipt_secret"]: row for row in self.applications.values()}
        receipts: dict[int, set[str]] = defaultdict(set)
        for promise in self.promises:
            self.found.counts["receipts"] += 1
            who = f"application {promise['number']}"
            receipts[promise["number"]].add(promise["secret"])
            row = by_secret.get(promise["secret"])
            if row is None:
                self._red("lost", f"{who} has a receipt and no row")
                continue
            self.promise_of[row["id"]] = promise
            self._content(who, row, promise)
            uploads = [
                (file["kind"], file["sha256"])
                for file in self.files_of.get(row["id"], [])
                if file["kind"] not in ("pdf", "manifest")
            ]
            kinds = {kind for kind, _sha256 in uploads}
            for upload in promise["files"].items():
                if upload not in uploads:
                    what = "wrong" if upload[0] in kinds else "lost"
                    self._red(what, f"{who}: not the {upload[0]} that was uploaded")
            if len(uploads) > len(promise["files"]):
                self._red("twice", f"{who}: {len(uploads)} uploads")
        for number, secrets in receipts.items():
            if len(secrets) > 1:
                self._red("twice", f"application {number} has {len(secrets)} different receipts")
        for number in {attempt["number"] for attempt in self.lines("attempts")} - receipts.keys():
            self._red("lost", f"application {number} never got a receipt")

    def _content(self, who: str, row: dict[str, Any], promise: dict[str, Any]) -> None:
        """A row says what was typed, and in which words it was asked."""
        for name in ("name", "email", "phone", "language", "reference"):
            if row[name] != promise[name]:
                self._red("wrong", f"{who}: the row has another {name}")
        answers, form = _json(row["answers"]), _json(row["form"])
        for key in promise["answers"].keys() | answers.keys():
            if answers.get(key) != promise["answers"].get(key):
                self._red("wrong", f"{who}: the row has another answer to “{key}”")
        labels = {each["key"]: each["label"] for each in form.get("questions", [])}
        if not promise["asked"].items() <= labels.items():
            self._red("wrong", f"{who}: the row has another form than the one that was filled in")
        if form.get("language") != promise["language"]:
            self._red("wrong", f"{who}: the form is in another language")
        consents = {
            (each["purpose"] == "privacy_notice" or each["text"], bool(each["given"]))
            for each in self.consents_of.get(row["id"], [])
        }
        if consents != {(True, True), *promise["consents"].items()}:
            self._red("wrong", f"{who}: not what was consented to")
        hr = sorted(
            step["recipient"]
            for step in self.steps_of.get(row["id"], [])
            if step["kind"] == "mail_hr" and not step["sequence"]
        )
        for recipient in set(promise["hr"]) - set(hr):
            self._red("lost", f"{who}: no step tells {recipient}")
        for recipient in set(hr) - set(promise["hr"]):
            self._red("twice", f"{who}: a step tells {recipient}, who is not to be told")

    def _applications(self) -> None:
        """Nobody has an application that nobody sent."""
        sent = {promise["secret"] for promise in self.promises}
        self.found.counts["applications"] = len(self.applications)
        for row in self.applications.values():
            if row["receipt_secret"] not in sent:
                self._red("twice", f"application {row['reference']} was sent by nobody")

    def _steps(self) -> None:
        """Each application has each step, each step has ended or waits for a person."""
        for pk, application in self.applications.items():
            steps = self.steps_of.get(pk, [])
            kinds = Counter(step["kind"] for step in steps if step["sequence"] == 0)
            for kind in (*OTHERS, *MAILS):
                if not kinds[kind]:
                    self._red("lost", f"{application['reference']} has no step {kind}")
                elif kinds[kind] > 1 and kind != "mail_hr":
                    self._red("twice", f"{application['reference']} has {kinds[kind]} × {kind}")
            for step in steps:
                self.found.counts["steps"] += 1
                name = f"{application['reference']} {step['kind']} (step {step['id']})"
                if application["quarantined"]:
                    self._red("stuck", f"{name} is held back, and nobody sent anything suspicious")
                elif step["state"] not in ENDS:
                    self._red("stuck", f"{name} is {step['state']} ({step['error_code']})")
                elif step["state"] == "failed" and step["kind"] in OTHERS:
                    self._red("stuck", f"{name} failed: {step['error_code']}")
        wanted = {(act["step"], act["act"]) for act in self.lines("acts")}
        chains = {self._slot(step): step for step in self.steps.values()}
        for step in self.steps.values():
            if step["sequence"]:
                *slot, number = self._slot(step)
                before = chains.get((*slot, number - 1))
                if before is None or (before["id"], "send-again") not in wanted:
                    self._red("twice", f"step {step['id']} is a mail that nobody asked for again")

    @staticmethod
    def _slot(step: dict[str, Any]) -> tuple[Any, ...]:
        return step["application_id"], step["kind"], step["recipient"], step["sequence"]

    def _files(self) -> None:
        """Every file is in the bucket byte for byte, or still in the database."""
        for pk, application in self.applications.items():
            files = self.files_of.get(pk, [])
            done = {
                step["kind"]: step["state"] == "succeeded" for step in self.steps_of.get(pk, [])
            }
            kinds = Counter(file["kind"] for file in files)
            wanted = {"cv", "cover_letter", "answer"}
            wanted |= {"pdf"} if done.get("render_pdf") else set()
            wanted |= {"manifest"} if done.get("archive") else set()
            for kind in sorted(wanted):
                if not kinds[kind]:
                    self._red("lost", f"{application['reference']} has no {kind}")
            for file in files:
                self._file(application, file, archived=done.get("archive", False))

    def _file(self, application: dict[str, Any], file: dict[str, Any], *, archived: bool) -> None:
        name = f"{application['reference']} {file['kind']}"
        kept = self.kept_bytes.get(file["id"])
        if kept is not None and kept != file["sha256"]:
            self._red("wrong", f"{name}: other bytes in the database")
        if not file["object_key"]:
            if archived or kept is None:
                self._red("lost", f"{name} is neither archived nor kept")
            return
        self.found.counts["objects"] += 1
        content = self._object(file["object_key"])
        if content is None:
            self._red("lost", f"{name} is not in the bucket")
        elif hashlib.sha256(content).hexdigest() != file["sha256"]:
            self._red("wrong", f"{name}: other bytes in the bucket")
        elif file["kind"] == "pdf":
            self._pdf(name, application, content)
        elif file["kind"] == "manifest":
            self._manifest(name, application, content)

    def _object(self, key: str) -> bytes | None:
        path = self.bucket / key
        return path.read_bytes() if path.is_file() else None

    def _pdf(self, name: str, application: dict[str, Any], content: bytes) -> None:
        try:
            text = _text_of_pdf(content)
        except Exception as error:  # whatever is wrong with it, it is no PDF for a reader
            self._red("wrong", f"{name} can't be read as a PDF: {error}")
            return
        self.found.counts["PDFs read"] += 1
        self._speaks_of(name, application, text, name_too=True)
        # Lines end where they have to, and some words are parted there.
        set_in_type = _letters(text)
        for words in self.promise_of.get(application["id"], {}).get("words", []):
            if _letters(words) not in set_in_type:
                self._red("wrong", f"{name} lacks an answer: “{words}”")

    def _manifest(self, name: str, application: dict[str, Any], content: bytes) -> None:
        manifest = json.loads(content)
        if manifest["reference"] != application["reference"]:
            self._red("wrong", f"{name} names {manifest['reference']}")
        if manifest["applicant"]["email"] != application["email"]:
            self._red("wrong", f"{name} names somebody else")
        told = {file["key"]: file["sha256"] for file in manifest["files"]}
        rows = {
            file["object_key"]: file["sha256"]
            for file in self.files_of[application["id"]]
            if file["kind"] != "manifest"
        }
        if told != rows:
            self._red("wrong", f"{name} names other files or hashes than the rows")

    def _speaks_of(
        self, name: str, application: dict[str, Any], text: str, *, name_too: bool
    ) -> None:
        """A text names this application and this person, and no other."""
        references = set(SHOWN_REFERENCE.findall(text)) & self.references
        if application["reference"] not in references:
            self._red("wrong", f"{name} does not name its reference")
        if references - {application["reference"]}:
            self._red("wrong", f"{name} names another application")
        own = {mark.lower() for mark in MARK.findall(application["email"])}
        # By chance a secret or a hash holds the letters of a mark that nobody has.
        marks = {mark.lower() for mark in MARK.findall(text)} & self.marks
        if marks - own:
            self._red("wrong", f"{name} names another person")
        if name_too and not own <= marks:
            self._red("wrong", f"{name} does not name its person")

    def _bucket(self) -> None:
        """Nothing lies in the bucket that no row knows."""
        known = {file["object_key"] for files in self.files_of.values() for file in files}
        for path in self.bucket.rglob("*"):
            key = str(path.relative_to(self.bucket))
            if path.is_file() and key not in known and key != "careers-probe":
                self._red("twice", f"the object {key} belongs to nothing")

    def _mails(self) -> None:
        """Each mail went out once, to the right address, about the right application."""
        times: Counter[int] = Counter()
        for mail in self.mails:
            if "operators." in mail.message_id:
                continue
            self.found.counts["mails"] += 1
            step = self.step_of(mail)
            if step is None:
                self._red("twice", f"the mail {mail.message_id} belongs to no step")
                continue
            times[step["id"]] += 1
            application = self.applications[step["application_id"]]
            to_hr = step["kind"] == "mail_hr"
            wanted = step["recipient"] if to_hr else application["email"]
            name = f"the mail {step['kind']} of {application['reference']}"
            if mail.recipients != (wanted.lower(),):
                self._red("wrong", f"{name} went to somebody else")
            self._speaks_of(name, application, mail.text, name_too=to_hr)
            secrets = set(RECEIPT.findall(mail.text))
            if secrets != (set() if to_hr else {application["receipt_secret"]}):
                self._red("wrong", f"{name} links to another receipt, or to none")
        for pk, number in times.items():
            if number > 1:
                self._red("twice", f"the mail of step {pk} was accepted {number} times")
        arrived: dict[tuple[Any, ...], set[int]] = defaultdict(set)
        for pk in times:
            *slot, sequence = self._slot(self.steps[pk])
            arrived[tuple(slot)].add(sequence)
        self.found.both = sum(len(sequences) - 1 for sequences in arrived.values())
        confirmed_by_people = {act["step"] for act in self.lines("acts") if act["act"] == "confirm"}
        refusals = Counter(line["recipient"] for line in self.lines("refusals"))
        failures: Counter[str] = Counter()
        for pk, step in self.steps.items():
            if step["kind"] not in MAILS:
                continue
            name = f"{step['kind']} (step {pk})"
            if step["state"] == "succeeded" and not times[pk]:
                told = "a person said it arrived" if pk in confirmed_by_people else "shown as done"
                self._red("panel", f"{name}: {told}, and the mail server never took it")
            recipient = step["recipient"] or self.applications[step["application_id"]]["email"]
            failures[recipient] += sum(
                event["to_state"] == "failed" for event in self.events.get(pk, [])
            )
            if step["state"] == "failed":
                failures[recipient] += not self._was(pk, "failed")
                if times[pk]:
                    self._red("panel", f"{name}: shown as failed, and the mail server took it")
                elif step["error_class"] == "permanent" and refusals[recipient]:
                    self.found.shown += 1
                else:
                    self._red("unexplained", f"{name} failed: {step['error_code']}")
            if step["state"] == "cancelled" and not self._was(pk, "uncertain"):
                self._red("unexplained", f"{name} is cancelled, and nobody did that")
        for recipient, number in failures.items():
            if number > refusals[recipient]:
                told = f"refused {refusals[recipient]}"
                self._red("unexplained", f"{number} mails to {recipient} failed, {told}")

    def _was(self, step_id: int, state: str) -> bool:
        return any(event["to_state"] == state for event in self.events.get(step_id, []))

    def _unconfirmed(self) -> None:
        """A mail is unconfirmed where nobody could know, for a cause that can be named."""
        silent = set()
        for mail in self.mails:
            step = self.step_of(mail)
            if step is not None and not mail.confirmed:
                silent.add(step["id"])
                if not self._was(step["id"], "uncertain"):
                    self._red(
                        "panel", f"step {step['id']}: nobody confirmed its mail, and it is no doubt"
                    )
        tries = sure = 0
        for pk in self.steps:
            if self.steps[pk]["kind"] not in MAILS:
                continue
            for attempt, state in self._tries(pk):
                if state == "succeeded":
                    tries += 1
                    sure += not self._cause(attempt)
                if state != "uncertain":
                    continue
                if pk in silent:
                    silent.discard(pk)
                    self.found.unconfirmed["the mail server fell silent after the dot"] += 1
                elif cause := self._cause(attempt, spend=True):
                    self.found.unconfirmed[cause] += 1
                else:
                    self._red("unexplained", f"step {pk} is unconfirmed without a cause")
        self.found.doubtful = 1 - sure / tries if tries else 0.0

    def _tries(self, pk: int) -> Iterator[tuple[Try, str]]:
        """Each time that a step came out of somebody's hand, and into which state."""
        owner, began = "", 0.0
        for event in self.events.get(pk, []):
            at = _moment(event["at"]).timestamp()
            if event["to_state"] == "started":
                owner, began = event["actor"], at
            elif event["from_state"] == "started" or event["to_state"] == "uncertain":
                yield Try(pk, owner, began or at, at, event["actor"]), event["to_state"]

    def _cause(self, attempt: Try, *, spend: bool = False) -> str:
        """What kept the sender of a mail from knowing, while he had it in hand; "" if nothing.

        Args:
            spend: a fault that can explain only so many doubts has then explained one more.
        """
        for death in self.deaths:
            alone = death["victim"] == "child"
            struck = (
                death["step"] == attempt.step if alone else death["owner"] == attempt.owner
            ) and attempt.meets(death["at"], death["at"])
            if struck:
                return f"{death['kind']}, {death['point']}: {DEATHS[death['victim']]}"
        for number, fault in enumerate(self.struck):
            most = self._explains(fault, attempt)
            if self._spent[number] < most:
                self._spent[number] += spend
                return str(fault["kind"])
        return ""

    def _explains(self, fault: dict[str, Any], attempt: Try) -> float:
        """How many doubts like this one a fault may be the cause of."""
        began, ended = fault["began"], fault["ended"]
        senders = {"io": "worker:", "sweeper": "sweeper:"}.get(fault["target"], "nobody")
        its_own = attempt.owner.startswith(senders)
        fell_silent = self.last_word_of.get(attempt.owner, 0) <= ended + SLACK
        for blame in fault["blames"]:
            match blame:
                case "killed" if its_own and fell_silent and attempt.meets(began, ended):
                    return float("inf")
                case "frozen" if its_own and attempt.meets(began, began):
                    return float("inf")
                case "child" if its_own and attempt.meets(ended - SLACK, ended):
                    return 1
                case "stalled" if attempt.meets(began, ended):
                    return float("inf")
                case "cut" if attempt.by == attempt.owner and attempt.meets(began, ended):
                    return float(fault["times"])
        return 0

    @cached_property
    def deaths(self) -> list[dict[str, Any]]:
        """Who came to a point of a step at which the plan let him die, or freeze."""
        return [death for death in self.lines("deaths") if death["victim"] in DEATHS]

    @cached_property
    def struck(self) -> list[dict[str, Any]]:
        return [fault for fault in self.lines("faults") if fault["struck"]]

    def _attempts(self) -> None:
        """Only what stands between an applicant and the database may send him away."""
        storms = _united(
            (fault["began"] - SLACK, fault["ended"] + AFTERMATH)
            for fault in self.struck
            if "web" in fault["blames"]
        )
        # Who is frozen may hold the one lock of SQLite.
        held = _united(
            (fault["began"] - SLACK, fault["ended"] + SLACK)
            for fault in self.struck
            if "frozen" in fault["blames"] and self._database.startswith("sqlite")
        )
        attempts = self.lines("attempts")
        for attempt in attempts:
            self.found.counts["attempts"] += 1
            if attempt["status"] == 303:
                continue
            self.found.counts["sent away"] += 1
            began, ended = attempt["at"], attempt["at"] + attempt["seconds"]
            waited = attempt["status"] == 503 and attempt["seconds"] >= LOCK_PATIENCE
            excuses = [*storms, *held] if waited else storms
            excused = any(start <= ended and began <= end for start, end in excuses)
            if attempt["status"] not in SENT_AWAY or not excused:
                told = attempt["status"] or attempt["error"]
                self._red("refused", f"application {attempt['number']} got {told}")
        if attempts:
            first = min(attempt["at"] for attempt in attempts)
            last = max(attempt["at"] + attempt["seconds"] for attempt in attempts)
            stormy = sum(max(0, min(end, last) - max(start, first)) for start, end in storms)
            self.found.excusing = stormy / (last - first)

    def _panel(self) -> None:
        """The panel's figures lie between the rows just before and just after it was asked."""
        confirmed = Counter(act["kind"] for act in self.lines("acts") if act["act"] == "confirm")
        for sample in self.lines("samples"):
            self.found.counts["looks at the panel"] += 1
            before, after, told = sample["before"], sample["after"], sample["told"]
            when = dt.datetime.fromtimestamp(sample["at"], dt.UTC).strftime("%H:%M:%S")
            pairs = [("applications", told["applications"], "applications", None)]
            pairs += [
                (f"{kind} done", told["steps"].get(kind, {}).get("succeeded", 0), kind, "succeeded")
                for kind in (*OTHERS, *MAILS)
            ]
            for words, number, kind, state in pairs:
                low, high = (
                    rows["applications"]
                    if state is None
                    else rows["steps"].get(kind, {}).get(state, 0)
                    for rows in (before, after)
                )
                if not low <= number <= high:
                    self._red("panel", f"{when}: {words} {number}, rows {low} to {high}")
                if kind in MAILS and number - confirmed[kind] > sample["mails"][kind]:
                    self._red("panel", f"{when}: {words} {number}, the mail server has fewer")
            shown = sample.get("shown")
            if shown is None:
                continue
            done = [_total(rows["steps"], "succeeded") for rows in (before, after)]
            if not done[0] <= shown["done"] <= done[1]:
                self._red("panel", f"{when}: the page says {shown['done']} done, rows {done}")
            if sample["final"]:
                self._panel_at_the_end(told, shown)

    def _panel_at_the_end(self, told: dict[str, Any], shown: dict[str, int]) -> None:
        rows: dict[str, Counter[str]] = defaultdict(Counter)
        for step in self.rows("SELECT kind, state, error_class FROM careers_step"):
            rows[step["kind"]][step["state"]] += 1
        ours = {kind: dict(states) for kind, states in rows.items()}
        theirs = {
            kind: {state: number for state, number in states.items() if number}
            for kind, states in told["steps"].items()
        }
        if {kind: states for kind, states in theirs.items() if states} != ours:
            self._red("panel", f"at the end: {theirs}, the rows say {ours}")
        need = _total(ours, "failed") + _total(ours, "uncertain")
        way = sum(_total(ours, s) for s in ("waiting", "queued", "sent", "retrying"))
        for name, number in (
            ("attention", need),
            ("waiting", way),
            ("running", _total(ours, "started")),
            ("done", _total(ours, "succeeded")),
        ):
            if shown[name] != number:
                self._red("panel", f"at the end the page says {name} {shown[name]}, not {number}")


def _total(steps: dict[str, Any], state: str) -> int:
    return sum(states.get(state, 0) for states in steps.values())


def _grouped(rows: Iterable[dict[str, Any]], key: str) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row[key]].append(row)
    return found


def _united(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same time in spans that don't overlap."""
    found: list[tuple[float, float]] = []
    for began, ended in sorted(spans):
        if found and began <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ended))
        else:
            found.append((began, ended))
    return found


def _letters(text: str) -> str:
    """Letters and digits only: all that is left of a text when lines and hyphens are not."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", text) if letter.isalnum())


def _json(value: Any) -> dict[str, Any]:
    """SQLite keeps JSON as text."""
    found: dict[str, Any] = json.loads(value) if isinstance(value, str) else value
    return found


def _uuid(value: Any) -> Any:
    """SQLite keeps a UUID as 32 hex digits."""
    import uuid

    return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))


def _moment(value: Any) -> dt.datetime:
    moment = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _text_of_pdf(content: bytes) -> str:
    import pypdfium2

    document = pypdfium2.PdfDocument(io.BytesIO(content))
    with contextlib.closing(document):
        return "\n".join(page.get_textpage().get_text_range() for page in document)
