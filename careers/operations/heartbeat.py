"""Heartbeats: a row for each process of the site, which says that it is alive and what it does.

A process calls ``begin`` once, ``beat`` every ``INTERVAL`` seconds, and ``end`` when it stops in
order. A row that is left without a beat belongs to a process that ended without notice.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import socket
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from django.db import Error as DatabaseError
from django.db import connection

from careers.operations.models import Heartbeat
from careers.pipeline.models import Step
from careers.pipeline.states import State
from careers.pipeline.transitions import db_now

log = logging.getLogger(__name__)

#: Seconds between two heartbeats; after what time a process without one counts as gone.
INTERVAL = 10
GONE_AFTER = dt.timedelta(seconds=35)
#: How long the row of a process that is gone is kept and shown.
KEPT = dt.timedelta(days=1)
#: For how long an end without notice counts, and how many of them are a finding.
COUNTED = dt.timedelta(hours=1)
MANY = 3
#: Ends, and steps of one process, that are remembered. More say nothing new.
REMEMBERED = 20


def beat(kind: str, name: str, *, queues: str = "", facts: dict[str, Any] | None = None) -> None:
    """Write a heartbeat. A database error is logged, never raised."""
    _write(kind, name, queues=queues, facts=facts or {})


def begin(
    kind: str,
    name: str,
    *,
    queues: str = "",
    facts: dict[str, Any] | None = None,
    family: str | None = None,
) -> list[dict[str, Any]]:
    """Write the first heartbeat of a process, and note whether the one before it ended in order.

    Args:
        family: how the names of its predecessors on this host begin; by default they have its name.

    Returns:
        For ``facts["lost"]``: ``at`` is the last beat of a predecessor that ended without notice,
        ``ran`` are the ids of the steps that it held.
    """
    lost: list[dict[str, Any]] = []
    try:
        lost = _take_over(kind, name, family, db_now())
    except DatabaseError as error:
        log.warning("the heartbeats before this one are unknown: %s", type(error).__name__)
        connection.close_if_unusable_or_obsolete()
    _write(kind, name, queues=queues, facts={**(facts or {}), "lost": lost}, begins=True)
    return lost


def end(kind: str, name: str) -> None:
    """Delete the heartbeat of a process that stops in order."""
    Heartbeat.objects.filter(kind=kind, name=name).delete()


def forget(name: str) -> bool:
    """Delete the row of a worker that is gone.

    Returns:
        False if there is no such row, or the worker is alive.
    """
    gone = Heartbeat.objects.filter(kind=Heartbeat.Kind.WORKER, name=name)
    return bool(gone.filter(seen_at__lt=db_now() - GONE_AFTER).delete()[0])


def forget_gone() -> None:
    """Delete the rows of processes that have been gone for long; the scheduler's row stays."""
    old = Heartbeat.objects.exclude(kind=Heartbeat.Kind.SCHEDULER)
    old.filter(seen_at__lt=db_now() - KEPT).delete()


def own_facts() -> dict[str, Any]:
    """What every process says about itself: host, process id, version, memory in bytes."""
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "version": _version(),
        "memory": memory(),
    }


def memory() -> int | None:
    """The bytes of memory of this process and its children; None where the system has no /proc.

    Memory that several of them share counts once (``Pss`` in proc_pid_smaps_rollup(5)).
    """
    pids, total = [str(os.getpid())], 0
    with suppress(OSError):
        # Asking the pool for its children would collect those that have ended.
        pids += Path(f"/proc/{pids[0]}/task/{pids[0]}/children").read_text("ascii").split()
    for pid in pids:
        with suppress(OSError, ValueError, IndexError):
            text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
            total += int(text.partition("\nPss:")[2].split()[0]) * 1024
    return total or None


def is_alive(row: Heartbeat, now: dt.datetime) -> bool:
    """Whether a process has just written this row.

    A heartbeat from the future was written before the clock was set back.
    """
    return abs(now - row.seen_at) < GONE_AFTER


def is_served(queue: str) -> bool:
    """Whether a worker that is alive takes messages from a queue."""
    now = db_now()
    rows = Heartbeat.objects.filter(
        kind=Heartbeat.Kind.WORKER, seen_at__gt=now - GONE_AFTER, seen_at__lt=now + GONE_AFTER
    )
    return any(queue in row.queues.split(",") and not row.facts.get("trouble") for row in rows)


def _write(kind: str, name: str, *, begins: bool = False, **content: Any) -> None:
    try:
        now = db_now()
        defaults = {**content, "seen_at": now}
        started = {**defaults, "started_at": now}
        Heartbeat.objects.update_or_create(
            kind=kind,
            name=name,
            defaults=started if begins else defaults,
            create_defaults=started,
        )
    except DatabaseError as error:
        log.warning("no heartbeat written: %s", type(error).__name__)
        # Nothing else in these processes closes a lost connection.
        connection.close_if_unusable_or_obsolete()


def _take_over(kind: str, name: str, family: str | None, now: dt.datetime) -> list[dict[str, Any]]:
    rows = Heartbeat.objects.filter(kind=kind)
    rows = rows.filter(name=name) if family is None else rows.filter(name__startswith=family)
    lost: list[dict[str, Any]] = []
    for row in rows:
        if _runs(row) or (family is not None and row.facts.get("host") != socket.gethostname()):
            continue
        lost += row.facts.get("lost", [])
        if not row.facts.get("ended"):
            lost.append({"at": row.seen_at.isoformat(), "ran": steps_of(row)})
        if row.name != name:
            row.delete()
    recent = [one for one in lost if now - dt.datetime.fromisoformat(one["at"]) < KEPT]
    return sorted(recent, key=lambda one: one["at"])[-REMEMBERED:]


def steps_of(row: Heartbeat) -> list[int]:
    """The ids of the steps that the worker of this row holds, or held when it was lost."""
    if "ran" in row.facts:
        return list(row.facts["ran"])
    held = Step.objects.filter(owner=row.facts.get("owner") or None, state=State.STARTED)
    return list(held.order_by("pk").values_list("pk", flat=True)[:REMEMBERED])


def note_lost_workers() -> None:
    """Keep which steps lost workers held; the sweeper calls it before it takes them back."""
    gone = Heartbeat.objects.filter(
        kind=Heartbeat.Kind.WORKER, seen_at__lt=db_now() - GONE_AFTER
    ).exclude(facts__has_key="ran")
    for row in gone:
        facts = {**row.facts, "ran": steps_of(row)}
        # It may be back.
        Heartbeat.objects.filter(pk=row.pk, seen_at=row.seen_at).update(facts=facts)


def _runs(row: Heartbeat) -> bool:
    """Whether the process that wrote a row still runs, as far as this host knows."""
    pid = row.facts.get("pid")
    if row.facts.get("host") != socket.gethostname() or not pid or pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _version() -> str:
    try:
        return metadata.version("careersite")
    except metadata.PackageNotFoundError:
        return ""
