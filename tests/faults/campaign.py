"""Many applications over HTTP while something breaks, and the count afterwards."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from tests.stack import Receipt, Stack

WORKERS = ("cpu", "io")
COLUMNS = ("campaign", "posted", "lost", "twice", "uncertain", "deaths", "slowest POST", "drained")


@dataclass
class Outcome:
    """What a campaign came to, counted from outside.

    Attributes:
        lost: applications with a receipt but without row, file or an end of each step.
        mailed_twice: mails that the server accepted more than once, by Message-ID or recipient.
        uncertain: ids of steps whose mail nobody confirmed.
        unaccounted: mails of ended steps that the server never got.
    """

    posted: int
    slowest_post: float
    drained: float
    deaths: int = 0
    lost: list[str] = field(default_factory=list)
    mailed_twice: list[str] = field(default_factory=list)
    unaccounted: list[str] = field(default_factory=list)
    uncertain: list[int] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    restarts: Counter[str] = field(default_factory=Counter)


class FaultySite:
    """A stack with a plan of deaths (see ``tests.faults.app``)."""

    table: ClassVar[list[tuple[str, ...]]] = []

    def __init__(self, stack: Stack, plan: Path) -> None:
        self.stack, self.plan = stack, plan

    def will_die(
        self, kind: str, point: str, *, children: int = 0, groups: int = 0, frozen: int = 0
    ) -> None:
        """Let so many pool children and whole workers die, or freeze, at a point of a step."""
        for victim, number in (("child", children), ("group", groups), ("freeze", frozen)):
            for n in range(number):
                (self.plan / f"{kind}.{point}.{victim}.{n}").touch()

    def run(
        self,
        name: str,
        *,
        count: int = 50,
        during: Callable[[], None] = lambda: None,
        after: Callable[[], None] = lambda: None,
        seconds: float = 120,
    ) -> Outcome:
        """Post ``count`` applications and count what became of them.

        Args:
            during: called when the first half has been posted.
            after: called when all have been posted.
            seconds: within which everything must have ended.
        """
        stack, planned = self.stack, len(list(self.plan.iterdir()))
        half = count // 2
        receipts = stack.apply_many(half)
        during()
        stack.keep_running(*WORKERS)
        receipts += stack.apply_many(count - half)
        began = time.monotonic()
        after()
        stack.wait_for_end(receipts, seconds, keep=(*WORKERS, "sweeper"))
        outcome = Outcome(
            posted=len(receipts),
            slowest_post=max(receipt.seconds for receipt in receipts),
            drained=time.monotonic() - began,
            deaths=planned - len(list(self.plan.iterdir())),
        )
        self._count(receipts, outcome)
        self.table.append(
            (
                name,
                str(outcome.posted),
                str(len(outcome.lost)),
                str(len(outcome.mailed_twice)),
                str(len(outcome.uncertain)),
                str(outcome.deaths),
                f"{outcome.slowest_post:.1f} s",
                f"{outcome.drained:.0f} s",
            )
        )
        print("\n".join(self.lines()))
        return outcome

    def _count(self, receipts: Iterable[Receipt], outcome: Outcome) -> None:
        stack = self.stack
        applications = {
            row["receipt_secret"]: row
            for row in stack.query("SELECT id, receipt_secret, email FROM careers_application")
        }
        steps: dict[int, list[dict]] = {}
        for step in stack.query("SELECT * FROM careers_step"):
            steps.setdefault(step["application_id"], []).append(step)
        files: dict[int, dict[str, str]] = {}
        for file in stack.query(
            "SELECT application_id, kind, object_key FROM careers_applicationfile"
        ):
            files.setdefault(file["application_id"], {})[file["kind"]] = file["object_key"]
        accepted = Counter(mail.message_id.strip() for mail in stack.smtp.mails())
        to = Counter(mail.recipients for mail in stack.smtp.mails())
        objects = set(stack.object_keys())
        for receipt in receipts:
            row = applications.get(receipt.secret)
            if receipt.status != 303 or row is None:
                outcome.lost.append(f"{receipt.status} {receipt.email}")
                continue
            own = {step["kind"]: step for step in steps.get(row["id"], [])}
            outcome.states.update(step["state"] for step in own.values())
            outcome.uncertain += [s["id"] for s in own.values() if s["state"] == "uncertain"]
            keys = files.get(row["id"], {})
            if (
                len(own) != 4
                or set(keys) != {"cv", "pdf", "manifest"}
                or set(keys.values()) - objects
            ):
                outcome.lost.append(receipt.email)
            if to[(receipt.email,)] > 1:
                outcome.mailed_twice.append(receipt.email)
            if own["mail_applicant"]["state"] == "succeeded" and not to[(receipt.email,)]:
                outcome.unaccounted.append(receipt.email)
        outcome.mailed_twice += [message_id for message_id, n in accepted.items() if n > 1]

    @classmethod
    def lines(cls) -> list[str]:
        """All campaigns so far, as a table."""
        rows = [COLUMNS, *cls.table]
        widths = [max(len(row[n]) for row in rows) for n in range(len(COLUMNS))]
        return [
            "  ".join(
                cell.ljust(width) if n == 0 else cell.rjust(width)
                for n, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        ]
