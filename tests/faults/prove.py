"""``bin/prove``: many applications while everything breaks, and an independent count afterwards.

    bin/prove --seed 1 --applications 2000        # on both databases, prints a table
    bin/prove --seed 1 --applications 2000 --plan # what it would do

A seed fixes the plan (which fault strikes when which application is posted, and how) and every
byte that is sent. It does not fix how threads and processes are scheduled: the same seed finds
the same faults at other instructions.

Exits 0 when nothing was lost, doubled, altered, stuck or told wrongly; 1 when something was;
2 when the campaign could not be run.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import datetime as dt
import json
import os
import platform
import re
import shutil
import sqlite3
import sys
import tempfile
import textwrap
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import quantiles
from typing import Any

from tests.faults import crowd, monkeys
from tests.faults.checker import RED, Checker, Findings
from tests.faults.crowd import Applicants, Ledger
from tests.faults.monkeys import KINDS, Fault, Site
from tests.faults.panel import Panel, message_id
from tests.faults.s3_proxy import S3Proxy
from tests.support.postgresql import PostgreSQL
from tests.support.stack import BUCKET, ROOT, Stack, shared_postgresql, shared_template

DATABASES = ("sqlite", "postgresql")
PARTS = ("broker", "archive", "web", "cpu", "io", "sweeper")
#: What takes minutes in production takes seconds here; a lease still outlasts a slow PDF.
QUICK = {
    "PIPELINE_SOFT_LIMIT": "14",
    "PIPELINE_HARD_LIMIT": "16",
    "PIPELINE_LEASE": "18",
    "PIPELINE_SWEEP_INTERVAL": "1",
    "PIPELINE_PROBE_INTERVAL": "120",
    "PIPELINE_REDISPATCH_AFTER": "2",
    "PIPELINE_BROKER_GRACE": "6",
    "PIPELINE_BACKOFF_BASE": "0.5",
}
#: Applications that may be under way before the next one is sent: faults meet a busy site, and
#: the queue does not grow without end.
UNDER_WAY = 60
#: Struck faults that may wait for their victim before the next application is sent.
FAULTS_WAITING = 6
PEOPLE_AT_ONCE = 4
#: Seconds after which one more is sent, whatever waits.
STARVED = 1.0
#: Seconds after the last fault in which not one more step ends: what is open then is stuck. It is
#: more than any lease or pause between two tries.
STUCK = 420
#: The share of the planned faults that must really strike: less proves less than it says.
STRIKING = 0.6


@dataclass
class Report:
    """What a campaign came to.

    Attributes:
        posted: applications that were really sent; ``applications`` is how many were to be.
        faults, besides, missed, untried: by kind, how often it struck, how often it only
            disturbed, how often its moment did not come, and how often nobody tried.
        broken: what ended single applications that nobody foresaw.
        drained: seconds from the last fault until all steps had ended.
    """

    database: str
    seed: int
    applications: int
    versions: dict[str, str]
    posted: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    besides: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    untried: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    found: Findings = field(default_factory=Findings)
    post: dict[str, float] = field(default_factory=dict)
    drained: float = 0.0
    wall: float = 0.0
    at: str = ""

    @property
    def ok(self) -> bool:
        return self.found.ok and not self.short

    @property
    def short(self) -> list[str]:
        """Why it proves less than it was to prove, in sentences."""
        said = list(self.broken)
        if self.posted < self.applications:
            said.append(f"only {self.posted} of {self.applications} applications were posted")
        if self.untried:
            said.append(f"{self.untried.total()} planned faults were never tried")
        planned = (self.faults + self.missed + self.untried).total()
        if self.faults.total() < STRIKING * planned:
            said.append(f"only {self.faults.total()} of {planned} planned faults struck")
        return said

    @property
    def mails(self) -> int:
        return self.found.counts["mails"]

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        told = {"ok": self.ok, "short": self.short, "faults_struck": self.faults.total()}
        # asdict() makes something else of a Counter.
        return {**vars(self), "found": vars(self.found), **told}


def run_campaign(
    *,
    seed: int,
    applications: int,
    faults: int,
    database: str,
    directory: Path,
    server: str = "",
    celery_app: str = "tests.faults.app",
    only: Collection[str] = KINDS.keys(),
    say: Callable[[str], None] = print,
) -> Report:
    """Run one campaign on one database and check it.

    Args:
        directory: new or empty; the site, its logs and the ledgers stay there.
        server: a PostgreSQL that may not be killed; without it the campaign starts its own.
        celery_app: what the workers run; it must follow ``FAULT_PLAN`` as ``tests.faults.app``.
        only: which kinds of faults may strike.
        say: where progress is told.
    """
    campaign = _Campaign(seed, applications, database, directory, say)
    with contextlib.ExitStack() as stack:
        postgres = None
        if database == "postgresql" and not server:
            postgres = stack.enter_context(PostgreSQL(password="of-a-campaign"))
            server = postgres.url
        planned = monkeys.faults(
            seed,
            faults,
            applications,
            database=database,
            own_server=postgres is not None,
            only=only,
        )
        proxy = S3Proxy(0)
        plan = directory / "plan"
        plan.mkdir(parents=True)
        site = stack.enter_context(
            Stack(
                shared_template(),
                directory / "site",
                server=server,
                celery_app=celery_app,
                environ={
                    **QUICK,
                    "FAULT_PLAN": str(plan),
                    "FAULT_LEDGER": str(directory / "deaths.jsonl"),
                    "AWS_S3_ENDPOINT_URL": proxy.url,
                },
            )
        )
        proxy.port = site.archive_port
        proxy.start()
        stack.callback(proxy.stop)
        acts = Ledger(directory / "acts.jsonl")
        victims = Site(
            site,
            proxy,
            plan,
            lease=float(QUICK["PIPELINE_LEASE"]),
            admin=Panel(site, site.environ["ADMIN_PASSWORD"], acts),
            postgres=postgres,
        )
        return campaign.run(victims, planned)


@dataclass
class _Struck:
    """A fault under way."""

    fault: Fault
    steps: Iterator[float]
    began: float
    again_at: float = 0.0


class _Campaign:
    def __init__(
        self, seed: int, count: int, database: str, directory: Path, say: Callable[[str], None]
    ) -> None:
        self.seed, self.count, self.database = seed, count, database
        self.directory, self.say = directory, say
        self.under_way = 0
        self.waiting: deque[Fault] = deque()
        self.striking: dict[str, _Struck] = {}
        self.again: set[Fault] = set()
        self.quiet = threading.Event()
        self.sent_at = 0.0
        self.drained_after = float("inf")

    def run(self, site: Site, planned: list[Fault]) -> Report:
        """Start the site, let people apply and faults strike, wait, and count."""
        began = time.monotonic()
        self.site, self.ledger = site, Ledger(self.directory / "faults.jsonl")
        made = site.stack.manage(
            "shell", "-v0", "-c", "from tests.faults.crowd import publish_job; publish_job()"
        )
        if made.returncode:
            raise OSError(f"the job could not be published: {made.stderr[-500:]}")
        site.stack.start(*PARTS)
        address = site.stack.form_address(crowd.JOB)
        site.admin.figures()
        self.say(f"{self.database}: the site runs after {time.monotonic() - began:.0f} s.")
        began = time.monotonic()
        self.planned = deque(planned)
        site.idle = lambda: not self.people.working and not self.under_way
        people = self.people = Applicants(
            site.stack.url, address, self.directory, may_send=self._may_send, noticed=self._noticed
        )
        watch = threading.Thread(target=self._watch, daemon=True)
        watch.start()
        people.begin(crowd.forms(self.seed, self.count), PEOPLE_AT_ONCE)
        told = time.monotonic()
        while people.working or self.striking or self.waiting:
            self._tick()
            if time.monotonic() - told > 30:
                told = time.monotonic()
                self._tell()
            time.sleep(0.05)
        self._put_right()
        drained = self._drain()
        self.quiet.set()
        watch.join(60)
        if drained:
            self._last_looks()
        self._save_mails()
        checker = Checker(
            self.directory,
            site.stack.database,
            site.stack.var / "archive" / BUCKET,
        )
        report = Report(
            database=self.database,
            seed=self.seed,
            applications=self.count,
            versions=_versions(self.database, site.stack),
            posted=len({attempt["number"] for attempt in checker.lines("attempts")}),
            untried=Counter(fault.kind for fault in self.planned),
            broken=people.broken,
            drained=self.drained_after,
            wall=time.monotonic() - began,
            at=dt.datetime.now(dt.UTC).date().isoformat(),
        )
        report.found = checker.check()
        if not drained:
            report.found.red["stuck"].append("not everything had ended when patience did")
        for fault in checker.lines("faults"):
            gentle = KINDS[fault["kind"]].gentle
            if fault["struck"]:
                (report.besides if gentle else report.faults)[fault["kind"]] += 1
            elif not gentle:
                report.missed[fault["kind"]] += 1
        report.post = _post_times(checker.lines("attempts"), checker.lines("faults"))
        return report

    # ── While it runs ───────────────────────────────────────────────────────────────────

    def _may_send(self) -> bool:
        """Neither faster than the site works nor faster than the faults strike; but never not
        at all, for some faults wait for the next application."""
        most = min(UNDER_WAY, 4 + self.count // 10)
        # The longer the queue is, the more patience: it must not grow without end.
        patience = STARVED * max(1, self.under_way / UNDER_WAY)
        return (
            self.under_way < most and len(self.waiting) < min(FAULTS_WAITING, 1 + self.count // 50)
        ) or time.monotonic() > self.sent_at + patience

    def _noticed(self, number: int) -> None:
        self.sent_at = time.monotonic()
        while self.planned and self.planned[0].at <= number:
            self.waiting.append(self.planned.popleft())

    def _tick(self) -> None:
        for part in PARTS:
            if part not in self.site.away:
                self.site.stack.begin(part)
        for fault in list(self.waiting):
            target = KINDS[fault.kind].target
            if target not in self.striking:
                self.waiting.remove(fault)
                steps = KINDS[fault.kind].strike(self.site, fault)
                self.striking[target] = _Struck(fault, steps, time.time())
        now = time.monotonic()
        for target, struck in list(self.striking.items()):
            if struck.again_at > now:
                continue
            try:
                struck.again_at = now + next(struck.steps)
            except StopIteration as end:
                self._ended(target, struck, bool(end.value))
            except Exception as error:  # a fault that could not strike is no finding
                self._ended(target, struck, False, f"{type(error).__name__}: {error}")

    def _ended(self, target: str, struck: _Struck, hit: bool, error: str = "") -> None:
        del self.striking[target]
        if not hit and struck.fault not in self.again and self.people.working:
            # Its moment did not come; it may come later.
            self.again.add(struck.fault)
            self.waiting.append(struck.fault)
            return
        self.ledger.write(
            kind=struck.fault.kind,
            at=struck.fault.at,
            began=struck.began,
            ended=time.time(),
            struck=hit,
            target=KINDS[struck.fault.kind].target,
            times=struck.fault.times,
            blames=sorted(KINDS[struck.fault.kind].blames),
            error=error[:300],
        )

    def _tell(self) -> None:
        self.say(
            f"{self.database}: {self.people.sent} of {self.count} sent, "
            f"{self.people.holding_receipts} served, {self.under_way} under way, "
            f"{len(self.planned)} faults to come, {len(self.waiting)} waiting, "
            f"now: {', '.join(s.fault.kind for s in self.striking.values()) or 'none'}"
        )

    def _put_right(self) -> None:
        """Nothing is broken any more."""
        stack = self.site.stack
        self.site.away.clear()
        for file in self.site.plan.iterdir():
            file.unlink(missing_ok=True)
        stack.smtp.mode = "ok"
        stack.smtp._next.clear()
        self.site.proxy.stop_spoiling()
        for part in stack.parts.values():
            if part.running:
                part.thaw()
        with contextlib.suppress(Exception):
            stack.redis().config_set("maxmemory", "0")
            stack.redis().replicaof("NO", "ONE")
        self.all_right_at = time.monotonic()

    def _drain(self) -> bool:
        """Wait for as long as steps end; says whether all did. Else nothing runs any more, for
        the count would be of what changes meanwhile."""
        told, least, patience = time.monotonic(), None, time.monotonic() + STUCK
        while time.monotonic() < patience:
            self._tick()
            with contextlib.suppress(Exception):
                left = self._open_steps()
                if not left:
                    self.drained_after = time.monotonic() - self.all_right_at
                    return True
                if least is None or left < least:
                    least, patience = left, time.monotonic() + STUCK
            if time.monotonic() - told > 30:
                told = time.monotonic()
                self._tell()
            time.sleep(0.3)
        self.site.stack.kill()
        return False

    def _open_steps(self) -> int:
        (row,) = self.site.stack.query(
            "SELECT count(*) AS n FROM careers_step s"
            " LEFT JOIN careers_application a ON a.id = s.application_id"
            " WHERE s.state NOT IN ('succeeded', 'failed', 'uncertain', 'cancelled')"
            " AND NOT (s.state = 'waiting' AND coalesce(a.quarantined, false))"
        )
        return int(row["n"])

    # ── Looking at the panel meanwhile ──────────────────────────────────────────────────

    def _watch(self) -> None:
        look_at = time.monotonic() + 3
        while not self.quiet.wait(0.4):
            with contextlib.suppress(Exception):
                (row,) = self.site.stack.query(
                    "SELECT count(DISTINCT application_id) AS n FROM careers_step"
                    " WHERE state IN ('waiting', 'queued', 'sent', 'started', 'retrying')"
                )
                self.under_way = int(row["n"])
            if time.monotonic() > look_at:
                with contextlib.suppress(Exception):
                    self._look(lambda: self.site.stack.status())
                look_at = time.monotonic() + 10

    def _last_looks(self) -> None:
        self._look(lambda: self.site.stack.status(), final=True)
        command = self.site.stack.manage("pipeline_status", "--json")
        self._look(lambda: json.loads(command.stdout), final=True)

    def _look(self, ask: Callable[[], Any], *, final: bool = False) -> None:
        """One look: the rows, what the site says, the rows again, the mail server's ledger."""
        panel: Panel = self.site.admin
        before = panel.rows()
        told, shown = ask(), panel.figures()
        after = panel.rows()
        ids = {message_id(mail) for mail in list(self.site.stack.smtp.accepted)}
        Ledger(self.directory / "samples.jsonl").write(
            at=time.time(),
            final=final,
            before=before,
            told={"applications": told["applications"], "steps": told["steps"]},
            shown=shown,
            after=after,
            mails={
                "mail_applicant": sum(each.startswith("receipt.") for each in ids),
                "mail_hr": sum(each.startswith("hr.") for each in ids),
            },
        )

    def _save_mails(self) -> None:
        mails = Ledger(self.directory / "mails.jsonl")
        for mail in self.site.stack.smtp.mails():
            mails.write(
                recipients=mail.recipients,
                content=base64.b64encode(mail.content).decode(),
                answer=mail.answer,
            )
        refusals = Ledger(self.directory / "refusals.jsonl")
        for recipient, answer in list(self.site.stack.smtp.refusals):
            refusals.write(recipient=recipient, answer=answer)


def _post_times(attempts: list[dict[str, Any]], faults: list[dict[str, Any]]) -> dict[str, float]:
    """Seconds until a receipt, with and without a fault under way."""
    calm, stormy = [], []
    for attempt in attempts:
        if attempt["status"] != 303:
            continue
        ended = attempt["at"] + attempt["seconds"]
        under = any(f["began"] <= ended and f["ended"] >= attempt["at"] for f in faults)
        (stormy if under else calm).append(attempt["seconds"])
    return {
        "p50 calm": _percentile(calm, 50),
        "p99 calm": _percentile(calm, 99),
        "p50 under faults": _percentile(stormy, 50),
        "p99 under faults": _percentile(stormy, 99),
        "slowest": max([*calm, *stormy], default=0.0),
    }


def _percentile(values: list[float], percent: int) -> float:
    if len(values) < 2:
        return values[0] if values else 0.0
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def _versions(database: str, stack: Stack) -> dict[str, str]:
    found = {"Python": platform.python_version()}
    for name in ("Wagtail", "Django", "Celery"):
        found[name] = version(name.lower())
    with contextlib.suppress(Exception):
        found["Valkey"] = str(stack.redis().info().get("valkey_version", ""))
    if database == "sqlite":
        found["SQLite"] = sqlite3.sqlite_version
    else:
        (row,) = stack.query("SHOW server_version")
        found["PostgreSQL"] = str(row["server_version"]).split()[0]
    return found


# ── The table ───────────────────────────────────────────────────────────────────────────


def table(reports: list[Report]) -> list[str]:
    """The outcome, a column for each database."""
    rows: list[list[str]] = [["", *(report.database for report in reports)]]

    def row(name: str, cell: Callable[[Report], Any]) -> None:
        rows.append([name, *(str(cell(report)) for report in reports)])

    row("applications posted", lambda r: r.posted)
    row("receipts given", lambda r: r.found.counts["receipts"])
    row("faults that struck", lambda r: r.faults.total())
    row("kinds of faults", lambda r: len(r.faults))
    row("faults whose moment did not come", lambda r: r.missed.total())
    row("disturbances besides", lambda r: r.besides.total())
    for name, words in RED.items():
        row(words, lambda r, name=name: len(r.found.red[name]))
    row("mails accepted", lambda r: r.mails)
    row("unconfirmed mails", lambda r: r.found.unconfirmed.total())
    row("mails refused for good, shown as failed", lambda r: r.found.shown)
    row("sent again by a person, and both arrived", lambda r: r.found.both)
    row("objects compared", lambda r: r.found.counts["objects"])
    row("PDFs read", lambda r: r.found.counts["PDFs read"])
    row("looks at the panel", lambda r: r.found.counts["looks at the panel"])
    row("sent away and came back", lambda r: r.found.counts["sent away"])
    row("time in which that is excused", lambda r: f"{r.found.excusing:.0%}")
    row("mails of which a doubt would be excused", lambda r: f"{r.found.doubtful:.1%}")
    for name in ("p50 calm", "p99 calm", "p50 under faults", "p99 under faults", "slowest"):
        row(
            f"POST, {name}",
            lambda r, name=name: f"{r.post[name]:.2f} s" if r.post.get(name) else "–",
        )
    row("all ended after the last fault", lambda r: f"{r.drained:.0f} s")
    row("took", lambda r: f"{r.wall / 60:.1f} min")
    lines = _columns(rows)
    causes = Counter[str]()
    for report in reports:
        causes.update(report.found.unconfirmed.keys())
    if causes:
        lines += ["", "Unconfirmed, by cause:"]
        lines += _columns(
            [[name, *(str(r.found.unconfirmed[name]) for r in reports)] for name in sorted(causes)]
        )
    for title, counted in (
        ("Faults that struck, by kind:", lambda r: r.faults),
        ("Disturbances besides:", lambda r: r.besides),
        ("Faults whose moment did not come:", lambda r: r.missed),
    ):
        names = sorted({name for report in reports for name in counted(report)})
        if names:
            lines += ["", title]
            lines += _columns([[n, *(str(counted(r)[n]) for r in reports)] for n in names])
    return lines


def _columns(rows: list[list[str]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if n == 0 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def complaints(report: Report, most: int = 12) -> list[str]:
    """What was red, a line each."""
    lines = [f"{report.database}: it proves too little: {words}" for words in report.short]
    for name, sentences in report.found.red.items():
        lines += [f"{report.database}: {RED[name]}: {sentence}" for sentence in sentences[:most]]
        if len(sentences) > most:
            lines.append(f"{report.database}: {RED[name]}: and {len(sentences) - most} more")
    return lines


def markdown(reports: list[Report]) -> str:
    """The outcome for ``docs/reliability.md``: the same table, the seed, the versions."""
    first = reports[0]
    named: dict[str, str] = {}
    for report in reports:
        named.update(report.versions)
    versions = ", ".join(f"{name} {number}" for name, number in named.items() if number)
    command = f"bin/prove --seed {first.seed} --applications {first.applications}"
    lines = [f"Run of {first.at}: `{command}`, {os.cpu_count()} cores, {versions}.", ""]
    for line in table(reports):
        cells = [cell for cell in re.split(r" {2,}", line) if cell]
        if not line:
            lines.append("")
        elif line.endswith(":"):
            lines += [f"**{line}**", "", f"| |{'|'.join(r.database for r in reports)}|"]
            lines.append("|---|" + "---:|" * len(reports))
        elif line.startswith(" "):
            lines += [f"| |{'|'.join(cells)}|", "|---|" + "---:|" * len(reports)]
        else:
            lines.append(f"|{'|'.join(cells)}|")
    return "\n".join(lines)


def sentence(reports: list[Report]) -> str:
    """The outcome for the README."""
    first, count = reports[0], sum(report.posted for report in reports)
    kinds = {name for report in reports for name in report.faults}
    red = {name: sum(len(report.found.red[name]) for report in reports) for name in RED}
    return (
        f"Its last full run ({first.at}, seed {first.seed}, "
        f"{' and '.join(report.database for report in reports)}): {count:,} applications under "
        f"{sum(report.faults.total() for report in reports):,} faults of {len(kinds)} kinds; "
        f"{red['lost']} lost, {red['twice']} doubled, {red['wrong']} with wrong content, "
        f"{red['stuck']} stuck."
    )


def write_docs(reports: list[Report], root: Path) -> None:
    """Put the outcome between the marks in ``docs/reliability.md`` and the README.

    Raises:
        ValueError: a file has lost its marks.
    """
    for name, text in (
        ("docs/reliability.md", markdown(reports)),
        ("README.md", textwrap.fill(sentence(reports), 100)),
    ):
        path = root / name
        before = path.read_text("utf-8")
        after, times = re.subn(
            r"(<!-- bin/prove writes from here -->\n).*?(<!-- to here -->)",
            lambda found, text=text: f"{found[1]}{text}\n{found[2]}",
            before,
            flags=re.DOTALL,
        )
        if times != 1:
            raise ValueError(f"{name} has no place for the outcome: its two marks are gone")
        path.write_text(after, "utf-8")


# ── The command ─────────────────────────────────────────────────────────────────────────


def plan_lines(seed: int, applications: int, faults: int, database: str) -> Iterator[str]:
    """What a campaign will do."""
    yield f"seed {seed}, {applications} applications, {faults} faults on {database}"
    for fault in monkeys.faults(seed, faults, applications, database=database):
        yield fault.as_plan()
    for form in crowd.forms(seed, applications):
        yield form.as_plan()


def _prepare(databases: Sequence[str]) -> None:
    """Make what campaigns begin with, which two threads must not make at once."""
    template = shared_template()
    for database in databases:
        template.database(shared_postgresql() if database == "postgresql" else "")
    assert template.static


def _side_by_side(databases: Sequence[str], run: Callable[[str], Report]) -> list[Report]:
    """A campaign on each database, all at the same time; those that could be run.

    Each has a thread that lives until the end, for a process ends with the thread that started
    it.
    """
    done: dict[str, Report] = {}

    def campaign(database: str) -> None:
        try:
            done[database] = run(database)
        except Exception as error:
            told = f"{database}: the campaign could not be run: {type(error).__name__}: {error}"
            print(told, file=sys.stderr)
            if os.environ.get("DEBUG"):
                raise
        else:
            # What is known already must not be lost when the other one can't be run.
            report = done[database]
            print("\n".join([*table([report]), "", *complaints(report)]), flush=True)

    threads = [threading.Thread(target=campaign, args=[name], daemon=True) for name in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [done[name] for name in databases if name in done]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/prove", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--applications", type=int, default=200)
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    parser.add_argument("--faults", type=int, help="one for each six applications by default")
    parser.add_argument("--plan", action="store_true", help="only say what would be done")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcome there, too")
    parser.add_argument(
        "--write-docs", action="store_true", help="put the outcome into docs/reliability.md, too"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep ledgers, logs and objects")
    options = parser.parse_args(arguments)
    faults = options.applications // 6 if options.faults is None else options.faults
    databases = DATABASES if options.database == "both" else (options.database,)
    if options.plan:
        with contextlib.suppress(BrokenPipeError):
            for database in databases:
                for line in plan_lines(options.seed, options.applications, faults, database):
                    print(line)
        return 0
    directory = options.keep or Path(tempfile.mkdtemp(prefix="careers-prove-"))
    try:
        _prepare(databases)
        reports = _side_by_side(
            databases,
            lambda database: run_campaign(
                seed=options.seed,
                applications=options.applications,
                faults=faults,
                database=database,
                directory=directory / database,
                say=lambda line: print(line, file=sys.stderr, flush=True),
            ),
        )
    except KeyboardInterrupt:
        return 2
    except Exception as error:
        print(f"No campaign could be begun: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    finally:
        if not options.keep:
            shutil.rmtree(directory, ignore_errors=True)
    if len(reports) < len(databases):
        return 2
    print("\n".join(table(reports)))
    for report in reports:
        print("\n".join(complaints(report)), file=sys.stderr)
    if options.json:
        options.json.write_text(json.dumps([r.as_json() for r in reports], indent=2, default=str))
    if options.write_docs:
        write_docs(reports, ROOT)
    return 0 if all(report.ok for report in reports) else 1


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careersite.settings.test")
    django.setup()
    sys.exit(main(sys.argv[1:]))
