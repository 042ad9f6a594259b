"""Compares applications, their steps and their answers with what was promised."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from prove.checker.evidence import (
    ENDS,
    MAILS,
    OTHERS,
    SCAN,
    TO_HR,
    WARNINGS,
    Evidence,
    as_json,
    slot_of,
)
from prove.checker.findings import Findings


def check_promises(evidence: Evidence, found: Findings) -> None:
    """Each receipt has the row that was sent, and each row belongs to one sender."""
    by_secret = {row["receipt_secret"]: row for row in evidence.applications.values()}
    receipts: dict[tuple[int, str], set[str]] = defaultdict(set)
    owners: dict[str, tuple[int, str]] = {}
    for promise in evidence.promises:
        found.counts["receipts"] += 1
        who = f"application {promise['number']}"
        sender = promise["number"], promise["sender"]
        receipts[sender].add(promise["secret"])
        if owners.setdefault(promise["secret"], sender) != sender:
            found.add("wrong", f"{who}: its receipt was given to another sender")
        row = by_secret.get(promise["secret"])
        if row is None:
            found.add("lost", f"{who} has a receipt and no row")
            continue
        check_content(evidence, found, who, row, promise)
        uploads = [
            (file["kind"], file["sha256"])
            for file in evidence.files_of.get(row["id"], [])
            if file["kind"] not in ("pdf", "manifest")
        ]
        kinds = {kind for kind, _sha256 in uploads}
        for upload in promise["files"].items():
            if upload not in uploads:
                what = "wrong" if upload[0] in kinds else "lost"
                found.add(what, f"{who}: not the {upload[0]} that was uploaded")
        if len(uploads) > len(promise["files"]):
            found.add("twice", f"{who}: {len(uploads)} uploads")
    asked = {(attempt["number"], attempt["sender"]) for attempt in evidence.lines("attempts")}
    for number, sender_name in asked - receipts.keys():
        found.add("lost", f"application {number} of sender {sender_name} never got a receipt")


def check_content(
    evidence: Evidence, found: Findings, who: str, row: dict[str, Any], promise: dict[str, Any]
) -> None:
    """A row has the answers that were typed and the questions that were shown."""
    for name in ("name", "email", "phone", "language", "reference"):
        if row[name] != promise[name]:
            found.add("wrong", f"{who}: the row has another {name}")
    answers, form = as_json(row["answers"]), as_json(row["form"])
    for key in promise["answers"].keys() | answers.keys():
        if answers.get(key) != promise["answers"].get(key):
            found.add("wrong", f"{who}: the row has another answer to “{key}”")
    labels = {each["key"]: each["label"] for each in form.get("questions", [])}
    if not promise["asked"].items() <= labels.items():
        found.add("wrong", f"{who}: the row has another form than the one that was filled in")
    if form.get("language") != promise["language"]:
        found.add("wrong", f"{who}: the form is in another language")
    consents = {
        (each["purpose"] == "privacy_notice" or each["text"], bool(each["given"]))
        for each in evidence.consents_of.get(row["id"], [])
    }
    if consents != {(True, True), *promise["consents"].items()}:
        found.add("wrong", f"{who}: not what was consented to")
    hr = sorted(
        step["recipient"]
        for step in evidence.steps_of.get(row["id"], [])
        if step["kind"] == "mail_hr" and not step["sequence"]
    )
    for recipient in set(promise["hr"]) - set(hr):
        found.add("lost", f"{who}: no step mails {recipient}")
    for recipient in set(hr) - set(promise["hr"]):
        found.add("twice", f"{who}: a step mails {recipient}, who is no recipient")


def check_steps(evidence: Evidence, found: Findings) -> None:
    """Each application has each step, and each step has ended or waits for a person."""
    for pk, application in evidence.applications.items():
        found.counts["applications"] += 1
        steps = evidence.steps_of.get(pk, [])
        kinds = Counter(step["kind"] for step in steps if step["sequence"] == 0)
        promise = evidence.promise_of.get(pk, {})
        infected = evidence.scans and promise.get("infected")
        for kind in (*OTHERS, *MAILS, SCAN, *WARNINGS):
            is_due = evidence.scans if kind == SCAN else infected if kind in WARNINGS else True
            if kind == "mail_infected_hr" and not application["mails_hr"]:
                is_due = False  # a repetition: HR hears of the first application only
            most = (len(promise.get("hr", [])) or 1) if kind in TO_HR else 1
            if is_due and not kinds[kind]:
                found.add("lost", f"{application['reference']} has no step {kind}")
            elif kinds[kind] > (most if is_due else 0):
                found.add("twice", f"{application['reference']} has {kinds[kind]} × {kind}")
        for step in steps:
            found.counts["steps"] += 1
            name = f"{application['reference']} {step['kind']} (step {step['id']})"
            if application["quarantined"]:
                found.add("stuck", f"{name} is quarantined without a cause")
            elif step["state"] not in ENDS:
                found.add("stuck", f"{name} is {step['state']} ({step['error_code']})")
            elif step["state"] == "failed" and step["kind"] in (*OTHERS, SCAN):
                found.add("stuck", f"{name} failed: {step['error_code']}")
    wanted = {(act["step"], act["act"]) for act in evidence.lines("acts")}
    chains = {slot_of(step): step for step in evidence.steps.values()}
    for step in evidence.steps.values():
        if step["sequence"]:
            *slot, number = slot_of(step)
            before = chains.get((*slot, number - 1))
            if before is None or (before["id"], "send-again") not in wanted:
                found.add("twice", f"step {step['id']} is a mail sent again without a request")
