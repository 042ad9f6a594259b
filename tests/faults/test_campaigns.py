"""Nothing is lost and nobody is mailed twice, whatever dies or refuses.

Each campaign posts fifty applications over HTTP. What is counted stands in the rows, in the
bucket's directory and in the mail server's own ledger.
"""

from __future__ import annotations

import time

import pytest

from tests.faults.campaign import FaultySite, Outcome
from tests.processes import until


def assert_nothing_lost(outcome: Outcome) -> None:
    assert outcome.lost == []
    assert outcome.mailed_twice == []
    assert outcome.unaccounted == []


def assert_all_succeeded(outcome: Outcome) -> None:
    assert_nothing_lost(outcome)
    assert outcome.states == {"succeeded": 4 * outcome.posted}


@pytest.mark.parametrize("kind", ["render_pdf", "archive"])
def test_worker_dies_in_repeatable_step(faulty: FaultySite, kind: str) -> None:
    """What can be done twice is done again, also when it had been done already."""
    faulty.will_die(kind, "before", children=2, groups=1)
    faulty.will_die(kind, "after", children=2, groups=1)
    outcome = faulty.run(f"kill -9 in {kind}")
    assert outcome.deaths == 6
    assert_all_succeeded(outcome)


@pytest.mark.parametrize("kind", ["mail_applicant", "mail_hr"])
def test_worker_dies_before_it_hands_a_mail_over(faulty: FaultySite, kind: str) -> None:
    faulty.will_die(kind, "before", children=3, groups=2)
    outcome = faulty.run(f"kill -9 in {kind}, before the dot")
    assert outcome.deaths == 5
    assert_all_succeeded(outcome)


@pytest.mark.parametrize("kind", ["mail_applicant", "mail_hr"])
def test_worker_dies_while_a_mail_is_handed_over(faulty: FaultySite, kind: str) -> None:
    """Nobody can know whether these mails went out: exactly they are unconfirmed."""
    faulty.will_die(kind, "dot", children=2, groups=1)
    faulty.will_die(kind, "after", children=2, groups=1)
    outcome = faulty.run(f"kill -9 in {kind}, at the dot")
    assert outcome.deaths == 6
    assert_nothing_lost(outcome)
    # A whole worker takes its other child along, which may have been at its dot, too.
    assert 6 <= len(outcome.uncertain) <= 8
    assert outcome.states == {
        "succeeded": 4 * outcome.posted - len(outcome.uncertain),
        "uncertain": len(outcome.uncertain),
    }


def test_broker_is_away(faulty: FaultySite) -> None:
    """Killed in the middle, started again after the last application has come in."""
    stack = faulty.stack
    outcome = faulty.run(
        "broker kill -9, later started",
        during=stack["broker"].kill,
        after=lambda: stack.start("broker"),
    )
    assert_all_succeeded(outcome)
    assert outcome.slowest_post < 5


def test_broker_is_frozen(faulty: FaultySite) -> None:
    stack = faulty.stack
    outcome = faulty.run(
        "broker SIGSTOP, later SIGCONT",
        during=stack["broker"].freeze,
        after=stack["broker"].thaw,
    )
    assert_all_succeeded(outcome)
    assert outcome.slowest_post < 5


def test_broker_forgets_everything(faulty: FaultySite) -> None:
    stack = faulty.stack
    outcome = faulty.run(
        "broker FLUSHALL", during=stack.redis().flushall, after=stack.redis().flushall
    )
    assert_all_succeeded(outcome)


@pytest.mark.parametrize("mode", ["rcpt_450", "dot_451", "banner_421"])
def test_mail_server_refuses_for_a_while(faulty: FaultySite, mode: str) -> None:
    smtp = faulty.stack.smtp
    smtp.mode = mode

    def recovers() -> None:
        until(lambda: len(smtp.commands) > 20 or mode == "banner_421", 60, "nobody tried")
        smtp.mode = "ok"

    outcome = faulty.run(f"mail server answers {mode}", after=recovers)
    assert_all_succeeded(outcome)


def test_mail_server_is_away(faulty: FaultySite) -> None:
    smtp = faulty.stack.smtp
    smtp.refuse_connections()
    outcome = faulty.run("mail server refuses connections", after=smtp.listen_again)
    assert_all_succeeded(outcome)


def test_mail_server_falls_silent_after_the_dot(faulty: FaultySite) -> None:
    """It took the mail and said nothing: unconfirmed are exactly these, and none goes again."""
    smtp = faulty.stack.smtp
    before = len(smtp.mails())
    smtp.once("hang_after_dot", "close_after_dot", "ok", "close_after_dot", "hang_after_dot")
    outcome = faulty.run("mail server silent after 4 dots")
    assert_nothing_lost(outcome)
    assert len(outcome.uncertain) == 4
    assert outcome.states == {"succeeded": 4 * outcome.posted - 4, "uncertain": 4}
    assert len(smtp.mails()) - before == 2 * outcome.posted


def test_bucket_is_away(faulty: FaultySite) -> None:
    stack = faulty.stack
    stack["archive"].kill()
    outcome = faulty.run("object store kill -9", after=lambda: stack.start("archive"))
    assert_all_succeeded(outcome)


def test_sweeper_dies_with_the_broker(faulty: FaultySite) -> None:
    """Both ways by which a worker hears of a row are gone at the same time."""
    stack = faulty.stack

    def both_die() -> None:
        stack["broker"].kill()
        stack["sweeper"].kill()

    def both_return() -> None:
        stack.start("broker", "sweeper")

    outcome = faulty.run("broker and sweeper kill -9", during=both_die, after=both_return)
    assert_all_succeeded(outcome)


def test_web_server_dies_after_the_commit(faulty: FaultySite) -> None:
    """Every second application rang for nobody: the sweeper finds them."""
    stack = faulty.stack

    def restart_web() -> None:
        for child in stack["web"].children():
            import os
            import signal

            os.kill(child, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if stack.get("/health/live")[0] == 200:
                    return
            except OSError:
                time.sleep(0.1)

    outcome = faulty.run("web workers kill -9", during=restart_web)
    assert_all_succeeded(outcome)
