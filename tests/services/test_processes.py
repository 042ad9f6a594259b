"""Several processes work on the same rows, and a process is stopped during its work."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter

from tests.support.databases import ON_POSTGRESQL, ON_SQLITE
from tests.support.processes import until
from tests.support.speed import patient
from tests.support.stack import DONE, ROOT, Stack

CLAIMERS = 6


@ON_POSTGRESQL
def test_concurrent_claims_by_processes_succeed_once_per_step(site: Stack) -> None:
    site.stop("cpu", "io", "sweeper")
    receipts = site.apply_many(20)
    claiming = subprocess.run(
        [sys.executable, "-m", "tests.support.claimer", str(CLAIMERS)],
        cwd=ROOT,
        env=site.environ,
        capture_output=True,
        text=True,
        timeout=patient(120),
    )
    assert claiming.returncode == 0, claiming.stderr
    won = [set(map(int, line.split())) for line in claiming.stdout.splitlines()]
    assert len(won) == CLAIMERS

    steps = [step for receipt in receipts for step in site.steps(receipt)]
    ready = {step["id"] for step in steps if step["state"] != "waiting"}
    assert len(ready) == 2 * len(receipts)
    assert Counter(step_id for wins in won for step_id in wins) == dict.fromkeys(ready, 1)
    assert {step["token"] for step in steps if step["id"] in ready} == {1}
    events = site.query("SELECT step_id FROM careers_stepevent WHERE to_state = 'started'")
    assert ready <= Counter(event["step_id"] for event in events).keys()
    assert {
        times
        for step_id, times in Counter(event["step_id"] for event in events).items()
        if step_id in ready
    } == {1}
    # No process finishes these claims; expire them for the next tests.
    site.query("UPDATE careers_step SET state = 'cancelled' WHERE state IN ('started', 'waiting')")


@ON_POSTGRESQL
def test_sweeper_without_workers_completes_all_steps(site: Stack) -> None:
    """Without broker and workers it takes longer; nothing is lost and no mail is sent twice."""
    site.stop("cpu", "io", "sweeper")
    site["broker"].kill()
    site.environ |= {
        "PIPELINE_BROKER_GRACE": "1",
        # Its children load WeasyPrint again for each PDF.
        "PIPELINE_SOFT_LIMIT": "100",
        "PIPELINE_HARD_LIMIT": "105",
        "PIPELINE_LEASE": "110",
    }
    receipts = site.apply_many(3)
    assert {receipt.status for receipt in receipts} == {303}
    site.start("sweeper")
    site.wait_for_end(receipts)
    assert all(site.states(receipt) == DONE for receipt in receipts)
    assert [len(site.smtp.mails(to=receipt.email)) for receipt in receipts] == [1, 1, 1]


@ON_POSTGRESQL
def test_stopped_worker_returns_its_step_to_the_queue(site: Stack) -> None:
    """SIGTERM during a step: the step is queued again at once, not after its lease."""
    site["io"].kill()
    site.celery_app = "tests.support.short_shutdown"
    try:
        site.start("io")
    finally:
        site.celery_app = "careersite"
    site["archive"].freeze()
    receipt = site.apply()
    until(lambda: site.states(receipt)["archive"] == "started", 120, "archive did not start")
    # Without it no process claims the step, so the test can read its state.
    site.stop("sweeper")
    site.stop("io")

    step = site.step(receipt, "archive")
    assert step["state"] == "queued", step
    assert step["lease_until"] is None
    site["archive"].thaw()
    site.start("io", "sweeper")
    site.wait_for_end([receipt])
    assert site.states(receipt) == DONE
    assert len(site.smtp.mails(to=receipt.email)) == 1


@ON_SQLITE
def test_worker_stopped_past_the_point_of_no_return_leaves_the_mail_unconfirmed(
    site: Stack,
) -> None:
    site["io"].kill()
    site.celery_app = "tests.support.short_shutdown"
    try:
        site.start("io")
    finally:
        site.celery_app = "careersite"
    site.smtp.mode = "hang_after_dot"
    receipt = site.apply()
    until(lambda: site.smtp.mails(to=receipt.email), 120, "the mail did not leave")
    site.stop("io")

    assert site.step(receipt, "mail_applicant")["state"] == "uncertain"
    site.smtp.mode = "ok"
    site.start("io")
    site.wait_for_end([receipt])
    assert site.states(receipt) == DONE | {
        "mail_applicant": "uncertain",
        # The mail to HR may have been running at the same time.
        "mail_hr": site.states(receipt)["mail_hr"],
    }
    assert len(site.smtp.mails(to=receipt.email)) == 1


@ON_SQLITE
def test_stopped_worker_finishes_a_short_step(site: Stack) -> None:
    """SIGTERM during a step that ends soon: it is completed and not repeated."""
    site["archive"].freeze()
    receipt = site.apply()
    until(lambda: site.states(receipt)["archive"] == "started", 120, "archive did not start")
    site["io"].signal(signal.SIGTERM)
    site["archive"].thaw()
    until(lambda: not site["io"].running, 120, "the worker did not end")

    step = site.step(receipt, "archive")
    assert (step["state"], step["attempts"]) == ("succeeded", 1)


@ON_SQLITE
def test_idle_process_stops_within_seconds_after_sigterm(site: Stack) -> None:
    site.start("beat", "flower")
    for name in ("cpu", "io", "sweeper", "web", "beat", "flower"):
        site[name].stop(patience=60)
        assert site[name].returncode in (0, -15, 15), f"{name} was killed, or failed"


@ON_POSTGRESQL
def test_operators_are_mailed_when_a_step_fails_and_when_it_is_resolved(site: Stack) -> None:
    site.query("UPDATE home_sitesettings SET operators = 'ops@example.org'")
    receipt = site.apply()
    site.wait_for_end([receipt])
    (step,) = (step["id"] for step in site.steps(receipt) if step["kind"] == "mail_hr")
    state = "UPDATE careers_step SET state = %s, error_code = 'mail-recipient' WHERE id = %s"

    def told() -> list[str]:
        return [mail.message_id.split(".")[1] for mail in site.smtp.mails(to="ops@example.org")]

    site.query(state, "failed", step)
    until(lambda: told() == ["alert"], 120, "no alert was mailed")
    site.query(state, "succeeded", step)
    until(lambda: told() == ["alert", "recovered"], 120, "its end was not mailed")
    site.query("UPDATE home_sitesettings SET operators = ''")
    assert site.smtp.doubles() == []
