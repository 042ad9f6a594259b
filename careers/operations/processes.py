"""Which processes of the site run, which were lost, and what follows for applicants."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from careers.operations import heartbeat
from careers.operations.heartbeat import COUNTED, GONE_AFTER, KEPT, MANY
from careers.operations.models import Finding, Heartbeat, Severity
from careers.pipeline import registry
from careers.pipeline.models import Step
from careers.pipeline.states import UNDER_WAY

Kind = Heartbeat.Kind


@dataclass(frozen=True)
class Processes:
    """The processes of the site at one moment.

    Attributes:
        workers, sweepers, schedulers, flowers: those that are alive, the sweeper seen last first.
        gone: workers that ended without notice within the last day, the newest first.
        alive: the rows of all processes that are alive, also of one that is starting.
        last_scheduler: the row of the scheduler, whether it runs or not.
        last_flower: the row of a Flower that did not stop in order.
    """

    at: dt.datetime
    workers: list[Heartbeat] = field(default_factory=list)
    gone: list[Heartbeat] = field(default_factory=list)
    sweepers: list[Heartbeat] = field(default_factory=list)
    schedulers: list[Heartbeat] = field(default_factory=list)
    flowers: list[Heartbeat] = field(default_factory=list)
    alive: list[Heartbeat] = field(default_factory=list)
    last_scheduler: Heartbeat | None = None
    last_flower: Heartbeat | None = None

    @property
    def cut_off(self) -> list[Heartbeat]:
        """Workers that run and have no connection to the broker."""
        return [worker for worker in self.workers if worker.facts.get("trouble") == "no-broker"]

    @property
    def served(self) -> set[str]:
        """The queues from which a worker that is alive takes messages, or will again."""
        return {queue for worker in self.workers for queue in worker.queues.split(",") if queue}

    @property
    def takes_over_at(self) -> dt.datetime | None:
        """When a sweeper runs the steps itself, as it said last; None while the broker works."""
        said = [row.facts.get("takes_over_at") for row in self.sweepers]
        return min((dt.datetime.fromisoformat(at) for at in said if at), default=None)


def read(now: dt.datetime) -> Processes:
    """Read all heartbeats of the last day; one query."""
    rows = sorted(
        Heartbeat.objects.filter(seen_at__gt=now - KEPT)
        | Heartbeat.objects.filter(kind=Kind.SCHEDULER),
        key=lambda row: row.seen_at,
        reverse=True,
    )
    alive = [row for row in rows if heartbeat.is_alive(row, now)]
    of_kind = {
        kind: [row for row in alive if row.kind == kind and not row.facts.get("ended")]
        for kind in Kind
    }
    return Processes(
        at=now,
        workers=sorted(of_kind[Kind.WORKER], key=lambda row: row.name),
        gone=[row for row in rows if row.kind == Kind.WORKER and now - row.seen_at >= GONE_AFTER],
        sweepers=of_kind[Kind.SWEEPER],
        schedulers=of_kind[Kind.SCHEDULER],
        flowers=[row for row in of_kind[Kind.FLOWER] if not row.facts.get("starting")],
        alive=[row for rows_of_kind in of_kind.values() for row in rows_of_kind],
        last_scheduler=next((row for row in rows if row.kind == Kind.SCHEDULER), None),
        last_flower=next(
            (
                row
                for row in rows
                if row.kind == Kind.FLOWER and not (row in alive and row.facts.get("starting"))
            ),
            None,
        ),
    )


# ── Findings ────────────────────────────────────────────────────────────────────────────
#
# They are not stored, because a process that has stopped can't report its absence.


def findings(found: Processes, *, broker_works: bool) -> Iterator[Finding]:
    """What is wrong with the processes, one finding for each cause.

    Args:
        broker_works: without a broker, nothing that needs one can be said about beat and workers.
    """
    yield from _workers(found, broker_works)
    if not found.sweepers:
        yield Finding(code="no-sweeper", severity=Severity.CRITICAL)
    facts: dict[str, Any]
    if broker_works and not found.schedulers:
        seen = found.last_scheduler
        facts = {"seen_at": seen.seen_at.isoformat() if seen else None}
        yield Finding(code="no-scheduler", severity=Severity.WARNING, facts=facts)
    if found.last_flower and not found.flowers:
        facts = {"seen_at": found.last_flower.seen_at.isoformat()}
        yield Finding(code="no-flower", severity=Severity.WARNING, facts=facts)
    restarting = [row for row in found.alive if len(_recent(row, found.at)) >= MANY]
    for row in restarting:
        ends = _recent(row, found.at)
        # A sweeper has another name after each start.
        name = row.facts.get("host", row.name) if row.kind == Kind.SWEEPER else row.name
        facts = {"kind": row.kind, "name": name, "count": len(ends), "last": ends[-1]}
        yield Finding(code=f"restarts.{row.kind}", severity=Severity.WARNING, facts=facts)


def _workers(found: Processes, broker_works: bool) -> Iterator[Finding]:
    needed = {step.queue for step in registry.definitions()}
    if not found.workers:
        facts: dict[str, Any] = {"waiting": waiting()}
        facts |= _last(found.gone)
        yield Finding(code="no-worker", severity=Severity.CRITICAL, facts=facts)
        return
    if missing := sorted(needed - found.served):
        facts = {"queues": missing, "waiting": waiting(missing)}
        facts |= _last([row for row in found.gone if set(missing) & set(row.queues.split(","))])
        yield Finding(code="queue-unserved", severity=Severity.CRITICAL, facts=facts)
    lost = [row for row in found.gone if not _is_replaced(row, found, missing)]
    if lost:
        facts = {
            "workers": [row.name for row in lost],
            "seen_at": lost[0].seen_at.isoformat(),
            "ran": sum(len(row.facts.get("ran", [])) for row in lost),
        }
        yield Finding(code="worker-gone", severity=Severity.WARNING, facts=facts)
    if broker_works and found.cut_off:
        facts = {"workers": [row.name for row in found.cut_off]}
        yield Finding(code="worker-no-broker", severity=Severity.WARNING, facts=facts)
    stalled = [row for row in found.workers if row.facts.get("trouble") == "stalled"]
    # A loop also stands still while it waits for the answer of a broker that hangs.
    if broker_works and stalled:
        facts = {
            "workers": [row.name for row in stalled],
            "since": min(row.facts["trouble_since"] for row in stalled),
        }
        yield Finding(code="worker-stalled", severity=Severity.WARNING, facts=facts)


def _last(gone: list[Heartbeat]) -> dict[str, str]:
    """The worker that was seen last, as facts; empty if there is none."""
    return {"last": gone[0].name, "seen_at": gone[0].seen_at.isoformat()} if gone else {}


def _is_replaced(gone: Heartbeat, found: Processes, missing: list[str]) -> bool:
    """Whether a newer worker does the work of one that is gone, or another finding names it."""
    queues = set(gone.queues.split(","))
    if queues & set(missing):
        return True
    return any(
        queues <= set(worker.queues.split(",")) and worker.started_at > gone.seen_at - GONE_AFTER
        for worker in found.workers
    )


def _recent(row: Heartbeat, now: dt.datetime) -> list[str]:
    """When predecessors of a process ended without notice, within the last hour."""
    ends = [one["at"] for one in row.facts.get("lost", [])]
    return [at for at in ends if now - dt.datetime.fromisoformat(at) < COUNTED]


def waiting(queues: list[str] | None = None) -> int:
    """How many applications have a step that waits or runs; of these queues only, if given."""
    steps = Step.objects.filter(state__in=UNDER_WAY, application__isnull=False)
    if queues is not None:
        kinds = [step.kind for step in registry.definitions() if step.queue in queues]
        steps = steps.filter(kind__in=kinds)
    return steps.order_by().values("application").distinct().count()
