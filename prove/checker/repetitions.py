"""What was sent again is one application for its sender, and one mail for HR.

Doubled is:

- two applications of one sender with the same content. A sender without a key is known by their
  network, and only for ``WINDOW`` seconds: an application after that is none too many;
- two mails to one HR recipient about the same content, whoever sent it.

An application that repeats another one must name the first.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter, defaultdict
from typing import Any

from prove.checker.evidence import Evidence, as_json, as_moment
from prove.checker.findings import Findings

#: Seconds in which a network stands for a sender without a key.
WINDOW = 120


def check_repetitions(evidence: Evidence, found: Findings) -> None:
    """Each sender has one row, and each content has one row that HR is mailed about."""
    promised: dict[str, dict[str, Any]] = {each["secret"]: each for each in evidence.promises}
    _check_receipts(evidence, found)
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for pk in sorted(evidence.applications):
        row = evidence.applications[pk]
        groups[_content(evidence, row)].append(row)
    for rows in groups.values():
        _check_rows_without_receipt(rows, promised, found)
        _check_links(rows, found)
        _check_mails_to_hr(evidence, rows, found)


def _content(evidence: Evidence, row: dict[str, Any]) -> str:
    files = sorted(
        (file["kind"], file["sha256"])
        for file in evidence.files_of.get(row["id"], [])
        if file["kind"] not in ("pdf", "manifest")
    )
    return json.dumps([str(row["job_key"]), as_json(row["answers"]), files], sort_keys=True)


def _check_receipts(evidence: Evidence, found: Findings) -> None:
    by_secret = {row["receipt_secret"]: row for row in evidence.applications.values()}
    rows: dict[tuple[int, str, bool], dict[int, dict[str, Any]]] = defaultdict(dict)
    for promise in evidence.promises:
        if row := by_secret.get(promise["secret"]):
            rows[promise["number"], promise["sender"], promise["keyed"]][row["id"]] = row
    for (number, sender, keyed), own in rows.items():
        for before, after in itertools.pairwise(own[pk] for pk in sorted(own)):
            if keyed or _seconds_between(before, after) < WINDOW:
                who = f"application {number} of sender {sender}"
                found.add("twice", f"{who}: {before['reference']} and {after['reference']}")


def _check_rows_without_receipt(
    rows: list[dict[str, Any]], promised: dict[str, dict[str, Any]], found: Findings
) -> None:
    """A row of which nobody has the receipt: its answer was lost, and the next try came too late
    to be known by its network.
    """
    for row in rows:
        if row["receipt_secret"] not in promised and not any(
            later["receipt_secret"] in promised
            and not promised[later["receipt_secret"]]["keyed"]
            and _seconds_between(row, later) >= WINDOW
            for later in rows
        ):
            found.add("twice", f"application {row['reference']} was never sent")


def _seconds_between(before: dict[str, Any], after: dict[str, Any]) -> float:
    return (as_moment(after["received_at"]) - as_moment(before["received_at"])).total_seconds()


def _check_links(rows: list[dict[str, Any]], found: Findings) -> None:
    first, *others = rows
    found.counts["sent again"] += len(others)
    if first["repeats_id"] is not None:
        found.add("wrong", f"{first['reference']} names a first application with other content")
    for row in others:
        if row["repeats_id"] != first["id"]:
            found.add("wrong", f"{row['reference']} does not name {first['reference']}")


def _check_mails_to_hr(evidence: Evidence, rows: list[dict[str, Any]], found: Findings) -> None:
    mailed: Counter[str] = Counter()
    for row in rows:
        for step in evidence.steps_of.get(row["id"], []):
            if step["kind"] == "mail_hr" and not step["sequence"]:
                mailed[step["recipient"]] += not not_needed(evidence, step)
    for recipient, number in mailed.items():
        name = f"{rows[0]['reference']} and what repeats it"
        if number > 1:
            found.add("twice", f"{name}: {number} mails to {recipient}")
        elif not number:
            found.add("lost", f"{name}: no mail to {recipient}")


def not_needed(evidence: Evidence, step: dict[str, Any]) -> bool:
    """Whether the site created the mail as cancelled, because HR has one about the same content."""
    row = evidence.applications[step["application_id"]]
    states = [event["to_state"] for event in evidence.events.get(step["id"], [])]
    return (
        step["kind"] == "mail_hr"
        and step["state"] == "cancelled"
        and states == ["cancelled"]
        and row["repeats_id"] is not None
    )
