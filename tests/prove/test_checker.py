"""The checker reports each thing that must not be: a real run, altered afterwards."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from prove import checker
from prove.checker import Checker, Findings
from prove.checker.evidence import Evidence
from tests.support.short_campaign import ShortCampaign
from tests.support.stack import BUCKET

#: The first test waits for the campaigns.
pytestmark = pytest.mark.timeout(1200)
Tamper = Callable[["Run"], None]


class Run:
    """What a campaign on SQLite left behind, to be altered."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.database = directory / "site" / "db.sqlite3"
        self.bucket = directory / "site" / "archive" / BUCKET

    def check(self) -> Findings:
        return Checker(self.directory, f"sqlite:///{self.database}", self.bucket).check()

    def sql(self, statement: str, *parameters: Any) -> list[Any]:
        with closing(sqlite3.connect(self.database, isolation_level=None)) as connection:
            return connection.execute(statement, parameters).fetchall()

    def ledger(self, name: str) -> list[dict[str, Any]]:
        text = (self.directory / f"{name}.jsonl").read_text("utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def write(self, name: str, lines: list[dict[str, Any]]) -> None:
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (self.directory / f"{name}.jsonl").write_text(text, "utf-8")

    def object(self, kind: str, number: int = 0) -> tuple[int, Path]:
        """The id of an archived file's row, and the object."""
        rows = self.sql(
            "SELECT id, object_key FROM careers_applicationfile"
            " WHERE kind = ? AND object_key <> '' ORDER BY id",
            kind,
        )
        return rows[number][0], self.bucket / rows[number][1]

    def put(self, file: int, path: Path, content: bytes) -> None:
        """Replace the content, and let the row have its hash."""
        path.write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        self.sql("UPDATE careers_applicationfile SET sha256 = ? WHERE id = ?", sha256, file)

    def done(self, kind: str) -> int:
        """A step that succeeded by itself."""
        acted = {act["step"] for act in self.ledger("acts")} if self._has("acts") else set()
        rows = self.sql(
            "SELECT id FROM careers_step WHERE kind = ? AND state = 'succeeded' AND sequence = 0",
            kind,
        )
        return next(pk for (pk,) in rows if pk not in acted)

    def plain_mail(self) -> int:
        """The index in the ledger of a mail that was never unconfirmed."""
        evidence = Evidence(self.directory, f"sqlite:///{self.database}", self.bucket)
        done = {
            pk
            for (pk,) in self.sql(
                "SELECT id FROM careers_step s WHERE state = 'succeeded' AND NOT EXISTS (SELECT *"
                " FROM careers_stepevent e WHERE e.step_id = s.id AND e.to_state = 'uncertain')"
            )
        }
        steps = [evidence.step_of(mail) for mail in evidence.mails]
        return next(place for place, step in enumerate(steps) if step and step["id"] in done)

    def _has(self, name: str) -> bool:
        return (self.directory / f"{name}.jsonl").exists()


@pytest.fixture(scope="module")
def untouched(
    short_campaigns: dict[str, ShortCampaign], tmp_path_factory: pytest.TempPathFactory
) -> Run:
    copied = tmp_path_factory.mktemp("checker") / "run"
    unneeded = shutil.ignore_patterns("static", "log", "broker", "plan")
    shutil.copytree(short_campaigns["sqlite"].directory, copied, ignore=unneeded)
    run = Run(copied)
    run.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return run


@pytest.fixture
def run(untouched: Run, tmp_path: Path) -> Run:
    return Run(Path(shutil.copytree(untouched.directory, tmp_path / "run")))


def test_unaltered_run_passes(untouched: Run) -> None:
    found = untouched.check()
    assert {name: sentences for name, sentences in found.red.items() if sentences} == {}
    assert found.ok
    # Everything was compared.
    assert found.counts["PDFs read"] == found.counts["applications"]
    assert found.counts["objects"] == 5 * found.counts["applications"]
    assert found.counts["mails"] >= 1


def row_is_missing(run: Run) -> None:
    (pk,) = run.sql("SELECT max(id) FROM careers_application")[0]
    for table in ("careers_step", "careers_applicationfile"):
        run.sql(f"DELETE FROM {table} WHERE application_id = ?", pk)
    run.sql("DELETE FROM careers_application WHERE id = ?", pk)


def row_has_another_address(run: Run) -> None:
    run.sql(
        "UPDATE careers_application SET phone = '+47 1'"
        " WHERE id = (SELECT max(id) FROM careers_application)"
    )


def row_has_another_value(column: str, value: str) -> Tamper:
    def tamper(run: Run) -> None:
        run.sql(f"UPDATE careers_application SET {column} = ?", value)

    tamper.__name__ = f"row_has_another_{column}"
    return tamper


def one_answer_is_changed(run: Run) -> None:
    run.sql(
        "UPDATE careers_application SET answers = json_set(answers, '$.seas', json('[]'))"
        " WHERE id = (SELECT max(id) FROM careers_application)"
    )


def question_is_changed(run: Run) -> None:
    run.sql("UPDATE careers_application SET form = replace(form, 'Years at sea', 'Years on land')")


def consent_is_missing(run: Run) -> None:
    run.sql("UPDATE careers_consentrecord SET given = 1")


def consent_has_another_text(run: Run) -> None:
    run.sql("UPDATE careers_consentrecord SET text = 'Whatever' WHERE purpose = 'keep'")


def privacy_notice_is_not_recorded(run: Run) -> None:
    run.sql("DELETE FROM careers_consentrecord WHERE purpose = 'privacy_notice'")


def pdf_lacks_the_answers(run: Run) -> None:
    promises = run.ledger("promises")
    run.write("promises", [{**each, "words": ["Words that were never typed"]} for each in promises])


def cover_letter_is_missing(run: Run) -> None:
    run.sql("DELETE FROM careers_applicationfile WHERE kind = 'cover_letter'")


def answer_file_is_missing(run: Run) -> None:
    run.sql("DELETE FROM careers_applicationfile WHERE kind = 'answer'")


def second_recipient_has_no_step(run: Run) -> None:
    run.sql("DELETE FROM careers_step WHERE id = ?", run.done("mail_hr"))


def unknown_recipient_has_a_step(run: Run) -> None:
    run.sql("UPDATE careers_step SET recipient = 'x@example.org' WHERE id = ?", run.done("mail_hr"))


def application_is_quarantined_without_cause(run: Run) -> None:
    run.sql(
        "UPDATE careers_application SET quarantined = 1, quarantine_reason = 'honeypot'"
        " WHERE id = (SELECT max(id) FROM careers_application)"
    )


def step_is_missing(run: Run) -> None:
    run.sql("DELETE FROM careers_step WHERE id = ?", run.done("archive"))


def byte_of_cv_is_changed(run: Run) -> None:
    _file, path = run.object("cv")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def byte_of_pdf_is_changed(run: Run) -> None:
    _file, path = run.object("pdf")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def cv_is_replaced_with_a_matching_hash(run: Run) -> None:
    run.put(*run.object("cv"), b"%PDF-1.4 another writer's")


def pdf_belongs_to_another_applicant(run: Run) -> None:
    _file, other = run.object("pdf", -1)
    run.put(*run.object("pdf"), other.read_bytes())


def pdf_is_no_pdf(run: Run) -> None:
    run.put(*run.object("pdf"), b"<html>Service unavailable</html>")


def manifest_has_a_wrong_hash(run: Run) -> None:
    file, path = run.object("manifest")
    manifest = json.loads(path.read_bytes())
    manifest["files"][0]["sha256"] = "0" * 64
    run.put(file, path, json.dumps(manifest).encode())


def object_is_missing(run: Run) -> None:
    run.object("cv")[1].unlink()


def object_has_no_row(run: Run) -> None:
    (run.bucket / "applications" / "stray.pdf").write_bytes(b"%PDF-1.4")


def bytes_were_dropped_before_archiving(run: Run) -> None:
    file, _path = run.object("cv")
    run.sql("UPDATE careers_applicationfile SET object_key = '' WHERE id = ?", file)


def mail_was_sent_twice(run: Run) -> None:
    mails = run.ledger("mails")
    run.write("mails", [*mails, mails[0]])


def mail_belongs_to_no_step(run: Run) -> None:
    mails = run.ledger("mails")
    content = base64.b64decode(mails[0]["content"])
    stray = content.replace(b"Message-ID: <", b"Message-ID: <x", 1)
    mails.append({**mails[0], "content": base64.b64encode(stray).decode()})
    run.write("mails", mails)


def mail_went_to_another_address(run: Run) -> None:
    mails = run.ledger("mails")
    mails[0]["recipients"] = ["other@example.org"]
    run.write("mails", mails)


def mails_of_two_people_are_swapped(run: Run) -> None:
    mails = run.ledger("mails")
    mine, *rest = [mail for mail in mails if b"<receipt." in base64.b64decode(mail["content"])]
    # Some apply twice: two mails to one person may have come in any order.
    other = next(mail for mail in rest if mail["recipients"] != mine["recipients"])
    mine["content"], other["content"] = other["content"], mine["content"]
    run.write("mails", mails)


def mail_shown_as_done_never_arrived(run: Run) -> None:
    mails = run.ledger("mails")
    del mails[run.plain_mail()]
    run.write("mails", mails)


def missing_answer_is_not_shown_as_unconfirmed(run: Run) -> None:
    mails = run.ledger("mails")
    mails[run.plain_mail()]["answer"] = ""
    run.write("mails", mails)


def mail_shown_as_failed_arrived(run: Run) -> None:
    run.sql("UPDATE careers_step SET state = 'failed' WHERE id = ?", run.done("mail_hr"))


def mail_failed_without_a_refusal(run: Run) -> None:
    pk = run.done("mail_hr")
    (public_id,) = run.sql(
        "SELECT a.public_id FROM careers_application a"
        " JOIN careers_step s ON s.application_id = a.id WHERE s.id = ?",
        pk,
    )[0]
    dashed = "-".join(
        public_id[start:end] for start, end in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))
    )
    mark = f"<hr.{dashed}".encode()
    run.write(
        "mails", [m for m in run.ledger("mails") if mark not in base64.b64decode(m["content"])]
    )
    run.write("refusals", [])
    run.sql("UPDATE careers_step SET state = 'failed' WHERE id = ?", pk)


def all_mails_to_hr_failed(run: Run) -> None:
    """One refusal must not excuse all failures."""
    (recipient, *_rest) = run.sql("SELECT recipient FROM careers_step WHERE kind = 'mail_hr'")[0]
    run.write("refusals", [{"recipient": recipient, "answer": "550 5.1.1 User unknown"}])
    run.sql(
        "UPDATE careers_step SET state = 'failed', error_class = 'permanent'"
        " WHERE kind = 'mail_hr' AND recipient = ?",
        recipient,
    )
    run.write(
        "mails",
        [m for m in run.ledger("mails") if b"<hr." not in base64.b64decode(m["content"])],
    )


def mail_is_unconfirmed_without_a_fault(run: Run) -> None:
    """There were faults, but not when this mail was sent: the first mails meet none."""
    _park(run, run.done("mail_applicant"))


def mail_is_unconfirmed_without_a_cause(run: Run) -> None:
    run.write("faults", [])
    run.write("deaths", [])
    _park(run, run.done("mail_applicant"))


def _park(run: Run, pk: int) -> None:
    run.sql("UPDATE careers_step SET state = 'uncertain' WHERE id = ?", pk)
    run.sql(
        "INSERT INTO careers_stepevent (step_id, at, attempt, from_state, to_state, actor, reason,"
        " traceback) SELECT step_id, at, attempt, from_state, 'uncertain', actor, '', ''"
        " FROM careers_stepevent WHERE step_id = ? AND to_state = 'succeeded'",
        pk,
    )


def step_is_stuck(run: Run) -> None:
    run.sql("UPDATE careers_step SET state = 'started' WHERE id = ?", run.done("archive"))


def pdf_step_failed(run: Run) -> None:
    run.sql("UPDATE careers_step SET state = 'failed' WHERE id = ?", run.done("render_pdf"))


def mail_was_sent_again_without_a_person(run: Run) -> None:
    names = [row[1] for row in run.sql("PRAGMA table_info(careers_step)") if row[1] != "id"]
    chosen = ", ".join("9" if name == "sequence" else name for name in names)
    run.sql(
        f"INSERT INTO careers_step ({', '.join(names)})"
        f" SELECT {chosen} FROM careers_step WHERE id = ?",
        run.done("mail_applicant"),
    )


def same_content_has_two_receipts(run: Run) -> None:
    promises = run.ledger("promises")
    other = next(each for each in promises if each["number"] != promises[0]["number"])
    run.write("promises", [*promises, {**promises[0], "secret": other["secret"]}])


def _another_sender(run: Run) -> dict[str, Any]:
    """The receipt of somebody who sent the same content as another person."""
    return next(each for each in run.ledger("promises") if each["sender"] == "other")


def sender_has_two_applications(run: Run) -> None:
    other = _another_sender(run)
    run.write(
        "promises",
        [
            # With a key it counts however long after the first it came.
            each | {"sender": "self", "keyed": True} if each["number"] == other["number"] else each
            for each in run.ledger("promises")
        ],
    )


def another_sender_has_the_same_receipt(run: Run) -> None:
    other = _another_sender(run)
    own = next(
        each
        for each in run.ledger("promises")
        if each["number"] == other["number"] and each["sender"] == "self"
    )
    run.write(
        "promises",
        [
            {**each, "secret": own["secret"], "reference": own["reference"]}
            if each == other
            else each
            for each in run.ledger("promises")
        ],
    )


def repetition_does_not_name_the_first(run: Run) -> None:
    run.sql("UPDATE careers_application SET repeats_id = NULL")


def application_names_another_as_its_first(run: Run) -> None:
    run.sql(
        "UPDATE careers_application SET repeats_id = (SELECT min(id) FROM careers_application)"
        " WHERE id = (SELECT max(id) FROM careers_application WHERE repeats_id IS NULL)"
    )


def repetition_is_mailed_to_hr(run: Run) -> None:
    run.sql(
        "UPDATE careers_step SET state = 'queued' WHERE kind = 'mail_hr' AND state = 'cancelled'"
        " AND application_id IN (SELECT id FROM careers_application WHERE repeats_id > 0)"
    )


def nobody_is_mailed_about_a_content(run: Run) -> None:
    run.sql(
        "UPDATE careers_application SET repeats_id = id WHERE id ="
        " (SELECT max(id) FROM careers_application WHERE repeats_id IS NULL)"
    )
    (pk,) = run.sql("SELECT max(id) FROM careers_application WHERE repeats_id = id")[0]
    run.sql(
        "UPDATE careers_step SET state = 'cancelled' WHERE kind = 'mail_hr' AND application_id = ?",
        pk,
    )
    run.sql(
        "DELETE FROM careers_stepevent WHERE step_id IN (SELECT id FROM careers_step"
        " WHERE kind = 'mail_hr' AND application_id = ?)",
        pk,
    )
    run.sql(
        "INSERT INTO careers_stepevent (step_id, at, attempt, from_state, to_state, actor, reason,"
        " traceback) SELECT id, created_at, 0, '', 'cancelled', 'intake', '', ''"
        " FROM careers_step WHERE kind = 'mail_hr' AND application_id = ?",
        pk,
    )


def receipt_shows_another_reference(run: Run) -> None:
    promises = run.ledger("promises")
    promises[0]["reference"] = "AAAA-AAAA"
    run.write("promises", promises)


def application_has_no_sender(run: Run) -> None:
    promises = run.ledger("promises")
    gone = promises[0]["number"]
    run.write("promises", [each for each in promises if each["number"] != gone])
    run.write("attempts", [each for each in run.ledger("attempts") if each["number"] != gone])


def applicant_got_no_receipt(run: Run) -> None:
    attempts = run.ledger("attempts")
    run.write("attempts", [*attempts, {**attempts[0], "number": 9999}])


def _answered(run: Run, status: int, at: float, seconds: float = 1.0) -> None:
    attempts = run.ledger("attempts")
    answer = {
        "status": status,
        "at": at or min(each["at"] for each in attempts),
        "seconds": seconds,
        "error": "",
    }
    run.write("attempts", [*attempts, attempts[0] | answer])


def applicant_was_refused_by_an_unrelated_fault(run: Run) -> None:
    _answered(run, 503, time.time() + 3600)


def applicant_was_refused_without_a_fault(run: Run) -> None:
    _answered(run, 503, 0)


def applicant_got_an_error_of_the_site(run: Run) -> None:
    _storm(run)
    _answered(run, 500, time.time())


def applicant_was_refused_by_a_fault_that_did_not_happen(run: Run) -> None:
    _storm(run, happened=False)
    _answered(run, 503, 0)


def applicant_was_refused_at_once_by_a_frozen_worker(run: Run) -> None:
    _storm(run, "frozen")
    _answered(run, 503, time.time() + 3600)


def test_frozen_worker_excuses_a_refusal_after_the_lock_timeout(run: Run) -> None:
    """A request that waited for SQLite's lock in vain may be refused."""
    _storm(run, "frozen")
    _answered(run, 503, time.time() + 3600, seconds=20.2)
    assert run.check().red["refused"] == []


def _storm(run: Run, blames: str = "web", *, happened: bool = True) -> None:
    fault = {"kind": blames, "target": blames, "began": 0, "ended": 2**33, "blames": [blames]}
    run.write("faults", [*run.ledger("faults"), {**fault, "happened": happened, "times": 1}])


def applicant_was_refused_for_the_content(run: Run) -> None:
    _storm(run)
    _answered(run, 422, time.time())


def _sample(run: Run, change: Callable[[dict[str, Any]], None]) -> None:
    samples = run.ledger("samples")
    change(samples[-1])
    run.write("samples", samples)


def status_counts_wrongly(run: Run) -> None:
    def change(sample: dict[str, Any]) -> None:
        sample["reported"]["steps"]["render_pdf"]["succeeded"] += 1

    _sample(run, change)


def page_counts_wrongly(run: Run) -> None:
    def change(sample: dict[str, Any]) -> None:
        sample["shown"]["attention"] += 1

    _sample(run, change)


def panel_shows_unsent_mails_as_done(run: Run) -> None:
    def change(sample: dict[str, Any]) -> None:
        sample["mails"]["mail_applicant"] = 0

    _sample(run, change)


TAMPERED: list[tuple[Tamper, str]] = [
    (row_is_missing, "lost"),
    (step_is_missing, "lost"),
    (object_is_missing, "lost"),
    (bytes_were_dropped_before_archiving, "lost"),
    (applicant_got_no_receipt, "lost"),
    (row_has_another_address, "wrong"),
    (row_has_another_value("form", "{}"), "wrong"),
    (row_has_another_value("language", "xx"), "wrong"),
    (row_has_another_value("answers", "{}"), "wrong"),
    (one_answer_is_changed, "wrong"),
    (question_is_changed, "wrong"),
    (consent_is_missing, "wrong"),
    (consent_has_another_text, "wrong"),
    (privacy_notice_is_not_recorded, "wrong"),
    (pdf_lacks_the_answers, "wrong"),
    (cover_letter_is_missing, "lost"),
    (answer_file_is_missing, "lost"),
    (second_recipient_has_no_step, "lost"),
    (unknown_recipient_has_a_step, "twice"),
    (application_is_quarantined_without_cause, "stuck"),
    (byte_of_cv_is_changed, "wrong"),
    (byte_of_pdf_is_changed, "wrong"),
    (cv_is_replaced_with_a_matching_hash, "wrong"),
    (pdf_belongs_to_another_applicant, "wrong"),
    (pdf_is_no_pdf, "wrong"),
    (manifest_has_a_wrong_hash, "wrong"),
    (mail_went_to_another_address, "wrong"),
    (mails_of_two_people_are_swapped, "wrong"),
    (receipt_shows_another_reference, "wrong"),
    (mail_was_sent_twice, "twice"),
    (mail_belongs_to_no_step, "twice"),
    (mail_was_sent_again_without_a_person, "twice"),
    (object_has_no_row, "twice"),
    (same_content_has_two_receipts, "twice"),
    (application_has_no_sender, "twice"),
    (sender_has_two_applications, "twice"),
    (another_sender_has_the_same_receipt, "wrong"),
    (repetition_does_not_name_the_first, "wrong"),
    (application_names_another_as_its_first, "wrong"),
    (repetition_is_mailed_to_hr, "twice"),
    (nobody_is_mailed_about_a_content, "lost"),
    (step_is_stuck, "stuck"),
    (pdf_step_failed, "stuck"),
    (mail_is_unconfirmed_without_a_cause, "unexplained"),
    (mail_is_unconfirmed_without_a_fault, "unexplained"),
    (all_mails_to_hr_failed, "unexplained"),
    (mail_failed_without_a_refusal, "unexplained"),
    (applicant_was_refused_by_an_unrelated_fault, "refused"),
    (applicant_was_refused_without_a_fault, "refused"),
    (applicant_got_an_error_of_the_site, "refused"),
    (applicant_was_refused_at_once_by_a_frozen_worker, "refused"),
    (applicant_was_refused_by_a_fault_that_did_not_happen, "refused"),
    (applicant_was_refused_for_the_content, "refused"),
    (mail_shown_as_done_never_arrived, "panel"),
    (missing_answer_is_not_shown_as_unconfirmed, "panel"),
    (mail_shown_as_failed_arrived, "panel"),
    (status_counts_wrongly, "panel"),
    (page_counts_wrongly, "panel"),
    (panel_shows_unsent_mails_as_done, "panel"),
]


@pytest.mark.parametrize(
    ("tamper", "red"), TAMPERED, ids=[tamper.__name__ for tamper, _red in TAMPERED]
)
def test_altered_run_fails(run: Run, tamper: Tamper, red: str) -> None:
    tamper(run)
    found = run.check()
    assert not found.ok
    assert found.red[red]


def test_checker_imports_nothing_of_the_product() -> None:
    modules = list(Path(checker.__path__[0]).glob("*.py"))
    assert len(modules) > 3
    imported = set()
    for module in modules:
        imported |= set(re.findall(r"(?m)^\s*(?:from|import) (\w+)", module.read_text()))
    assert not imported & {"careers", "home", "careersite", "tests", "django"}
    assert {name for name in imported if name == "prove"} == {"prove"}
    sources = "".join(module.read_text() for module in modules)
    assert set(re.findall(r"from prove\.(\w+)", sources)) == {"checker"}
