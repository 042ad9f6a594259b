"""The broker only carries messages: a frozen broker and forged or repeated messages change
nothing.

``tests/faults/test_redis.py`` tests a broker that loses its data, is full or is down.
"""

from __future__ import annotations

import json
import uuid
from base64 import b64encode
from typing import Any

import pytest

from tests.support.databases import ON_POSTGRESQL, ON_SQLITE
from tests.support.messages import celery_client, drained
from tests.support.processes import until
from tests.support.stack import DONE, Stack


def raw_message(body: bytes, content_type: str, task: str = "careers.render_pdf") -> str:
    """A message as kombu stores it in a Redis list."""
    properties = {
        "correlation_id": str(uuid.uuid4()),
        "delivery_mode": 2,
        "delivery_info": {"exchange": "", "routing_key": "io"},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": str(uuid.uuid4()),
    }
    headers = {"lang": "py", "task": task, "id": str(uuid.uuid4()), "root_id": None}
    return json.dumps(
        {
            "body": b64encode(body).decode(),
            "content-encoding": "utf-8",
            "content-type": content_type,
            "headers": headers,
            "properties": properties,
        }
    )


@ON_SQLITE
def test_applicant_gets_receipt_at_once_while_broker_is_frozen(site: Stack) -> None:
    """Every applicant gets a receipt while the broker is frozen; then all steps are done."""
    site.form_address()
    site["broker"].freeze()
    receipts = [site.apply() for _number in range(5)]
    site["broker"].thaw()

    assert {receipt.status for receipt in receipts} == {303}
    site.wait_for_end(receipts)
    assert all(site.states(receipt) == DONE for receipt in receipts)
    assert site.smtp.doubles() == []


@ON_POSTGRESQL
def test_repeated_messages_run_no_step_again(site: Stack) -> None:
    receipt = site.apply()
    site.wait_for_end([receipt])
    before, mails = site.steps(receipt), len(site.smtp.mails())

    app = celery_client(site)
    for step in before:
        for _time in range(10):
            queue = "cpu" if step["kind"] == "render_pdf" else "io"
            app.send_task(f"careers.{step['kind']}", kwargs={"step_id": step["id"]}, queue=queue)
    until(lambda: drained(site), 120, "the messages were not taken")

    assert site.steps(receipt) == before
    assert len(site.smtp.mails()) == mails


@ON_POSTGRESQL
def test_messages_in_wrong_order_run_no_step_early(site: Stack) -> None:
    """A message does not run a step whose predecessor has not ended."""
    site.stop("cpu", "sweeper")
    receipt = site.apply()
    until(lambda: site.states(receipt)["mail_applicant"] == "succeeded", 120, "no receipt")
    app = celery_client(site)
    for kind in ("mail_hr", "archive"):
        for _time in range(5):
            step = site.step(receipt, kind)
            app.send_task(f"careers.{kind}", kwargs={"step_id": step["id"]}, queue="io")
    until(lambda: not site.redis().exists("careers:io"), 120, "the messages were not taken")
    assert site.states(receipt)["mail_hr"] == site.states(receipt)["archive"] == "waiting"

    site.start("cpu", "sweeper")
    site.wait_for_end([receipt])
    assert site.states(receipt) == DONE
    assert {step["attempts"] for step in site.steps(receipt)} == {1}


def forged(step_id: Any, task: str = "careers.mail_hr", **more: Any) -> dict[str, Any]:
    return {"name": task, "kwargs": {"step_id": step_id, **more}, "queue": "io"}


@ON_SQLITE
@pytest.mark.parametrize(
    "message",
    [
        pytest.param(forged(2**40), id="unknown step"),
        pytest.param(forged(-1), id="negative"),
        pytest.param(forged(10**30), id="larger than a column"),
        pytest.param(forged("1 OR 1=1"), id="text"),
        pytest.param(forged(["x"]), id="list"),
        pytest.param(forged(None), id="null"),
        pytest.param({"name": "careers.mail_hr", "queue": "io"}, id="nothing"),
        pytest.param({"name": "careers.mail_hr", "args": [1], "queue": "io"}, id="positional"),
        pytest.param(forged(1, task="os.system"), id="unknown task"),
        pytest.param(forged(2**40, junk="x" * 1_000_000), id="a megabyte"),
    ],
)
def test_forged_message_stops_no_worker(site: Stack, message: dict[str, Any]) -> None:
    pids = (site["io"].pid, site["io"].children())
    before = site.query("SELECT id, state, token FROM careers_step ORDER BY id")
    celery_client(site).send_task(**message)
    until(lambda: drained(site), 120, "the message was not taken")
    assert site.query("SELECT id, state, token FROM careers_step ORDER BY id") == before
    assert (site["io"].pid, site["io"].children()) == pids


@ON_SQLITE
def test_message_of_another_task_runs_no_step(site: Stack) -> None:
    """A worker for ``io`` must not render, and a mail task must not archive."""
    site.stop("cpu", "sweeper")
    receipt = site.apply()
    step = site.step(receipt, "render_pdf")
    celery_client(site).send_task(**forged(step["id"], task="careers.archive"))
    until(lambda: not site.redis().exists("careers:io"), 120, "the message was not taken")
    until(lambda: site.states(receipt)["mail_applicant"] == "succeeded", 120, "no receipt")
    assert site.step(receipt, "render_pdf")["attempts"] == 0
    site.start("cpu", "sweeper")
    site.wait_for_end([receipt])


@ON_SQLITE
def test_pickled_and_malformed_messages_are_rejected(site: Stack) -> None:
    """The worker processes the next application after a message that it cannot read."""
    mark = site.var / "pickled"
    pickle = b"cposix\nsystem\n(S'touch %s'\ntR." % str(mark).encode()
    redis = site.redis()
    for content_type in ("application/x-python-serialize", "application/json", "text/x"):
        redis.lpush("careers:io", raw_message(pickle, content_type))
    receipt = site.apply()
    site.wait_for_end([receipt])
    assert site.states(receipt) == DONE
    assert not mark.exists()
    assert site["io"].running
