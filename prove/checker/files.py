"""Compares the files of each application with the bucket and the database."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Any

from prove.checker.evidence import MARK, SHOWN_REFERENCE, Evidence, letters, text_of_pdf
from prove.checker.findings import Findings


def check_files(evidence: Evidence, found: Findings) -> None:
    """Every file is in the bucket, byte for byte, or still in the database."""
    for pk, application in evidence.applications.items():
        files = evidence.files_of.get(pk, [])
        done = {
            step["kind"]: step["state"] == "succeeded" for step in evidence.steps_of.get(pk, [])
        }
        kinds = Counter(file["kind"] for file in files)
        wanted = {"cv", "cover_letter", "answer"}
        wanted |= {"pdf"} if done.get("render_pdf") else set()
        wanted |= {"manifest"} if done.get("archive") else set()
        for kind in sorted(wanted):
            if not kinds[kind]:
                found.add("lost", f"{application['reference']} has no {kind}")
        infected = evidence.promise_of.get(pk, {}).get("infected", [])
        for file in files:
            if done.get("scan"):
                check_verdict(found, application, file, infected)
            check_file(evidence, found, application, file, archived=done.get("archive", False))


def check_verdict(
    found: Findings, application: dict[str, Any], file: dict[str, Any], infected: list[str]
) -> None:
    """What was sent infected is locked, and nothing else is."""
    if file["kind"] in ("pdf", "manifest"):
        return
    found.counts["files scanned"] += 1
    wanted = "infected" if file["kind"] in infected else "clean"
    if file["scan_verdict"] != wanted:
        name = f"{application['reference']} {file['kind']}"
        found.add("wrong", f"{name} is {file['scan_verdict']} and not {wanted}")


def check_file(
    evidence: Evidence,
    found: Findings,
    application: dict[str, Any],
    file: dict[str, Any],
    *,
    archived: bool,
) -> None:
    name = f"{application['reference']} {file['kind']}"
    kept = evidence.kept_bytes.get(file["id"])
    if kept is not None and kept != file["sha256"]:
        found.add("wrong", f"{name}: other bytes in the database")
    if not file["object_key"]:
        if archived or kept is None:
            found.add("lost", f"{name} is neither archived nor kept")
        return
    found.counts["objects"] += 1
    content = evidence.object(file["object_key"])
    if content is None:
        found.add("lost", f"{name} is not in the bucket")
    elif hashlib.sha256(content).hexdigest() != file["sha256"]:
        found.add("wrong", f"{name}: other bytes in the bucket")
    elif file["kind"] == "pdf":
        check_pdf(evidence, found, name, application, content)
    elif file["kind"] == "manifest":
        check_manifest(evidence, found, name, application, content)


def check_pdf(
    evidence: Evidence, found: Findings, name: str, application: dict[str, Any], content: bytes
) -> None:
    try:
        text = text_of_pdf(content)
    except Exception as error:  # whatever is wrong with it, it is no PDF for a reader
        found.add("wrong", f"{name} can't be read as a PDF: {error}")
        return
    found.counts["PDFs read"] += 1
    speaks_of(evidence, found, name, application, text, name_too=True)
    # Lines end where they have to, and some words are parted there.
    set_in_type = letters(text)
    for words in evidence.promise_of.get(application["id"], {}).get("words", []):
        if letters(words) not in set_in_type:
            found.add("wrong", f"{name} lacks an answer: “{words}”")


def check_manifest(
    evidence: Evidence, found: Findings, name: str, application: dict[str, Any], content: bytes
) -> None:
    manifest = json.loads(content)
    if manifest["reference"] != application["reference"]:
        found.add("wrong", f"{name} names {manifest['reference']}")
    if manifest["applicant"]["email"] != application["email"]:
        found.add("wrong", f"{name} names another applicant")
    listed = {file["key"]: file["sha256"] for file in manifest["files"]}
    rows = {
        file["object_key"]: file["sha256"]
        for file in evidence.files_of[application["id"]]
        if file["kind"] != "manifest"
    }
    if listed != rows:
        found.add("wrong", f"{name} names other files or hashes than the rows")


def speaks_of(
    evidence: Evidence,
    found: Findings,
    name: str,
    application: dict[str, Any],
    text: str,
    *,
    name_too: bool,
) -> None:
    """A text names this application and this person, and no other."""
    references = set(SHOWN_REFERENCE.findall(text)) & evidence.references
    if application["reference"] not in references:
        found.add("wrong", f"{name} does not name its reference")
    if references - {application["reference"]}:
        found.add("wrong", f"{name} names another application")
    own = {mark.lower() for mark in MARK.findall(application["email"])}
    # A secret or a hash may contain the letters of a mark by chance.
    marks = {mark.lower() for mark in MARK.findall(text)} & evidence.marks
    if marks - own:
        found.add("wrong", f"{name} names another person")
    if name_too and not own <= marks:
        found.add("wrong", f"{name} does not name its person")


def check_bucket(evidence: Evidence, found: Findings) -> None:
    """Every object in the bucket belongs to a row."""
    known = {file["object_key"] for files in evidence.files_of.values() for file in files}
    for path in evidence.bucket.rglob("*"):
        key = str(path.relative_to(evidence.bucket))
        if path.is_file() and key not in known and key != "careers-probe":
            found.add("twice", f"the object {key} belongs to nothing")
