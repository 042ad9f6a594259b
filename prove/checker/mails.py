"""Compares the mail server's ledger with the steps."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from prove.checker.causes import Causes
from prove.checker.evidence import MAILS, RECEIPT, TO_HR, WARNINGS, Evidence, slot_of
from prove.checker.files import speaks_of
from prove.checker.findings import Findings
from prove.checker.repetitions import not_needed


def check_mails(evidence: Evidence, found: Findings) -> None:
    """Each mail was sent once, to the right address, about the right application."""
    times: Counter[int] = Counter()
    for mail in evidence.mails:
        if "operators." in mail.message_id:
            continue
        found.counts["mails"] += 1
        step = evidence.step_of(mail)
        if step is None:
            found.add("twice", f"the mail {mail.message_id} belongs to no step")
            continue
        times[step["id"]] += 1
        application = evidence.applications[step["application_id"]]
        to_hr = step["kind"] in TO_HR
        wanted = step["recipient"] if to_hr else application["email"]
        name = f"the mail {step['kind']} of {application['reference']}"
        if mail.recipients != (wanted.lower(),):
            found.add("wrong", f"{name} went to another address")
        speaks_of(evidence, found, name, application, mail.text, name_too=to_hr)
        secrets = set(RECEIPT.findall(mail.text))
        if secrets != (set() if to_hr else {application["receipt_secret"]}):
            found.add("wrong", f"{name} links to another receipt, or to none")
    for pk, number in times.items():
        if number > 1:
            found.add("twice", f"the mail of step {pk} was accepted {number} times")
    arrived: dict[tuple[Any, ...], set[int]] = defaultdict(set)
    for pk in times:
        *slot, sequence = slot_of(evidence.steps[pk])
        arrived[tuple(slot)].add(sequence)
    found.both = sum(len(sequences) - 1 for sequences in arrived.values())
    confirmed_by_people = {act["step"] for act in evidence.lines("acts") if act["act"] == "confirm"}
    refusals = Counter(line["recipient"] for line in evidence.lines("refusals"))
    failures: Counter[str] = Counter()
    for pk, step in evidence.steps.items():
        if step["kind"] not in (*MAILS, *WARNINGS):
            continue
        name = f"{step['kind']} (step {pk})"
        if step["state"] == "succeeded" and not times[pk]:
            claim = "a person said it arrived" if pk in confirmed_by_people else "shown as done"
            found.add("panel", f"{name}: {claim}, and the mail server never took it")
        recipient = step["recipient"] or evidence.applications[step["application_id"]]["email"]
        failures[recipient] += sum(
            event["to_state"] == "failed" for event in evidence.events.get(pk, [])
        )
        if step["state"] == "failed":
            failures[recipient] += not evidence.was(pk, "failed")
            if times[pk]:
                found.add("panel", f"{name}: shown as failed, and the mail server took it")
            elif step["error_class"] == "permanent" and refusals[recipient]:
                found.shown += 1
            else:
                found.add("unexplained", f"{name} failed: {step['error_code']}")
        if not_needed(evidence, step):
            if times[pk]:
                found.add("twice", f"{name} was sent, and HR has one about the same content")
        elif step["state"] == "cancelled" and not evidence.was(pk, "uncertain"):
            found.add("unexplained", f"{name} is cancelled without an act of a person")
    for recipient, number in failures.items():
        if number > refusals[recipient]:
            reason = f"refused {refusals[recipient]}"
            found.add("unexplained", f"{number} mails to {recipient} failed, {reason}")


def check_unconfirmed(evidence: Evidence, found: Findings) -> None:
    """A mail is unconfirmed only where its result was unknowable, for a cause that can be named."""
    causes = Causes(evidence)
    silent = set()
    for mail in evidence.mails:
        step = evidence.step_of(mail)
        if step is not None and not mail.confirmed:
            silent.add(step["id"])
            if not evidence.was(step["id"], "uncertain"):
                found.add(
                    "panel",
                    f"step {step['id']}: its mail was not confirmed, and it was never unconfirmed",
                )
    tries = sure = 0
    for pk in evidence.steps:
        if evidence.steps[pk]["kind"] not in (*MAILS, *WARNINGS):
            continue
        for attempt, state in causes.tries(pk):
            if state == "succeeded":
                tries += 1
                sure += not causes.cause(attempt)
            if state != "uncertain":
                continue
            if pk in silent:
                silent.discard(pk)
                found.unconfirmed["the mail server did not answer after the data"] += 1
            elif cause := causes.cause(attempt, spend=True):
                found.unconfirmed[cause] += 1
            else:
                found.add("unexplained", f"step {pk} is unconfirmed without a cause")
    found.doubtful = 1 - sure / tries if tries else 0.0
