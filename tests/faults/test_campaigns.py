"""Nothing is lost and nobody is mailed twice, whatever dies or refuses.

Each campaign posts fifty applications over HTTP. What is counted stands in the rows, in the
bucket's directory and in the mail server's own ledger.
"""

from __future__ import annotations

import contextlib
import os
import signal

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
def test_worker_dies_in_mail(faulty: FaultySite, kind: str) -> None:
    """Before the dot a mail is sent again. From there on nobody can know whether it went out:
    exactly these are unconfirmed, and none of them is sent again."""
    faulty.will_die(kind, "before", children=2, groups=1)
    faulty.will_die(kind, "dot", children=2, groups=1)
    faulty.will_die(kind, "after", children=2, groups=1)
    outcome = faulty.run(f"kill -9 in {kind}")
    assert outcome.deaths == 9
    assert_nothing_lost(outcome)
    # Six died at the dot or after it. Who takes the whole worker along takes its other child,
    # too, and that one may have been at its own dot.
    assert 6 <= len(outcome.uncertain) <= 6 + 3
    assert outcome.states == {
        "succeeded": 4 * outcome.posted - len(outcome.uncertain),
        "uncertain": len(outcome.uncertain),
    }


def test_broker_and_sweeper_die(faulty: FaultySite) -> None:
    """Both ways by which a worker hears of a row are gone at the same time."""
    stack = faulty.stack

    def both_die() -> None:
        stack["broker"].kill()
        stack["sweeper"].kill()

    outcome = faulty.run(
        "broker and sweeper kill -9",
        during=both_die,
        after=lambda: stack.start("broker", "sweeper"),
    )
    assert_all_succeeded(outcome)
    assert outcome.slowest_post < 5


def test_broker_freezes_and_forgets(faulty: FaultySite) -> None:
    stack = faulty.stack

    def wakes_up_empty() -> None:
        stack["broker"].thaw()
        stack.redis().flushall()

    outcome = faulty.run(
        "broker SIGSTOP, then FLUSHALL", during=stack["broker"].freeze, after=wakes_up_empty
    )
    assert_all_succeeded(outcome)
    assert outcome.slowest_post < 5


def test_mail_server_is_away_then_refuses(faulty: FaultySite) -> None:
    """Refused connections, refused messages, refused recipients, and then all is well."""
    smtp = faulty.stack.smtp
    smtp.refuse_connections()

    def comes_back_busy() -> None:
        smtp.mode = "dot_451"
        smtp.listen_again()

    def recovers() -> None:
        for mode, answered in (("dot_451", "(message)"), ("rcpt_450", "rcpt")):
            smtp.mode, seen = mode, len(smtp.commands)
            until(
                lambda seen=seen, word=answered: any(
                    command.lower().startswith(word) for command in smtp.commands[seen:]
                ),
                60,
                "nobody tried to send a mail",
            )
        smtp.mode = "ok"

    outcome = faulty.run(
        "mail server away, 451, 450, then well", during=comes_back_busy, after=recovers
    )
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


def test_bucket_and_web_server_die(faulty: FaultySite) -> None:
    stack = faulty.stack
    stack["archive"].kill()

    def web_dies() -> None:
        for child in stack["web"].children():
            os.kill(child, signal.SIGKILL)
        until(lambda: _answers(faulty), 30, "the web server did not come back")

    outcome = faulty.run(
        "object store and web workers kill -9",
        during=web_dies,
        after=lambda: stack.start("archive"),
    )
    assert_all_succeeded(outcome)


@pytest.mark.parametrize(
    ("point", "code", "ends"),
    [("before", "worker-lost", "succeeded"), ("dot", "interrupted", "uncertain")],
    ids=["before the dot", "at the dot"],
)
def test_worker_that_slept_past_its_lease_changes_nothing(
    faulty: FaultySite, point: str, code: str, ends: str
) -> None:
    """Frozen for longer than its lease, it wakes up and goes on as if nothing had been."""
    stack = faulty.stack
    faulty.will_die("mail_applicant", point, frozen=1)
    receipt = stack.apply()

    def is_missed() -> bool:
        return bool(stack.step(receipt, "mail_applicant")["error_code"] == code)

    until(is_missed, 60, "nobody missed the worker")
    stack["io"].thaw()
    stack.wait_for_end([receipt], 90, keep=("cpu", "io", "sweeper"))

    states = stack.states(receipt)
    assert states.pop("mail_applicant") == ends
    assert set(states.values()) == {"succeeded"}
    mails = stack.smtp.mails(to=receipt.email)
    assert len(mails) == 1 if ends == "succeeded" else len(mails) <= 1


def _answers(faulty: FaultySite) -> bool:
    with contextlib.suppress(OSError):
        return faulty.stack.get("/health/live")[0] == 200
    return False
