"""Compares what applicants and operators were shown with the rows."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from typing import Any

from prove.checker.evidence import MAILS, OTHERS, SCAN, SLACK, Evidence, total, united
from prove.checker.findings import Findings

#: Seconds after a fault in which an applicant may still be refused; a fault of the web server
#: ends when the new one answers.
AFTERMATH = 5
#: Seconds that the site waits for SQLite's only lock before it asks an applicant to try again.
LOCK_PATIENCE = 20
#: The answers that an applicant may get then: none, or a request to try again.
SENT_AWAY = (0, 503)


def check_attempts(evidence: Evidence, found: Findings) -> None:
    """An applicant is refused only while a fault of web server or database excuses it."""
    storms = united(
        (fault["began"] - SLACK, fault["ended"] + AFTERMATH)
        for fault in evidence.happened
        if "web" in fault["blames"]
    )
    # A frozen process may hold the only lock of SQLite.
    held = united(
        (fault["began"] - SLACK, fault["ended"] + SLACK)
        for fault in evidence.happened
        if "frozen" in fault["blames"] and evidence.database.startswith("sqlite")
    )
    attempts = evidence.lines("attempts")
    for attempt in attempts:
        found.counts["attempts"] += 1
        if attempt["status"] == 303:
            continue
        found.counts["refused at first"] += 1
        began, ended = attempt["at"], attempt["at"] + attempt["seconds"]
        waited = attempt["status"] == 503 and attempt["seconds"] >= LOCK_PATIENCE
        excuses = [*storms, *held] if waited else storms
        excused = any(start <= ended and began <= end for start, end in excuses)
        if attempt["status"] not in SENT_AWAY or not excused:
            answer = attempt["status"] or attempt["error"]
            found.add("refused", f"application {attempt['number']} got {answer}")
    if attempts:
        first = min(attempt["at"] for attempt in attempts)
        last = max(attempt["at"] + attempt["seconds"] for attempt in attempts)
        stormy = sum(max(0, min(end, last) - max(start, first)) for start, end in storms)
        found.excusing = stormy / (last - first)


def check_panel(evidence: Evidence, found: Findings) -> None:
    """The figures lie between the rows just before and just after they were read."""
    confirmed = Counter(act["kind"] for act in evidence.lines("acts") if act["act"] == "confirm")
    for sample in evidence.lines("samples"):
        found.counts["samples of the panel"] += 1
        before, after, reported = sample["before"], sample["after"], sample["reported"]
        when = dt.datetime.fromtimestamp(sample["at"], dt.UTC).strftime("%H:%M:%S")
        pairs: list[tuple[str, int, str, str | None]] = [
            ("applications", reported["applications"], "applications", None)
        ]
        pairs += [
            (f"{kind} done", reported["steps"].get(kind, {}).get("succeeded", 0), kind, "succeeded")
            for kind in (*OTHERS, *([SCAN] if evidence.scans else []), *MAILS)
        ]
        for words, number, kind, state in pairs:
            low, high = (
                rows["applications"] if state is None else rows["steps"].get(kind, {}).get(state, 0)
                for rows in (before, after)
            )
            if not low <= number <= high:
                found.add("panel", f"{when}: {words} {number}, rows {low} to {high}")
            if kind in MAILS and number - confirmed[kind] > sample["mails"][kind]:
                found.add("panel", f"{when}: {words} {number}, the mail server has fewer")
        shown = sample.get("shown")
        if shown is None:
            continue
        done = [total(rows["steps"], "succeeded") for rows in (before, after)]
        if not done[0] <= shown["done"] <= done[1]:
            found.add("panel", f"{when}: the page says {shown['done']} done, rows {done}")
        if sample["final"]:
            check_panel_at_the_end(evidence, found, reported, shown)


def check_panel_at_the_end(
    evidence: Evidence, found: Findings, reported: dict[str, Any], shown: dict[str, int]
) -> None:
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for step in evidence.rows("SELECT kind, state, error_class FROM careers_step"):
        rows[step["kind"]][step["state"]] += 1
    ours = {kind: dict(states) for kind, states in rows.items()}
    theirs = {
        kind: {state: number for state, number in states.items() if number}
        for kind, states in reported["steps"].items()
    }
    if {kind: states for kind, states in theirs.items() if states} != ours:
        found.add("panel", f"at the end: {theirs}, the rows say {ours}")
    need = total(ours, "failed") + total(ours, "uncertain")
    way = sum(total(ours, s) for s in ("waiting", "queued", "sent", "retrying"))
    for name, number in (
        ("attention", need),
        ("waiting", way),
        ("running", total(ours, "started")),
        ("done", total(ours, "succeeded")),
    ):
        if shown[name] != number:
            found.add("panel", f"at the end the page says {name} {shown[name]}, not {number}")
