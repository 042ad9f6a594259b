"""A worker that takes no messages ends by itself, and the next one does the work."""

from __future__ import annotations

import os

import pytest

from tests.support.databases import ON_SQLITE
from tests.support.processes import until
from tests.support.stack import DONE, Stack


@ON_SQLITE
@pytest.mark.parametrize("how", ["hangs", "cancelled"])
def test_worker_that_takes_no_messages_ends_and_its_successor_does_the_work(
    site: Stack, how: str
) -> None:
    order = site.var / "stall"
    # The sweeper would take the messages back and send others.
    site.stop("sweeper")
    site["io"].kill()
    site.environ["STALL_FILE"] = str(order)
    site.celery_app = "tests.support.stalled_worker"
    try:
        site.start("io")
    finally:
        site.celery_app = "careersite"
    order.write_text(how)
    until(lambda: not order.exists(), 60, "the worker did not stall")

    receipt = site.apply()
    until(lambda: not site["io"].running, 120, "the worker did not end")
    assert site["io"].returncode == os.EX_SOFTWARE
    assert site.step(receipt, "mail_applicant")["state"] == "sent"

    site.start("io", "sweeper")
    site.wait_for_end([receipt])
    assert site.states(receipt) == DONE
    assert len(site.smtp.mails(to=receipt.email)) == 1


@ON_SQLITE
def test_worker_that_the_broker_refuses_keeps_trying(site: Stack) -> None:
    """The outage is longer than the watchdog waits, but the worker can see no waiting message."""
    site["io"].kill()
    site.environ["STALL_FILE"] = str(site.var / "stall")
    site.celery_app = "tests.support.stalled_worker"
    try:
        site.start("io")
    finally:
        site.celery_app = "careersite"
    pid = site["io"].pid
    redis = site.redis()
    redis.config_set("requirepass", "another")
    # A client that is connected stays connected.
    redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    try:
        receipt = site.apply()
        assert receipt.status == 303
        until(lambda: "Trying again in 6" in site.log_text(), 60, "the worker did not try again")
    finally:
        redis.config_set("requirepass", site.broker_password)
    site.wait_for_end([receipt])
    assert site.states(receipt) == DONE
    assert (site["io"].running, site["io"].pid) == (True, pid)
