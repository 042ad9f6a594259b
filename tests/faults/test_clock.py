"""A worker with a wrong clock takes no step back early and sends no mail twice.

Leases, waits and the sweeper use the database's clock.
``tests/careers/operations/test_sweeper.py`` tests a database clock that jumps.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tests.support.own_server import OwnServer
from tests.support.processes import until
from tests.support.stack import DONE, Receipt

#: The first test of a run makes the database that all sites start from.
pytestmark = pytest.mark.timeout(900)
PATIENCE = 180  # seconds; ends a hang
#: Python runs it at start. Only the wall clock is wrong, as on a host without NTP.
WRONG_CLOCK = """
import datetime, time_machine
time_machine.travel(datetime.timedelta(hours={hours})).start()
"""


def test_worker_with_a_wrong_clock_sends_each_mail_once(
    own_server: OwnServer, tmp_path: Path
) -> None:
    """The clock of the host with the mail worker and the sweeper is two hours off. A step that
    runs while the sweeper looks keeps its lease, and every mail is sent once. All steps are done
    when the clock is right again; until then a bucket may refuse signatures from another hour.
    """
    elsewhere = ("io", "sweeper")
    right = dict(own_server.environ)
    receipts: list[Receipt] = []
    # On a busy machine a lease may expire; the sweeper then takes it back in time, not early.
    own_server.environ |= {
        "PIPELINE_SOFT_LIMIT": "100",
        "PIPELINE_HARD_LIMIT": "110",
        "PIPELINE_LEASE": "120",
    }
    try:
        for hours in (2, -2):
            wrong = tmp_path / str(hours)
            wrong.mkdir()
            (wrong / "sitecustomize.py").write_text(WRONG_CLOCK.format(hours=hours))
            own_server.stop(*elsewhere)
            own_server.environ["PYTHONPATH"] = f"{wrong}:{right['PYTHONPATH']}"
            own_server.start(*elsewhere)
            receipts += look_while_a_step_runs(own_server)
    finally:
        own_server.environ.clear()
        own_server.environ |= right
        own_server.stop(*elsewhere)
        own_server.start(*elsewhere)
    # A step that was refused under the wrong clock would wait for its next retry.
    own_server.query("UPDATE careers_step SET run_after = NULL WHERE state = 'retrying'")
    own_server.wait_for_end(receipts, PATIENCE)
    assert [own_server.states(receipt) for receipt in receipts] == [DONE] * 4
    assert [len(own_server.smtp.mails(to=receipt.email)) for receipt in receipts] == [1] * 4
    assert own_server.smtp.doubles() == []
    rescued = own_server.query(
        "SELECT id FROM careers_stepevent WHERE actor = 'sweeper' AND from_state = 'started'"
        " AND step_id IN (SELECT s.id FROM careers_step s JOIN careers_application a"
        " ON a.id = s.application_id WHERE a.receipt_secret = ANY(%s))",
        [receipt.secret for receipt in receipts],
    )
    assert rescued == []


def look_while_a_step_runs(site: OwnServer) -> list[Receipt]:
    """Two people apply, and the sweeper runs while the archive keeps a worker waiting."""
    site["archive"].freeze()
    receipts = [site.apply(), site.apply()]

    def archive_is_tried() -> bool:
        return "started" in {site.states(receipt)["archive"] for receipt in receipts}

    def mails_are_out() -> bool:
        return all(site.states(receipt)["mail_hr"] == "succeeded" for receipt in receipts)

    until(archive_is_tried, PATIENCE, "no worker began to archive")
    began = last_look(site)
    until(lambda: last_look(site) > began, PATIENCE, "the sweeper did not look again")
    site["archive"].thaw()
    until(mails_are_out, PATIENCE, "the mails did not leave")
    return receipts


def last_look(site: OwnServer) -> dt.datetime:
    (row,) = site.query("SELECT max(seen_at) AS at FROM careers_heartbeat WHERE kind = 'sweeper'")
    at: dt.datetime = row["at"]
    return at
