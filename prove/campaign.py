"""One campaign: people apply while faults happen, then everything is counted."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prove import forms, injection
from prove.checker import Checker
from prove.crowd import Applicants
from prove.injection import KINDS, Fault, Site
from prove.ledger import Ledger
from prove.panel import Panel, message_id
from prove.report import Report, post_times, versions
from prove.s3_proxy import S3Proxy
from tests.support.postgresql import PostgreSQL
from tests.support.servers import HOST, clamd, reserve_port
from tests.support.stack import BUCKET, Stack, shared_template

PARTS = ("broker", "archive", "scanner", "web", "cpu", "io", "sweeper")
#: Seconds here take the place of minutes in production; a lease still exceeds a slow PDF.
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
#: Applications that may be unfinished before the next one is sent: faults meet a busy site, and
#: the queue stays short.
UNDER_WAY = 60
#: Faults that may wait for their target before the next application is sent.
FAULTS_WAITING = 6
PEOPLE_AT_ONCE = 4
#: Seconds after which the next one is sent in any case.
STARVED = 1.0
#: Seconds in which no step ends; what is open then is stuck. Longer than any lease or pause
#: between two attempts.
STUCK = 420


def run_campaign(
    *,
    seed: int,
    applications: int,
    faults: int,
    database: str,
    directory: Path,
    server: str = "",
    celery_app: str = "tests.support.faulty_workers",
    only: Collection[str] = KINDS.keys(),
    say: Callable[[str], None] = print,
    preload: bool = False,
) -> Report:
    """Run one campaign on one database and check it.

    Args:
        directory: new or empty; the site, its logs and the ledgers stay there.
        server: a PostgreSQL that may not be killed; without it the campaign starts its own.
        celery_app: what the workers run; like ``tests.support.faulty_workers`` it must follow
            ``FAULT_PLAN``.
        only: which kinds of faults may happen.
        say: prints progress.
        preload: whether the site's processes are forks; see ``Stack``.
    """
    scanner = clamd() is not None
    if not scanner:
        say(f"{database}: clamd is not installed, so no file is scanned for viruses.")
    scanner_port = reserve_port()
    campaign = _Campaign(seed, applications, database, directory, say, scanner=scanner)
    with contextlib.ExitStack() as stack:
        postgres = None
        if database == "postgresql" and not server:
            postgres = stack.enter_context(PostgreSQL(password="of-a-campaign"))
            server = postgres.url
        planned = injection.faults(
            seed,
            faults,
            applications,
            database=database,
            own_server=postgres is not None,
            scanner=scanner,
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
                preload=preload,
                environ={
                    **QUICK,
                    "FAULT_PLAN": str(plan),
                    "FAULT_LEDGER": str(directory / "deaths.jsonl"),
                    "AWS_S3_ENDPOINT_URL": proxy.url,
                    **({"CLAMAV_URL": f"tcp://{HOST}:{scanner_port}"} if scanner else {}),
                },
            )
        )
        site.scanner_port = scanner_port
        Ledger(directory / "site.jsonl").write(scanner=scanner)
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
class _Active:
    """A fault that happens now."""

    fault: Fault
    steps: Iterator[float]
    began: float
    again_at: float = 0.0


class _Campaign:
    def __init__(
        self,
        seed: int,
        count: int,
        database: str,
        directory: Path,
        say: Callable[[str], None],
        *,
        scanner: bool,
    ) -> None:
        self.parts = [part for part in PARTS if scanner or part != "scanner"]
        self.seed, self.count, self.database = seed, count, database
        self.directory, self.say = directory, say
        self.under_way = 0
        self.waiting: deque[Fault] = deque()
        self.active: dict[str, _Active] = {}
        self.again: set[Fault] = set()
        self.quiet = threading.Event()
        self.sent_at = 0.0
        self.drained_after = float("inf")

    def run(self, site: Site, planned: list[Fault]) -> Report:
        """Start the site, let people apply and faults happen, wait for the end, and count."""
        began = time.monotonic()
        self.site, self.ledger = site, Ledger(self.directory / "faults.jsonl")
        made = site.stack.manage(
            "shell", "-v0", "-c", "from prove.forms import publish_job; publish_job()"
        )
        if made.returncode:
            raise OSError(f"the job could not be published: {made.stderr[-500:]}")
        site.stack.start(*self.parts)
        address = site.stack.form_address(forms.JOB)
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
        people.begin(forms.forms(self.seed, self.count), PEOPLE_AT_ONCE)
        reported = time.monotonic()
        while people.working or self.active or self.waiting:
            self._tick()
            if time.monotonic() - reported > 30:
                reported = time.monotonic()
                self._tell()
            time.sleep(0.05)
        self._put_right()
        drained = self._drain()
        self.quiet.set()
        watch.join(60)
        if drained:
            self._final_samples()
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
            versions=versions(self.database, site.stack),
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
            if fault["happened"]:
                (report.besides if gentle else report.faults)[fault["kind"]] += 1
            elif not gentle:
                report.missed[fault["kind"]] += 1
        report.post = post_times(checker.lines("attempts"), checker.lines("faults"))
        return report

    # ── While it runs ───────────────────────────────────────────────────────────────────

    def _may_send(self) -> bool:
        """Whether the next application may be sent: not faster than the site works, nor than
        faults happen, but after a while in any case, because some faults wait for the next
        application.
        """
        most = min(UNDER_WAY, 4 + self.count // 10)
        # The longer the queue, the longer the pause.
        patience = STARVED * max(1, self.under_way / UNDER_WAY)
        return (
            self.under_way < most and len(self.waiting) < min(FAULTS_WAITING, 1 + self.count // 50)
        ) or time.monotonic() > self.sent_at + patience

    def _noticed(self, number: int) -> None:
        self.sent_at = time.monotonic()
        while self.planned and self.planned[0].at <= number:
            self.waiting.append(self.planned.popleft())

    def _tick(self) -> None:
        for part in self.parts:
            if part not in self.site.away:
                self.site.stack.begin(part)
        for fault in list(self.waiting):
            target = KINDS[fault.kind].target
            if target not in self.active:
                self.waiting.remove(fault)
                steps = KINDS[fault.kind].inject(self.site, fault)
                self.active[target] = _Active(fault, steps, time.time())
        now = time.monotonic()
        for target, active in list(self.active.items()):
            if active.again_at > now:
                continue
            try:
                active.again_at = now + next(active.steps)
            except StopIteration as end:
                self._ended(target, active, bool(end.value))
            except Exception as error:  # a fault that could not happen is no finding
                self._ended(target, active, False, f"{type(error).__name__}: {error}")

    def _ended(self, target: str, active: _Active, hit: bool, error: str = "") -> None:
        del self.active[target]
        if not hit and active.fault not in self.again and self.people.working:
            # Its moment did not come; it may come later.
            self.again.add(active.fault)
            self.waiting.append(active.fault)
            return
        self.ledger.write(
            kind=active.fault.kind,
            at=active.fault.at,
            began=active.began,
            ended=time.time(),
            happened=hit,
            target=KINDS[active.fault.kind].target,
            times=active.fault.times,
            blames=sorted(KINDS[active.fault.kind].blames),
            error=error[:300],
        )

    def _tell(self) -> None:
        self.say(
            f"{self.database}: {self.people.sent} of {self.count} sent, "
            f"{self.people.holding_receipts} served, {self.under_way} under way, "
            f"{len(self.planned)} faults to come, {len(self.waiting)} waiting, "
            f"now: {', '.join(s.fault.kind for s in self.active.values()) or 'none'}"
        )

    def _put_right(self) -> None:
        """End all faults."""
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
        """Wait as long as steps end; returns whether all did. Otherwise stop everything, because
        the count must not be of something that changes.
        """
        reported, least, patience = time.monotonic(), None, time.monotonic() + STUCK
        while time.monotonic() < patience:
            self._tick()
            with contextlib.suppress(Exception):
                left = self._open_steps()
                if not left:
                    self.drained_after = time.monotonic() - self.all_right_at
                    return True
                if least is None or left < least:
                    least, patience = left, time.monotonic() + STUCK
            if time.monotonic() - reported > 30:
                reported = time.monotonic()
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

    # ── Sampling the panel meanwhile ────────────────────────────────────────────────────

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
                    self._sample(lambda: self.site.stack.status())
                look_at = time.monotonic() + 10

    def _final_samples(self) -> None:
        self._sample(lambda: self.site.stack.status(), final=True)
        command = self.site.stack.manage("pipeline_status", "--json")
        self._sample(lambda: json.loads(command.stdout), final=True)

    def _sample(self, ask: Callable[[], Any], *, final: bool = False) -> None:
        """Record the rows, what the site reports, the rows again, and the mail server's ledger."""
        panel: Panel = self.site.admin
        before = panel.rows()
        status, shown = ask(), panel.figures()
        after = panel.rows()
        ids = {message_id(mail) for mail in list(self.site.stack.smtp.accepted)}
        Ledger(self.directory / "samples.jsonl").write(
            at=time.time(),
            final=final,
            before=before,
            reported={"applications": status["applications"], "steps": status["steps"]},
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
