"""Probes of the services, which the sweeper runs at intervals to find errors before a step does.

Each probe runs in a child process that can be killed: a mail server that hangs, or a name that
never resolves, must not keep the sweeper from its work. The answers are findings, which the
sweeper reports.
"""

from __future__ import annotations

import datetime as dt
import logging
import multiprocessing
import signal
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection, connections
from django.utils import timezone

from careers import archive, notifications, scanning
from careers.applications import sentences
from careers.applications.errors import EffectError, Transient
from careers.operations import database, health, mail_route
from careers.operations.models import Finding, Severity
from careers.pipeline import broker
from careers.pipeline.transitions import db_now

log = logging.getLogger(__name__)

#: Seconds that one probe may take: longer than the time-out of any client.
PATIENCE = 30
#: Clocks that differ by more are a finding. S3 refuses requests beyond fifteen minutes.
SKEW = dt.timedelta(minutes=1)
#: ClamAV publishes signatures every day.
OLD_SIGNATURES = dt.timedelta(days=7)
FORK = multiprocessing.get_context("fork")


# ── The probes ──────────────────────────────────────────────────────────────────────────


def ask_database() -> list[Finding]:
    """Whether the database answers, is not newer than this code, and has the same time."""
    try:
        connection.ensure_connection()
        found = clocks("database", db_now())
        newer = database.newer_migrations()
    except (DatabaseError, OSError) as error:
        code, cause = database.cause(error)
        facts = {"cause": sentences.to_facts(cause)}
        return [Finding(code=code, severity=Severity.CRITICAL, facts=facts)]
    if newer:
        found.append(database.newer_finding(newer))
    return found


def ask_broker() -> list[Finding]:
    """Whether the broker accepts messages."""
    error = broker.broker_error()
    return [health.broker(error)] if error else []


def ask_archive() -> list[Finding]:
    """Whether the archive answers, accepts our key, has the bucket, and has the same time."""
    try:
        date = archive.probe()
    except EffectError as error:
        return [_failed(error, "archive")]
    return clocks("archive", date) if date else []


def ask_archive_conditions() -> list[Finding]:
    """Whether the archive accepts writes, and refuses to overwrite with ``If-None-Match``."""
    try:
        if archive.honours_conditions():
            return []
    except EffectError as error:
        return [_failed(error, "archive")]
    return [Finding(code="archive-overwrites", severity=Severity.ADVICE)]


def ask_mail() -> list[Finding]:
    """Whether the mail server answers, encrypts as configured, and accepts our login.

    With a mail provider: whether its API answers. It also reports which addresses are taken.
    """
    try:
        answer = notifications.probe()
    except EffectError as error:
        return [_failed(error, "provider" if settings.EMAIL_PROVIDER else "mail")]
    return mail_route.report(answer)


def ask_scanner() -> list[Finding]:
    """Whether the virus scanner answers, and whether its signatures are up to date."""
    try:
        scanning.probe()
        made = scanning.database_date()
    except EffectError as error:
        return [_failed(error, "scanner")]
    if made is None or timezone.now().date() - made < OLD_SIGNATURES:
        return []
    facts = {"date": made.isoformat()}
    return [Finding(code="scanner-outdated", severity=Severity.WARNING, facts=facts)]


def clocks(service: str, theirs: dt.datetime) -> list[Finding]:
    """A finding if the clock of a service and the clock of this machine differ."""
    ours = timezone.now()
    if abs(theirs - ours) < SKEW:
        return []
    facts = {
        "service": service,
        "ours": f"{ours:%Y-%m-%d %H:%M:%S}",
        "theirs": f"{theirs.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}",
    }
    return [Finding(code="clock", severity=Severity.WARNING, facts=facts)]


def _failed(error: EffectError, check: str) -> Finding:
    facts: dict[str, Any] = {"cause": sentences.to_facts(error.public)}
    if isinstance(error, Transient):
        facts["check"] = check
        return Finding(code=error.code, severity=Severity.WARNING, facts=facts)
    return Finding(code=error.code, severity=Severity.CRITICAL, facts=facts)


@dataclass(frozen=True)
class Probe:
    """A check of one service, and how often to run it.

    Attributes:
        name: the name of the service in ``env.SERVICES``, perhaps with more after a hyphen; or
            ``scanner``.
        silent: the code of the finding when no answer comes.
        every: seconds between an answer and the next run; None repeats until one answer reports
            no error.
    """

    name: str
    ask: Callable[[], list[Finding]]
    silent: str
    every: float | None


def all_probes() -> list[Probe]:
    """Every probe. The sweeper checks the broker itself, much more often."""
    interval = settings.PIPELINE_PROBE_INTERVAL
    scanner = [Probe("scanner", ask_scanner, "scanner-unreachable", interval)]
    return [
        Probe("database", ask_database, "database-unreachable", interval),
        Probe("broker", ask_broker, "broker", interval),
        Probe("archive", ask_archive, "archive-unavailable", interval),
        Probe("archive-conditions", ask_archive_conditions, "archive-unavailable", None),
        Probe("mail", ask_mail, "mail-unreachable", interval),
        *(scanner if scanning.is_configured() else []),
    ]


# ── Running ─────────────────────────────────────────────────────────────────────────────


class Prober:
    """Runs probes in child processes and keeps their answers; no method waits.

    Attributes:
        found: the latest answer to each probe, by its name.
    """

    def __init__(self, probes: Collection[Probe]) -> None:
        self.probes = probes
        self.found: dict[str, list[Finding]] = {}
        self._new: list[str] = []
        self._due = {probe.name: 0.0 for probe in probes}
        self._asking: dict[str, tuple[BaseProcess, Connection, float]] = {}

    @property
    def findings(self) -> list[Finding]:
        """Everything that is known to be wrong, one of each code, in the order of the probes."""
        by_code: dict[str, Finding] = {}
        for probe in self.probes:
            for finding in self.found.get(probe.name, []):
                by_code.setdefault(finding.code, finding)
        return list(by_code.values())

    @property
    def answered(self) -> bool:
        """Whether every probe has run and has answered, or was given up."""
        return not self._asking and all(self._due.values())

    def new_answers(self) -> list[tuple[str, list[Finding]]]:
        """The answers that have arrived since the last call, with the names of their probes."""
        new, self._new = self._new, []
        return [(name, self.found[name]) for name in new]

    def update(self) -> None:
        """Take the answers that have arrived, and start the probes that are due."""
        for probe in self.probes:
            self._take(probe)
            if probe.name not in self._asking and time.monotonic() >= self._due[probe.name]:
                self._ask(probe)

    def stop(self) -> None:
        """Kill the probes that still run."""
        for child, answers, _deadline in self._asking.values():
            child.kill()
            child.join()
            answers.close()
        self._asking.clear()

    def _ask(self, probe: Probe) -> None:
        answers, tell = FORK.Pipe(duplex=False)
        child = FORK.Process(target=_ask_in_child, args=[probe.ask, tell], daemon=True)
        # The child must not use the connections of its parent.
        connections.close_all()
        child.start()
        tell.close()
        self._asking[probe.name] = (child, answers, time.monotonic() + PATIENCE)

    def _take(self, probe: Probe) -> None:
        if probe.name not in self._asking:
            return
        child, answers, deadline = self._asking[probe.name]
        late = time.monotonic() > deadline
        if child.is_alive() and not late and not answers.poll():
            return
        try:
            # Unpickling is safe: only our own child writes into this pipe.
            found = answers.recv() if answers.poll() else [_silent(probe)]
        except EOFError:
            # The probe itself has a bug, which is in the log.
            found = self.found.get(probe.name, [])
        child.kill()
        child.join()
        answers.close()
        del self._asking[probe.name]
        self.found[probe.name] = found
        self._new.append(probe.name)
        settled = probe.every is None and all(finding.is_advice for finding in found)
        pause = float("inf") if settled else probe.every or settings.PIPELINE_PROBE_INTERVAL
        self._due[probe.name] = time.monotonic() + pause


def ask_once(probes: Collection[Probe]) -> Prober:
    """Run every probe once and wait for the answers, for about ``PATIENCE`` seconds at most."""
    prober = Prober(probes)
    prober.update()
    while not prober.answered:
        time.sleep(0.02)
        prober.update()
    return prober


def _ask_in_child(ask: Callable[[], list[Finding]], tell: Connection) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    broker.forget_connections()
    try:
        tell.send(ask())
    except Exception as error:
        # Only its type is logged: its text may hold addresses and keys.
        log.warning("a probe failed: %s", type(error).__name__)
    finally:
        connections.close_all()


def _silent(probe: Probe) -> Finding:
    facts = {"silent": probe.name.partition("-")[0]}
    return Finding(code=probe.silent, severity=Severity.WARNING, facts=facts)
