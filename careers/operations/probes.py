"""What the sweeper asks of the outside every so often, so that a fault is known before a step
meets it.

Each question is asked in a child that can be killed: a mail server that hangs, or a name that
is never found, must not keep the sweeper from its work. Answers are findings; they travel in
the sweeper's heartbeat, and ``health.check`` shows them.
"""

from __future__ import annotations

import datetime as dt
import logging
import multiprocessing
import re
import signal
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import CommandError
from django.db import Error as DatabaseError
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django.utils.translation import gettext as _

from careers import archive, notifications
from careers.applications.errors import EffectError, Transient
from careers.operations.health import Finding
from careers.pipeline import broker
from careers.pipeline.transitions import db_now

log = logging.getLogger(__name__)

#: Seconds that one question may take: longer than any client of ours waits by itself.
PATIENCE = 30
#: Clocks that differ by more are named. S3 refuses requests beyond fifteen minutes.
SKEW = dt.timedelta(minutes=1)
#: Whose migrations are never squashed away: one that the code doesn't know is a newer one's.
OURS = ("careers", "home")
FORK = multiprocessing.get_context("fork")


# ── The questions ───────────────────────────────────────────────────────────────────────


def ask_database() -> list[Finding]:
    """Whether the database can be used, was made by this code or older, and has our clock."""
    try:
        connection.ensure_connection()
        found = _clock(_("the database"), db_now())
        newer = newer_migrations()
    except (DatabaseError, OSError) as error:
        code, words = database_cause(error)
        return [Finding(code, "critical", words, _("No application can be taken meanwhile."))]
    if newer:
        found.append(_newer(newer))
    return found


def ask_broker() -> list[Finding]:
    """Whether the broker answers us."""
    error = broker.broker_error()
    return [Finding("broker", "critical", error, safe_meanwhile())] if error else []


def ask_archive() -> list[Finding]:
    """Whether the archive answers, takes our key, has the bucket, and shares our clock."""
    try:
        date = archive.probe()
    except EffectError as error:
        return [_explained(error, _("Check that it runs, and AWS_S3_ENDPOINT_URL."))]
    return _clock(_("the archive (S3)"), date) if date else []


def ask_archive_conditions() -> list[Finding]:
    """Whether the archive writes at all, and only where there is nothing, when asked to."""
    try:
        if archive.honours_conditions():
            return []
    except EffectError as error:
        return [_explained(error, _("Check that it runs, and AWS_S3_ENDPOINT_URL."))]
    return [
        Finding(
            "archive-overwrites",
            "note",
            _("The archive (S3) ignores If-None-Match: it would overwrite an object."),
            _("Nothing to do: each file is looked for before, and read back after, it is written."),
        )
    ]


def ask_mail() -> list[Finding]:
    """Whether the mail server answers, encrypts as told, and takes our login.

    Or whether the provider's API answers.
    """
    try:
        notifications.probe()
    except EffectError as error:
        if settings.EMAIL_PROVIDER:
            return [_explained(error, _("Check EMAIL_PROVIDER and EMAIL_API_URL."))]
        return [_explained(error, _("Check that it runs, EMAIL_HOST and EMAIL_PORT."))]
    return []


@dataclass(frozen=True)
class Probe:
    """A question, and how often it is asked.

    Attributes:
        name: of what is asked; a service has the name that it has in ``env.SERVICES``.
        silent: the code when no answer comes.
        every: seconds between an answer and the next question; None: one answer without a
            fault is enough.
    """

    name: str
    ask: Callable[[], list[Finding]]
    silent: str
    every: float | None


def all_probes() -> list[Probe]:
    """Every question; the sweeper asks the broker by itself, much more often."""
    interval = settings.PIPELINE_PROBE_INTERVAL
    return [
        Probe("database", ask_database, "database-unreachable", interval),
        Probe("broker", ask_broker, "broker", interval),
        Probe("archive", ask_archive, "archive-unavailable", interval),
        Probe("archive-conditions", ask_archive_conditions, "archive-unavailable", None),
        Probe("mail", ask_mail, "mail-unreachable", interval),
    ]


# ── Asking ──────────────────────────────────────────────────────────────────────────────


class Prober:
    """Asks in children and remembers what they found; no method waits.

    Attributes:
        found: the latest answer to each question.
    """

    def __init__(self, probes: Collection[Probe]) -> None:
        self.probes = probes
        self.found: dict[str, list[Finding]] = {}
        self._due = {probe.name: 0.0 for probe in probes}
        self._asking: dict[str, tuple[BaseProcess, Connection, float]] = {}

    @property
    def findings(self) -> list[Finding]:
        """All that is known to be wrong, one of a code, in the order of the questions."""
        by_code: dict[str, Finding] = {}
        for probe in self.probes:
            for finding in self.found.get(probe.name, []):
                by_code.setdefault(finding.code, finding)
        return list(by_code.values())

    @property
    def answered(self) -> bool:
        """Whether every question was asked and is answered, or given up."""
        return not self._asking and all(self._due.values())

    def look(self) -> None:
        """Take the answers that have come, and ask what is due."""
        for probe in self.probes:
            self._take(probe)
            if probe.name not in self._asking and time.monotonic() >= self._due[probe.name]:
                self._ask(probe)

    def stop(self) -> None:
        """Ask no more."""
        for child, answers, _deadline in self._asking.values():
            child.kill()
            child.join()
            answers.close()
        self._asking.clear()

    def _ask(self, probe: Probe) -> None:
        answers, tell = FORK.Pipe(duplex=False)
        child = FORK.Process(target=_ask_in_child, args=[probe.ask, tell], daemon=True)
        # A child must not speak over our connections.
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
            # Only our own child writes into this pipe.
            found = answers.recv() if answers.poll() else [_never_answered(probe)]
        except EOFError:
            # It failed by a mistake of ours, which stands in the log.
            found = self.found.get(probe.name, [])
        child.kill()
        child.join()
        answers.close()
        del self._asking[probe.name]
        self.found[probe.name] = found
        settled = probe.every is None and all(finding.level == "note" for finding in found)
        pause = float("inf") if settled else probe.every or settings.PIPELINE_PROBE_INTERVAL
        self._due[probe.name] = time.monotonic() + pause


def ask_once(probes: Collection[Probe]) -> Prober:
    """Ask and wait for the answers; some ``PATIENCE`` seconds at most."""
    prober = Prober(probes)
    prober.look()
    while not prober.answered:
        time.sleep(0.02)
        prober.look()
    return prober


def _ask_in_child(ask: Callable[[], list[Finding]], tell: Connection) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    broker.forget_connections()
    try:
        tell.send(ask())
    except Exception as error:
        # Named by its type only: its words may hold addresses and keys.
        log.warning("a probe failed: %s", type(error).__name__)
    finally:
        connections.close_all()


# ── Words ───────────────────────────────────────────────────────────────────────────────


def safe_meanwhile() -> str:
    """What an operator wants to know first."""
    return _("Applications are stored and safe; what waits is done once this works.")


def _explained(error: EffectError, check: str) -> Finding:
    if isinstance(error, Transient):
        return Finding(error.code, "warning", error.public, f"{check} {safe_meanwhile()}")
    return Finding(error.code, "critical", error.public, safe_meanwhile())


def _never_answered(probe: Probe) -> Finding:
    service = probe.name.partition("-")[0]
    return Finding(
        probe.silent,
        "warning",
        _("Nothing came back from the service “%(name)s” in time.") % {"name": service},
        _("Check that it runs and that its address is right.") + " " + safe_meanwhile(),
    )


def _clock(whose: str, theirs: dt.datetime) -> list[Finding]:
    ours = timezone.now()
    if abs(theirs - ours) < SKEW:
        return []
    return [
        Finding(
            "clock",
            "warning",
            _("Clocks differ: here it is %(ours)s, for %(whose)s it is %(theirs)s (UTC).")
            % {
                "ours": f"{ours:%Y-%m-%d %H:%M:%S}",
                "whose": whose,
                "theirs": f"{theirs.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}",
            },
            _("Set the wrong one right, and let a time service (NTP) keep both."),
        )
    ]


def newer_migrations() -> list[str]:
    """Migrations that the database has and this code doesn't know, as ``app.name``.

    Those of other packages count only when their number is above all known ones: packages
    squash old migrations away, and the database still tells of them.
    """
    applied = MigrationRecorder(connection).applied_migrations()
    newer = []
    for config in apps.get_app_configs():
        files = Path(config.path, "migrations").glob("[0-9]*.py")
        known = {path.stem for path in files}
        latest = max(map(_number, known), default=0)
        newer += [
            f"{label}.{name}"
            for label, name in applied
            if label == config.label
            and name not in known
            and (label in OURS or _number(name) > latest)
        ]
    return sorted(newer)


def missing_migrations() -> list[str]:
    """Migrations of ours that the database does not have yet, as ``app.name``."""
    applied = MigrationRecorder(connection).applied_migrations()
    return sorted(
        f"{label}.{path.stem}"
        for label in OURS
        for path in Path(apps.get_app_config(label).path, "migrations").glob("[0-9]*.py")
        if (label, path.stem) not in applied
    )


def refuse_newer(**_signal: Any) -> None:
    """Before ``migrate``: it would find nothing to do, and old code would start on new tables.

    Raises:
        CommandError: the database was made by a newer version.
    """
    if newer := newer_migrations():
        found = _newer(newer)
        raise CommandError(f"{found.message} {found.action}", returncode=2)


def _newer(migrations: list[str]) -> Finding:
    return Finding(
        "database-newer",
        "critical",
        _("The database was made by a newer version of this site (%(migration)s).")
        % {"migration": migrations[0]},
        _("Update the code and start again, or restore a backup from before."),
    )


def _number(migration: str) -> int:
    found = re.match(r"\d+", migration)
    return int(found[0]) if found else 0


def database_cause(error: Exception) -> tuple[str, str]:
    """What a failure to use the database means: a code, and cause with next action.

    libpq gives no code for a refused connection, only words.
    """
    words = str(error).lower()
    if "password" in words or "authentication failed" in words or 'role "' in words:
        return "database-login", _(
            "The database refused the user or the password. Correct them in DATABASE_URL."
        )
    if "pg_hba.conf" in words:
        return "database-login", _(
            "The database does not let this machine in (pg_hba.conf). Allow it there, or correct "
            "user, database and sslmode in DATABASE_URL."
        )
    if "certificate" in words:
        return "database-tls", _(
            "The database's certificate was refused. Renew it, or name the authority that signed "
            "it: DATABASE_URL=…?sslmode=verify-full&sslrootcert=FILE."
        )
    if "ssl" in words or "tls" in words:
        return "database-tls", _(
            "The database does not encrypt as DATABASE_URL asks. Turn TLS on in the server, or "
            "correct sslmode in DATABASE_URL."
        )
    if 'database "' in words and "does not exist" in words:
        return "database-missing", _(
            "There is no such database on the server. Create it, or correct its name in "
            "DATABASE_URL."
        )
    if any(part in words for part in ("resolve", "translate host", "name or service")):
        return "database-unreachable", _(
            "The database's host was not found. Check the name in DATABASE_URL."
        )
    if "refused" in words:
        return "database-unreachable", _(
            "Nothing listens where the database should be. Start it, or correct host and port in "
            "DATABASE_URL."
        )
    if "timeout" in words or "timed out" in words:
        return "database-unreachable", _(
            "The database did not answer in time. Check that its host is up, and host and port in "
            "DATABASE_URL."
        )
    if "unable to open database file" in words or "readonly database" in words:
        return "database-unreachable", _(
            "The database's file can't be opened for writing. Check the path in DATABASE_URL and "
            "who may write there."
        )
    return "database-unreachable", _(
        "The database can't be used (%(error)s). Check DATABASE_URL and the server's log."
    ) % {"error": type(error).__name__}
