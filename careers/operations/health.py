"""The state of the site, in numbers for machines and in sentences for people."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from careers.applications import sentences
from careers.operations import causes, findings, processes, tally
from careers.operations.models import Dismissal, Finding, Heartbeat, Severity
from careers.operations.processes import Processes
from careers.pipeline import registry
from careers.pipeline.states import CLAIMABLE, UNDER_WAY, State
from careers.pipeline.transitions import db_now

#: A step that has been ready for longer shows that no worker runs it.
STUCK = dt.timedelta(minutes=5)
#: Free bytes below which the disk counts as full, and as nearly full; and the share of the whole
#: disk above which it never counts as nearly full.
FULL = 10_000_000
LOW = 500_000_000
LOW_SHARE = 0.1


@dataclass(frozen=True)
class Queue:
    """A queue: how many steps wait in it, for how many seconds the oldest, and its workers."""

    name: str
    waiting: int
    oldest_seconds: float | None
    workers: int


@dataclass(frozen=True)
class Health:
    """The state of the whole site at one moment.

    Attributes:
        broker_error: "" if the broker answers; None if it was not checked.
        findings: what is reported now and not dismissed, the worst first.
        dismissed: advice that a person has dismissed, with the dismissal.
    """

    at: dt.datetime
    applications: int
    steps: dict[str, dict[str, int]]
    needs_attention: int
    waiting: int
    running: int
    done_last_day: int
    oldest_ready_seconds: float | None
    queues: list[Queue]
    processes: Processes
    broker_error: str | None
    findings: list[Finding]
    dismissed: list[tuple[Finding, Dismissal]]

    @property
    def ok(self) -> bool:
        return not self.faults

    @property
    def workers(self) -> list[Heartbeat]:
        return self.processes.workers

    @property
    def sweepers(self) -> list[Heartbeat]:
        return self.processes.sweepers

    @property
    def schedulers(self) -> list[Heartbeat]:
        return self.processes.schedulers

    @property
    def faults(self) -> list[Finding]:
        """Findings that need a person to act."""
        return [finding for finding in self.findings if not finding.is_advice]

    @property
    def advice(self) -> list[Finding]:
        """Findings that are for information only."""
        return [finding for finding in self.findings if finding.is_advice]

    def fault_of(self, code: str) -> Finding | None:
        """The finding about the service that an error of a step is about, if it lasts."""
        service = causes.service_of(code)
        return next(
            (one for one in self.faults if service == causes.service_of(one.code) != ""), None
        )

    @property
    def sentence(self) -> str:
        """One sentence for the top of a page."""
        if self.faults:
            return self.faults[0].message
        if self.waiting or self.running:
            return ngettext(
                "All is well. %(count)d step is under way.",
                "All is well. %(count)d steps are under way.",
                self.waiting + self.running,
            ) % {"count": self.waiting + self.running}
        return _("All is well. Nothing is waiting.")

    def as_json(self) -> dict[str, Any]:
        """For ``pipeline_status --json`` and for monitoring."""
        return {
            "at": self.at.isoformat(),
            "applications": self.applications,
            "steps": self.steps,
            "oldest_ready_seconds": self.oldest_ready_seconds,
            "workers": [
                {
                    "name": worker.name,
                    "queues": worker.queues.split(","),
                    "seen_at": worker.seen_at.isoformat(),
                }
                for worker in self.workers
            ],
            "sweeper": {"seen_at": _seen(self.sweepers)},
            "flower": {"seen_at": _seen(self.processes.flowers)},
            "broker": {
                "ok": self.broker_error == "",
                "error": "not asked" if self.broker_error is None else self.broker_error,
            },
            "findings": [finding.as_json() for finding in self.findings],
        }


def _queues(found: tally.Tally, running: Processes, now: dt.datetime) -> list[Queue]:
    kinds: dict[str, list[str]] = {}
    for step in registry.definitions():
        kinds.setdefault(step.queue, []).append(step.kind)
    queues = []
    for name in sorted(kinds):
        ready = [found.oldest_ready[kind] for kind in kinds[name] if kind in found.oldest_ready]
        states = [found.steps.get(kind, {}) for kind in kinds[name]]
        queues.append(
            Queue(
                name=name,
                waiting=sum(of_kind.get(state, 0) for of_kind in states for state in CLAIMABLE),
                oldest_seconds=max(0.0, (now - min(ready)).total_seconds()) if ready else None,
                workers=sum(name in row.queues.split(",") for row in running.workers),
            )
        )
    return queues


def _seen(rows: list[Heartbeat]) -> str | None:
    return rows[0].seen_at.isoformat() if rows else None


def check(broker_error: str | None = None) -> Health:
    """Read the database: the findings that are stored, and a few counts.

    Args:
        broker_error: what the broker answered just now ("" if it works); None takes what the
            sweeper has reported.
    """
    now = db_now()
    found = tally.read(now)
    running = processes.read(now)
    stored = findings.current(now)
    if broker_error is None:
        report = next((finding for finding in stored if finding.code == "broker"), None)
        broker_error = report.message if report else "" if running.sweepers else None
    else:
        stored = [finding for finding in stored if finding.code != "broker"]
        stored += [broker(broker_error)] if broker_error else []
    _tell_what_follows(stored, running)
    oldest = found.oldest_ready_at
    oldest_seconds = max(0.0, (now - oldest).total_seconds()) if oldest else None
    reported = findings.worst_first(
        [
            *disk(),
            *causes.one_for_each(stored),
            *processes.findings(running, broker_works=not broker_error),
            *_work(oldest_seconds, found.needs_attention),
        ]
    )
    dismissals = findings.dismissals(reported)
    return Health(
        at=now,
        applications=found.applications,
        steps={kind: {} for kind in registry.kinds()} | found.steps,
        needs_attention=found.needs_attention,
        waiting=found.total(*UNDER_WAY) - found.total(State.STARTED),
        running=found.total(State.STARTED),
        done_last_day=found.done_last_day,
        oldest_ready_seconds=oldest_seconds,
        queues=_queues(found, running, now),
        processes=running,
        broker_error=broker_error,
        findings=[finding for finding in reported if finding.digest not in dismissals],
        dismissed=[
            (finding, dismissals[finding.digest])
            for finding in reported
            if finding.digest in dismissals
        ],
    )


# ── Findings derived here ───────────────────────────────────────────────────────────────
#
# These findings are not stored. A stopped process can't report its absence, a full disk accepts no
# row, and the counts of steps are read here anyway.


def disk() -> list[Finding]:
    """Whether there is room on the disk of this machine, where the site writes its files."""
    usage = shutil.disk_usage(settings.VAR_DIR)
    if usage.free > LOW or usage.free > usage.total * LOW_SHARE:
        return []
    facts = {"free": usage.free, "path": str(settings.VAR_DIR)}
    if usage.free > FULL:
        return [Finding(code="disk-low", severity=Severity.WARNING, facts=facts)]
    return [Finding(code="disk-full", severity=Severity.CRITICAL, facts=facts)]


def broker(error: str) -> Finding:
    """What ``broker.broker_error`` answered, as a finding."""
    facts = {"cause": sentences.to_facts(error)}
    return Finding(code="broker", severity=Severity.CRITICAL, facts=facts)


def _tell_what_follows(stored: Sequence[Finding], running: Processes) -> None:
    """Add to the finding about the broker who can't reach it, and who takes over when."""
    takes_over = running.takes_over_at
    for finding in stored:
        if finding.code == "broker":
            finding.facts = {
                **finding.facts,
                "workers": len(running.cut_off),
                "sweeper": bool(running.sweepers),
                "takes_over_at": takes_over.isoformat() if takes_over else None,
                "took_over": takes_over is not None and takes_over <= running.at,
            }


def _work(oldest_seconds: float | None, needs: int) -> Iterator[Finding]:
    if oldest_seconds is not None and oldest_seconds > STUCK.total_seconds():
        facts = {"minutes": int(oldest_seconds // 60)}
        yield Finding(code="oldest-step", severity=Severity.WARNING, facts=facts)
    if needs:
        yield Finding(code="needs-attention", severity=Severity.WARNING, facts={"count": needs})
