"""A whole site under load for a given time, then a count of everything."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from prove.soak import gauges
from prove.soak.load import LoadControl, SteadyApplicants
from prove.soak.outcome import Outcome, Sample
from prove.soak.summary import heading, quantile, row
from prove.soak.trends import grown, verdicts
from tests.support.processes import until
from tests.support.stack import ENDS, Receipt, Stack, column, shared_postgresql, shared_template

PARTS = ("web", "cpu", "io", "sweeper", "beat", "flower")
#: The values of production; ``Stack`` has shorter ones.
AS_IN_PRODUCTION = {
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
#: A shorter run only warms up, and its growth means nothing.
JUDGED_FROM = 600  # seconds
#: Seconds without one more step done after which the drain hangs.
HANGS = 300


@contextlib.contextmanager
def a_site(database: str, **environ: str) -> Iterator[Stack]:
    """A site in its own directory, with the limits of production."""
    directory = Path(tempfile.mkdtemp(prefix="careers-soak-"))
    temporary = directory / "tmp"
    temporary.mkdir()
    server = shared_postgresql() if database == "postgresql" else ""
    settings = AS_IN_PRODUCTION | {"TMPDIR": str(temporary)} | environ
    try:
        # Forks would share memory that processes of a real site do not share.
        with Stack(
            shared_template(), directory, server=server, environ=settings, preload=False
        ) as stack:
            yield stack
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def warm_up(stack: Stack) -> list[Receipt]:
    """Let every process do everything once before the measurement. That includes a dispatch by the
    sweeper, which keeps its connection to the broker from then on.
    """
    receipts = stack.apply_many(16)
    stack.wait_for_end(receipts, HANGS)
    stack["cpu"].freeze()
    late = stack.apply()
    stack.query(
        "UPDATE careers_step SET "
        + column("dispatched_at")
        + " = '2026-01-01 00:00:00' WHERE state = 'sent'"
    )
    until(
        lambda: stack.step(late, "render_pdf")[column("dispatches")] > 1,
        HANGS,
        "the sweeper did not dispatch",
    )
    stack["cpu"].thaw()
    stack.wait_for_end([late], HANGS)
    return [*receipts, late]


def soak(database: str, seconds: float, *, say: Any = print) -> Outcome:
    """Run a site under load for ``seconds``, then count."""
    outcome = Outcome(database, seconds, dt.datetime.now(dt.UTC).isoformat(timespec="minutes"))
    with a_site(database) as stack:
        stack.start(*PARTS)
        warm = warm_up(stack)
        pids = {name: part.pid for name, part in stack.parts.items()}
        began = time.monotonic()
        control, every = LoadControl(), max(1.0, seconds / SAMPLES)
        interval = min(5.0, every)
        say("\n".join(heading(outcome)))
        with SteadyApplicants(stack, control.rate) as applicants:
            sampled, looked = (began, 0), (began, 0)
            while (now := time.monotonic()) < began + seconds:
                time.sleep(max(0.1, min(interval, began + seconds - now)))
                now, posted = time.monotonic(), len(applicants.receipts)
                oldest = _oldest(stack)
                control.adapt(oldest, (posted - looked[1]) / (now - looked[0]))
                applicants.rate, looked = control.rate, (now, posted)
                if now - sampled[0] < every * 0.99:
                    continue
                took = [receipt.seconds for receipt in applicants.receipts[sampled[1] :]]
                sample = Sample(
                    at=round(now - began, 1),
                    wanted=round(control.rate, 2),
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
    """How long the oldest ready step has waited, as the site reports it, in seconds."""
    return float(stack.status()["oldest_ready_seconds"] or 0)


def drain(stack: Stack) -> float:
    """Wait until no step is open, as long as there is progress; returns seconds."""
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
    """What is missing, doubled or undone for the given receipts, counted from outside."""
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
    """What still waits although all work should be done."""
    problems = [
        f"{used[name]} messages left in {name}"
        for name in ("queue cpu", "queue io", "unacknowledged")
        if used[name]
    ]
    unended = {state: n for state, n in used["states"].items() if state not in ENDS}
    return problems + ([f"steps left: {unended}"] if unended else [])
