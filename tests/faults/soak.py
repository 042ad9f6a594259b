"""A whole site under the highest load that it sustains, for as long as you like.

    bin/prove soak [--minutes 60] [--database sqlite|postgresql] [--json FILE]
    bin/prove soak --documents 10000 [--children 1] [--life 200] [--json FILE]

The first posts applications over HTTP, faster while work does not pile up and slower when it
does; afterwards every queue must be empty, every step done, every mail sent once, and nothing
grown. The second sets so many documents, none of them alike, as a worker's pool does: in so many
children at a time, each renewed after so many documents; with ``--life 0`` never, to find a leak.
Both print what they measured. Exit 1 when something is not as it must be, 2 on wrong arguments.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import math
import multiprocessing
import multiprocessing.connection
import os
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import django
from django.conf import settings

from tests.faults import applicants, gauges
from tests.faults.growth import Allowance, Series, Verdict, judge
from tests.support.processes import until
from tests.support.stack import ENDS, Receipt, Stack, shared_postgresql, shared_template

PARTS = ("web", "cpu", "io", "sweeper", "beat", "flower")
#: As in earnest, where ``Stack`` would be quick.
IN_EARNEST = {
    "PIPELINE_SOFT_LIMIT": "90",
    "PIPELINE_HARD_LIMIT": "120",
    "PIPELINE_LEASE": "180",
    "PIPELINE_SWEEP_INTERVAL": "5",
    "PIPELINE_PROBE_INTERVAL": "60",
    "PIPELINE_REDISPATCH_AFTER": "60",
    "PIPELINE_BROKER_GRACE": "300",
    "PIPELINE_BACKOFF_BASE": "10",
}
#: Rows of the table of one run, whatever its length.
SAMPLES = 60
#: A shorter run is still warming up all the time, and its growth means nothing.
JUDGED_FROM = 600  # seconds
#: Seconds without one more step done after which the drain hangs.
HANGS = 300

#: What may be added within the half of the run that counts. Memory in MB, the rest in numbers.
ALLOWED = {
    "pss": Allowance(share=0.05, least=5),
    "files": Allowance(share=0.05, least=3),
    "threads": Allowance(share=0.05, least=3),
    "processes": Allowance(share=0, least=1),
    "connections": Allowance(share=0.05, least=3),
    "keys": Allowance(share=0.05, least=3),
    "temporary files": Allowance(share=0.05, least=3),
    # It remembers the last 10,000 tasks, some 7 kB each, and grows until it does.
    "flower pss": Allowance(share=0.05, least=80),
}
#: Shown, not judged. rclone keeps the metadata of each object in memory until it ends: 3 to 4 kB
#: an object were measured (cmd/serve/s3/backend.go, ``meta``).
UNJUDGED = ("archive pss",)


# ── Load ────────────────────────────────────────────────────────────────────────────────


@dataclass
class Pace:
    """How many applications a second to post: a little more while the oldest ready step is
    young, a quarter less when it is not (additive increase, multiplicative decrease: Chiu and
    Jain 1989).

    Attributes:
        rate: applications a second.
        young, old: seconds that the oldest ready step may have waited.
        rest: looks without a change after each cut, for what waits is first to be done.
    """

    rate: float = 1.0
    young: float = 2.0
    old: float = 5.0
    step: float = 0.1
    least: float = 0.1
    rest: int = 3
    resting: int = 0

    def adapt(self, oldest: float, reached: float) -> None:
        """Look at what became of the last seconds.

        Args:
            oldest: how long the oldest ready step has waited, in seconds.
            reached: applications a second that were really posted.
        """
        if self.resting:
            self.resting -= 1
        elif oldest > self.old:
            self.rate, self.resting = max(self.least, self.rate * 0.75), self.rest
        elif oldest < self.young and reached >= 0.8 * self.rate:
            self.rate += self.step


class Applicants:
    """People who apply at a given rate, as many at once as it takes.

    Attributes:
        rate: applications a second from now on.
        receipts: what they got, in the order of the answers.
        failures: what they met instead, by kind.
    """

    def __init__(self, stack: Stack, rate: float, at_once: int = 8) -> None:
        self.stack, self.rate = stack, rate
        self.receipts: list[Receipt] = []
        self.failures: Counter[str] = Counter()
        self._next, self._turn, self._enough = time.monotonic(), threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._apply, daemon=True) for _ in range(at_once)]

    def __enter__(self) -> Applicants:
        self.stack.form_address()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join()

    def _apply(self) -> None:
        while not self._enough.wait(self._my_turn()):
            try:
                receipt = self.stack.apply()
            except OSError as error:
                self.failures[type(error).__name__] += 1
                continue
            if receipt.status != 303:
                self.failures[f"HTTP {receipt.status}"] += 1
            self.receipts.append(receipt)

    def _my_turn(self) -> float:
        """Seconds until the next one applies."""
        with self._turn:
            now = time.monotonic()
            # Who could not come in time comes late, but does not come in a crowd.
            self._next = max(self._next, now - 1) + 1 / self.rate
            return max(0.0, self._next - now)


# ── The run ─────────────────────────────────────────────────────────────────────────────


@dataclass
class Sample:
    """One row of the table.

    Attributes:
        at: seconds since the start.
        wanted, reached: applications a second.
        p50, p99: seconds that a POST took.
        oldest: seconds that the oldest ready step has waited.
        open: steps that have not ended.
        used: from ``gauges.everything``.
    """

    at: float
    wanted: float
    reached: float
    p50: float
    p99: float
    oldest: float
    open: int
    used: dict[str, Any]


@dataclass
class Outcome:
    """What a soak came to."""

    database: str
    seconds: float
    started: str
    posted: int = 0
    rate: float = 0.0
    drained: float = 0.0
    samples: list[Sample] = field(default_factory=list)
    after: dict[str, Any] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@contextlib.contextmanager
def a_site(database: str, **environ: str) -> Iterator[Stack]:
    """A site in a directory of its own, with the limits that it has in earnest."""
    directory = Path(tempfile.mkdtemp(prefix="careers-soak-"))
    temporary = directory / "tmp"
    temporary.mkdir()
    server = shared_postgresql() if database == "postgresql" else ""
    settings = IN_EARNEST | {"TMPDIR": str(temporary)} | environ
    try:
        with Stack(shared_template(), directory, server=server, environ=settings) as stack:
            yield stack
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def warm_up(stack: Stack) -> list[Receipt]:
    """Let every process do everything once before anybody counts. That includes the sweeper's
    ringing, with a connection to the broker that it keeps from then on."""
    receipts = stack.apply_many(16)
    stack.wait_for_end(receipts, HANGS)
    stack["cpu"].freeze()
    late = stack.apply()
    stack.query(
        "UPDATE careers_step SET dispatched_at = '2026-01-01 00:00:00' WHERE state = 'sent'"
    )
    until(
        lambda: stack.step(late, "render_pdf")["dispatches"] > 1, HANGS, "the sweeper did not ring"
    )
    stack["cpu"].thaw()
    stack.wait_for_end([late], HANGS)
    return [*receipts, late]


def soak(database: str, seconds: float, *, say: Any = print) -> Outcome:
    """Run a site under load for so long, then count."""
    outcome = Outcome(database, seconds, dt.datetime.now(dt.UTC).isoformat(timespec="minutes"))
    with a_site(database) as stack:
        stack.start(*PARTS)
        warm = warm_up(stack)
        pids = {name: part.pid for name, part in stack.parts.items()}
        began = time.monotonic()
        pace, every = Pace(), max(1.0, seconds / SAMPLES)
        look = min(5.0, every)
        say("\n".join(heading(outcome)))
        with Applicants(stack, pace.rate) as applicants:
            sampled, looked = (began, 0), (began, 0)
            while (now := time.monotonic()) < began + seconds:
                time.sleep(max(0.1, min(look, began + seconds - now)))
                now, posted = time.monotonic(), len(applicants.receipts)
                oldest = _oldest(stack)
                pace.adapt(oldest, (posted - looked[1]) / (now - looked[0]))
                applicants.rate, looked = pace.rate, (now, posted)
                if now - sampled[0] < every * 0.99:
                    continue
                took = [receipt.seconds for receipt in applicants.receipts[sampled[1] :]]
                sample = Sample(
                    at=round(now - began, 1),
                    wanted=round(pace.rate, 2),
                    reached=round((posted - sampled[1]) / (now - sampled[0]), 2),
                    p50=round(quantile(took, 0.5), 3),
                    p99=round(quantile(took, 0.99), 3),
                    oldest=round(oldest, 1),
                    open=gauges.backlog(stack),
                    used=gauges.everything(stack),
                )
                outcome.samples.append(sample)
                sampled = (now, posted)
                say(row(sample))
        receipts = warm + applicants.receipts
        outcome.posted = len(receipts)
        outcome.problems += [f"{n} times {kind}" for kind, n in applicants.failures.items()]
        outcome.drained = drain(stack)
        outcome.after = gauges.everything(stack)
        outcome.problems += ends_well(stack, receipts) + no_queue(outcome.after)
        for name, part in stack.parts.items():
            if not part.running or part.pid != pids[name]:
                outcome.problems.append(f"{name} ended\n{part.last_words()}")
    half = [sample.reached for sample in outcome.samples[len(outcome.samples) // 2 :]]
    outcome.rate = round(statistics.fmean(half), 2) if half else 0.0
    if seconds >= JUDGED_FROM:
        outcome.verdicts = verdicts(outcome.samples)
        outcome.problems += grown(outcome.verdicts)
    return outcome


def _oldest(stack: Stack) -> float:
    """How long the oldest ready step has waited, in the site's own words."""
    return float(stack.status()["oldest_ready_seconds"] or 0)


def drain(stack: Stack) -> float:
    """Wait until nothing is open any more, as long as there is progress; returns seconds."""
    began = moved = time.monotonic()
    left = gauges.backlog(stack)
    while left and time.monotonic() - moved < HANGS:
        time.sleep(0.5)
        now_left = gauges.backlog(stack)
        if now_left != left:
            left, moved = now_left, time.monotonic()
    # The last message is acknowledged after its row says that all is done.
    with contextlib.suppress(AssertionError):
        until(lambda: not gauges.broker(stack)["unacknowledged"], 30, "")
    return round(time.monotonic() - began, 1)


def ends_well(stack: Stack, receipts: Sequence[Receipt]) -> list[str]:
    """What of those who have a receipt is missing, double or undone; counted from outside."""
    problems = []

    def expect(what: str, found: object, expected: object) -> None:
        if found != expected:
            problems.append(f"{what}: {found} instead of {expected}")

    secrets = {receipt.secret for receipt in receipts if receipt.status == 303}
    rows = stack.query("SELECT receipt_secret, email FROM careers_application")
    expect("receipts without a row", len(secrets - {row["receipt_secret"] for row in rows}), 0)
    expect("applications", len(rows), len(receipts))
    steps = Counter(
        (step["kind"], step["state"])
        for step in stack.query(
            "SELECT kind, state FROM careers_step WHERE application_id IS NOT NULL"
        )
    )
    kinds = ("render_pdf", "archive", "mail_applicant", "mail_hr")
    expect("steps", dict(steps), {(kind, "succeeded"): len(rows) for kind in kinds})
    to = Counter(recipient for mail in stack.smtp.mails() for recipient in mail.recipients)
    expect("applicants with other than one mail", sum(to[row["email"]] != 1 for row in rows), 0)
    expect("mails accepted twice", len(stack.smtp.doubles()), 0)
    mails = stack.query("SELECT count(*) AS n FROM careers_step WHERE kind LIKE 'mail_%%'")
    expect("mails", len(stack.smtp.mails()), mails[0]["n"])
    files = stack.query("SELECT object_key FROM careers_applicationfile")
    expect("objects", Counter(stack.object_keys()), Counter(file["object_key"] for file in files))
    expect("files", len(files), 3 * len(rows))
    kept = stack.query("SELECT count(*) AS n FROM careers_filebytes")
    expect("files still in the database", kept[0]["n"], 0)
    return problems


def no_queue(used: dict[str, Any]) -> list[str]:
    """What still waits although nothing is to be done."""
    problems = [
        f"{used[name]} messages left in {name}"
        for name in ("queue cpu", "queue io", "unacknowledged")
        if used[name]
    ]
    unended = {state: n for state, n in used["states"].items() if state not in ENDS}
    return problems + ([f"steps left: {unended}"] if unended else [])


# ── Growth ──────────────────────────────────────────────────────────────────────────────


def all_series(samples: Sequence[Sample]) -> dict[str, Series]:
    """Each gauge over time, by its name; the parts' own as ``part gauge``."""
    series: dict[str, list[tuple[float, float]]] = {}
    for sample in samples:
        for name, value in sample.used.items():
            if isinstance(value, int | float):
                series.setdefault(name, []).append((sample.at, value))
        for part, used in sample.used["parts"].items():
            for name, value in used.items():
                series.setdefault(f"{part} {name}", []).append((sample.at, value))
    return series


def verdicts(samples: Sequence[Sample]) -> dict[str, Verdict]:
    """What is allowed to grow by so much, and whether it grew by more."""
    found = {}
    for name, series in all_series(samples).items():
        if name in UNJUDGED:
            continue
        part, _, gauge = name.partition(" ")
        allowance = ALLOWED.get(name) or (
            ALLOWED.get(gauge) if part in samples[0].used["parts"] else None
        )
        verdict = judge(series, allowance) if allowance else None
        if verdict:
            found[name] = verdict
    return found


def grown(found: dict[str, Verdict]) -> list[str]:
    return [
        f"{name} grows: {verdict.first:g} to {verdict.last:g}, by {verdict.growth:.1f}"
        f" where {verdict.allowed:.1f} is allowed"
        for name, verdict in found.items()
        if verdict.grows
    ]


# ── Documents ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class DocumentSample:
    """How large a child was after so many documents, its own and its predecessors'."""

    child: int
    documents: int
    seconds: float
    rss: float
    pss: float
    files: int


@dataclass
class Documents:
    """What setting many documents cost, in seconds of a core: a life's first, and the others."""

    count: int
    children: int
    life: int
    started: str
    lives: int = 0
    seconds: float = 0.0
    first: float = 0.0
    median: float = 0.0
    p99: float = 0.0
    samples: list[DocumentSample] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def documents(
    count: int, *, children: int = 1, life: int = 0, every: int = 100, say: Any = print
) -> Documents:
    """Set so many documents in type, in processes that are forked as a worker's pool forks its
    children, and renewed after ``life`` documents; after none with 0."""
    # What the worker's main process holds when it forks.
    import careersite.celery  # noqa: F401

    started = dt.datetime.now(dt.UTC).isoformat(timespec="minutes")
    outcome, began = Documents(count, children, life, started), time.monotonic()
    say(f"{started}, {count} documents, {children} children, {machine()}")
    say(f"{'child':>5} {'documents':>9} {'seconds':>8} {'RSS MB':>7} {'PSS MB':>7} {'files':>6}")
    took: list[float] = []
    firsts: list[float] = []
    forked = multiprocessing.get_context("fork")
    ends: dict[Any, tuple[int, Any]] = {}
    fresh: set[Any] = set()
    left = {number: range(number - 1, count, children) for number in range(1, children + 1)}

    def fork(number: int) -> None:
        ours, theirs = forked.Pipe()
        its, left[number] = left[number][: life or count], left[number][life or count :]
        child = forked.Process(target=_set_documents, args=(its, every, theirs), daemon=True)
        child.start()
        theirs.close()
        ends[ours] = (number, child)
        fresh.add(ours)
        outcome.lives += 1

    for number in left:
        fork(number)
    done: Counter[int] = Counter()
    while ends:
        ready: list[Any] = multiprocessing.connection.wait(list(ends))
        for end in ready:
            number, child = ends[end]
            try:
                # It waits for an answer, so that it is measured between two documents.
                spent = end.recv()
            except EOFError:
                del ends[end]
                end.close()
                child.join()
                if child.exitcode:
                    outcome.problems.append(f"child {number} ended with {child.exitcode}")
                elif left[number]:
                    fork(number)
                continue
            firsts += spent[:1] if end in fresh else []
            took += spent[1:] if end in fresh else spent
            fresh.discard(end)
            done[number] += len(spent)
            rss, pss = gauges.memory(child.pid)
            sample = DocumentSample(
                child=number,
                documents=done[number],
                seconds=round(time.monotonic() - began, 1),
                rss=round(rss / gauges.MB, 1),
                pss=round(pss / gauges.MB, 1),
                files=len(list(Path(f"/proc/{child.pid}/fd").iterdir())),
            )
            outcome.samples.append(sample)
            say(
                f"{sample.child:5d} {sample.documents:9d} {sample.seconds:8.0f} {sample.rss:7.1f}"
                f" {sample.pss:7.1f} {sample.files:6d}"
            )
            end.send("go on")
    if done.total() != count:
        outcome.problems.append(f"{done.total()} documents instead of {count}")
    outcome.seconds = round(time.monotonic() - began, 1)
    outcome.first = round(max(firsts, default=0.0), 3)
    outcome.median, outcome.p99 = (round(quantile(took, q), 3) for q in (0.5, 0.99))
    for number in range(1, children + 1):
        of_child = [sample for sample in outcome.samples if sample.child == number]
        for name, allowance in (("rss", "pss"), ("files", "files")):
            series = [(sample.documents, getattr(sample, name)) for sample in of_child]
            # Lives know nothing of each other: how large one gets hangs on what it has to set.
            verdict = judge(series, ALLOWED[allowance], scatters=bool(life))
            if verdict:
                outcome.verdicts[f"child {number} {name}"] = verdict
    outcome.problems += grown(outcome.verdicts)
    return outcome


def _set_documents(numbers: Sequence[int], every: int, parent: Connection) -> None:
    """What a child does: all these documents, and after some of them say how long each took."""
    from careers.documents import Branding, document_for, render_pdf

    branding, spent = Branding("Tidewater Instruments", "#0e5c46"), []
    for number in numbers:
        began = time.process_time()
        render_pdf(document_for(applicants.application(number), branding))
        spent.append(time.process_time() - began)
        if len(spent) == every or number == numbers[-1]:
            parent.send(spent)
            parent.recv()
            spent = []


# ── Words ───────────────────────────────────────────────────────────────────────────────


def quantile(values: Sequence[float], share: float) -> float:
    """The value that so large a share does not exceed; 0.0 of nothing."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def machine() -> str:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{os.cpu_count()} cores, {pages / 1e9:.0f} GB memory"


SHOWN = ("web", "cpu", "io", "sweeper", "beat", "flower", "broker", "archive")


def heading(outcome: Outcome) -> list[str]:
    parts = " ".join(f"{name:>7}" for name in SHOWN)
    return [
        f"{outcome.started}, {outcome.database}, {outcome.seconds / 60:g} minutes, {machine()}",
        f"{'':>6} {'applications/s':>14} {'POST s':>13} {'steps':>12}  PSS in MB",
        (
            f"{'minute':>6} {'wanted':>7}{'posted':>7} {'p50':>6} {'p99':>6} {'open':>5}"
            f" {'oldest':>6} {parts} files temp. keys conn."
        ),
    ]


def row(sample: Sample) -> str:
    parts = sample.used["parts"]
    memory = " ".join(f"{parts.get(name, {}).get('pss', 0):7.1f}" for name in SHOWN)
    files = sum(used.get("files", 0) for used in parts.values())
    return (
        f"{sample.at / 60:6.1f} {sample.wanted:7.2f}{sample.reached:7.2f} {sample.p50:6.3f}"
        f" {sample.p99:6.3f} {sample.open:5d} {sample.oldest:6.1f} {memory} {files:5.0f}"
        f" {sample.used['temporary files']:5d} {sample.used['keys']:4d}"
        f" {sample.used.get('connections', 0):5d}"
    )


def judgement(found: dict[str, Verdict]) -> list[str]:
    if not found:
        return []
    lines = [f"{'second half':24} {'from':>8} {'to':>8} {'grown':>7} {'allowed':>7}"]
    return lines + [
        f"{name:24} {verdict.first:8.1f} {verdict.last:8.1f} {verdict.growth:+7.2f}"
        f" {verdict.allowed:7.1f}{'  GROWS' if verdict.grows else ''}"
        for name, verdict in found.items()
    ]


def summary(outcome: Outcome | Documents) -> list[str]:
    lines = judgement(outcome.verdicts)
    if isinstance(outcome, Outcome):
        lines.append(
            f"{outcome.posted} applications, {outcome.rate} a second in the second half;"
            f" drained {outcome.drained:.0f} s after the last."
        )
    else:
        lines.append(
            f"{outcome.count} documents in {outcome.seconds:.0f} s and {outcome.lives} lives."
            f" Of one core, a life's first took {outcome.first} s,"
            f" another {outcome.median} s (median), {outcome.p99} s (p99)."
        )
    lines += [f"PROBLEM: {problem}" for problem in outcome.problems]
    return [*lines, f"{len(outcome.problems)} problems"]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--documents", type=int, metavar="N")
    parser.add_argument("--children", type=int, default=1)
    parser.add_argument("--life", type=int, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args(arguments)
    # The stack starts from the database that unit tests keep.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careersite.settings.test")
    django.setup()
    # Told to stop, it stops what it started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    outcome = (
        documents(
            given.documents,
            children=given.children,
            life=settings.CELERY_WORKER_MAX_TASKS_PER_CHILD if given.life is None else given.life,
        )
        if given.documents
        else soak(given.database, given.minutes * 60)
    )
    print("\n".join(summary(outcome)), flush=True)
    if given.json:
        given.json.write_text(json.dumps(asdict(outcome) | {"machine": machine()}, indent=1))
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
