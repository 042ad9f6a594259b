"""The database is killed, disconnected and locked: every receipt has a row, and one mail each.

``own_server`` is a site on a PostgreSQL server that may be killed. SQLite has no server that could
die; its tests are at the end.
"""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tests.support.mailed import assert_mailed_once
from tests.support.own_server import OwnServer
from tests.support.processes import until
from tests.support.stack import Receipt, Stack, a_cv, shared_template

#: The first test of a run makes the database that all sites start from.
pytestmark = pytest.mark.timeout(900)
PATIENCE = 180  # seconds; ends a hang


def apply_until_taken(site: Stack, name: str) -> list[Receipt]:
    """Send the same form until the answer is a receipt, as people do."""
    email, cv = f"{secrets.token_hex(4)}@example.org", a_cv(name)
    got: list[Receipt] = []

    def taken() -> bool:
        got.append(site.apply(name=name, email=email, cv=cv))
        return got[-1].status == 303

    until(taken, PATIENCE, f"{name} got no receipt", pause=0.3)
    return got


def assert_kept(refused: Receipt, name: str) -> None:
    """An applicant without a receipt reads why, and the page keeps what they typed."""
    assert (refused.status, refused.location) == (503, "")
    assert "could not be stored just now" in refused.page
    assert name in refused.page


def assert_one_application_each(site: Stack, receipts: list[Receipt]) -> None:
    rows = site.query("SELECT email, receipt_secret FROM careers_application")
    for receipt in receipts:
        told = [row["receipt_secret"] for row in rows if row["email"] == receipt.email]
        assert told == [receipt.secret]


# ── The server is killed ────────────────────────────────────────────────────────────────


def test_server_killed_while_people_apply_keeps_every_receipt(own_server: OwnServer) -> None:
    """``kill -9`` of PostgreSQL, then an immediate restart, while people apply and workers run. An
    applicant without a receipt reads why, keeps what they typed, and has one application after
    they send it again. All steps end by themselves, and no mail is sent twice.
    """
    own_server.form_address()
    names = [f"Person {number}" for number in range(12)]
    with ThreadPoolExecutor(3) as pool:
        sent = [pool.submit(apply_until_taken, own_server, name) for name in names]

        def receipts() -> int:
            return sum(future.done() for future in sent)

        until(lambda: receipts() >= 3, PATIENCE, "no application was accepted")
        own_server.server.kill()
        # At least one applicant must have met the outage.
        refused = own_server.apply(name="Met Nobody")
        own_server.server.__enter__()
        until(lambda: receipts() >= 7, PATIENCE, "the database did not come back")
        own_server.server.restart_at_once()
        answers = [future.result(PATIENCE) for future in sent]
    assert_kept(refused, "Met Nobody")
    for name, of_one in zip(names, answers, strict=True):
        for answer in of_one[:-1]:
            assert_kept(answer, name)
    taken = [of_one[-1] for of_one in answers]
    own_server.wait_for_end(taken, PATIENCE, keep=("cpu", "io", "sweeper"))
    assert_one_application_each(own_server, taken)
    doubled = [
        receipt.email for receipt in taken if len(own_server.smtp.mails(to=receipt.email)) > 1
    ]
    assert (doubled, own_server.smtp.doubles()) == ([], [])
    for receipt in taken:
        states = own_server.states(receipt)
        assert states["render_pdf"] == states["archive"] == "succeeded"
        # A mail past its point of no return when the database died may stay unconfirmed.
        assert {states["mail_applicant"], states["mail_hr"]} <= {"succeeded", "uncertain"}


def test_cut_database_connections_are_reopened_without_an_error(own_server: OwnServer) -> None:
    """``pg_terminate_backend`` of every session between two requests: the next form gets its
    receipt at the first try, and its steps are done.
    """
    own_server.wait_for_end([own_server.apply()], PATIENCE)
    own_server.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    receipt = own_server.apply()
    assert receipt.status == 303
    own_server.wait_for_end([receipt], PATIENCE)
    assert_mailed_once(own_server, [receipt])


# ── The connection breaks at COMMIT ─────────────────────────────────────────────────────


def test_connection_cut_during_commit_of_an_application_leaves_exactly_one(
    own_server: OwnServer,
) -> None:
    """The connection breaks at COMMIT, once before the server has received it and once after the
    server has executed it; the site cannot know which. The applicant gets no receipt. Sending the
    form again gives one application and one mail.
    """
    before = own_server.middle.cuts
    answers = []
    for arrives in (False, True):
        own_server.middle.cut_at_commit_of(b'INSERT INTO "careers_application"', arrives=arrives)
        answers.append(apply_until_taken(own_server, "Ada Twice"))
    assert own_server.middle.cuts == before + 2
    for refused, _taken in answers:
        assert_kept(refused, "Ada Twice")
    taken = [of_one[-1] for of_one in answers]
    own_server.wait_for_end(taken, PATIENCE)
    assert_one_application_each(own_server, taken)
    assert_mailed_once(own_server, taken)


def test_connection_cut_during_commit_of_a_sent_mail_sends_it_once(own_server: OwnServer) -> None:
    """A mail has been sent, and the connection breaks at the COMMIT that records it, before or
    after the server has executed it. The worker records it again and sends nothing.
    """
    before = own_server.middle.cuts
    receipts = []
    for arrives in (False, True):
        own_server.middle.cut_at_commit_of(b'"message_id": "<receipt.', arrives=arrives)
        receipts.append(own_server.apply())
        own_server.wait_for_end(receipts, PATIENCE)
    assert own_server.middle.cuts == before + 2
    assert_mailed_once(own_server, receipts)


def test_connection_cut_before_the_point_of_no_return_sends_the_mail_later(
    own_server: OwnServer,
) -> None:
    """The connection breaks where a worker records that it is about to send a mail. Nothing has
    been sent, so the mail is sent on a new connection long before the lease ends, and no person
    has to decide.
    """
    before = own_server.middle.cuts
    for arrives in (False, True):
        own_server.middle.cut_at(b'SET "phase" = ', arrives=arrives)
        receipt = own_server.apply()
        own_server.wait_for_end([receipt], PATIENCE)
        assert_mailed_once(own_server, [receipt])
        missed = own_server.query(
            "SELECT e.id FROM careers_stepevent e JOIN careers_step s ON s.id = e.step_id"
            " JOIN careers_application a ON a.id = s.application_id"
            " WHERE a.receipt_secret = %s AND s.kind LIKE 'mail%%'"
            " AND e.actor = 'sweeper' AND e.from_state = 'started'",
            receipt.secret,
        )
        assert missed == []
    assert own_server.middle.cuts == before + 2


# ── Locks ───────────────────────────────────────────────────────────────────────────────


def test_locked_step_table_delays_steps_and_loses_nothing(own_server: OwnServer) -> None:
    """ACCESS EXCLUSIVE on the step table for longer than a statement waits, as a careless
    migration causes. Applicants read why they got no receipt, workers and sweeper retry, and all
    steps are done when the lock is gone.
    """
    began = own_server.apply_many(3)
    with psycopg.connect(own_server.database) as foreign:
        foreign.execute("LOCK TABLE careers_step IN ACCESS EXCLUSIVE MODE")
        refused = own_server.apply(name="Ada Locked", email="locked@example.org", cv=a_cv("Locked"))
        foreign.rollback()
    assert_kept(refused, "Ada Locked")
    taken = [*began, apply_until_taken(own_server, "Ada Free")[-1]]
    own_server.wait_for_end(taken, PATIENCE)
    assert (
        own_server.query("SELECT 1 FROM careers_application WHERE email = 'locked@example.org'")
        == []
    )
    assert_one_application_each(own_server, taken)
    assert_mailed_once(own_server, taken)


# ── SQLite ──────────────────────────────────────────────────────────────────────────────


def test_twenty_concurrent_writers_on_sqlite_all_succeed(tmp_path: Path) -> None:
    """Twenty people apply at the same time, to as many threads of the web server, while both
    workers and the sweeper write too: no one gets an error about a locked database.
    """
    with Stack(shared_template(), tmp_path) as one:
        one.environ["GUNICORN_CMD_ARGS"] = "--threads 10"
        one.start("web", "cpu", "io", "sweeper")
        receipts = [one.apply(), *one.apply_many(20, at_once=20)]
        assert {receipt.status for receipt in receipts} == {303}
        assert_one_application_each(one, receipts)
        # The rest of the steps shows nothing more.
        one.wait_for_end(receipts[:6], PATIENCE)
        assert_mailed_once(one, receipts[:6])
        assert "database is locked" not in one.log_text()
