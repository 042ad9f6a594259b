"""Flower shows the same states as the rows, and cannot change them."""

from __future__ import annotations

import datetime as dt
import os
import re
import signal
from base64 import b64encode
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from flower import urls

from careers.pipeline.states import CELERY_WORDS, State
from tests.support import speed
from tests.support.databases import ON_SQLITE
from tests.support.processes import Process, until
from tests.support.servers import HOST, reserve_port
from tests.support.stack import ROOT, Receipt, Stack

#: Seconds by which the clocks of a worker and of the database may differ for one event,
#: including the time between the message and the claim.
TOLERANCE = 5.0


class Flower:
    """Flower's API, as an administrator who has signed in to the site sees it."""

    def __init__(self, site: Stack, port: int | None = None) -> None:
        site.start("web")
        self._browser = site.logged_in("admin", site.environ["ADMIN_PASSWORD"])
        self._api = f"http://{HOST}:{port or site.flower_port}/flower/api"

    def ask(self, path: str, method: str = "GET") -> Any:
        """The answer to a request; None when it fails."""
        answer = self._browser.request(method, f"{self._api}/{path}", timeout=speed.patient(30))
        return answer.json() if answer.status_code == 200 else None

    def state(self, task_id: str) -> str:
        return (self.ask(f"task/info/{task_id}") or {}).get("state", "unknown")


@pytest.fixture
def patient(site: Stack) -> Stack:
    """A site on which a step to be retried stays in that state for the length of a test."""
    site.environ["PIPELINE_BACKOFF_BASE"] = "600"
    for name in ("io", "flower"):
        if name in site.parts:
            site[name].kill()
    site.start("io", "flower")
    flower = Flower(site)

    def knows_the_workers() -> bool:
        return len(flower.ask("workers?refresh=1") or {}) >= 2

    # Flower sees only the events that are sent while it listens.
    until(knows_the_workers, 20, "Flower does not see the workers")
    return site


@ON_SQLITE
def test_every_page_of_flower_needs_a_session(site: Stack) -> None:
    """Its password, which is for the proxy, is no way around the second factor."""
    site.start("flower")
    password = b64encode(f"admin:{site.environ['FLOWER_PASSWORD']}".encode()).decode()
    paths = {pattern_of(handler) for handler in urls.handlers} - {"/static/x"}
    assert {"/metrics", "/healthcheck", "/", "/api/workers"} <= paths
    for path in sorted(paths):
        for method in ("GET", "POST", "OPTIONS"):
            for headers in ({}, {"Authorization": f"Basic {password}"}):
                connection = HTTPConnection(HOST, site.flower_port, timeout=speed.patient(30))
                connection.request(method, f"/flower{path}", headers=headers)
                answer = connection.getresponse()
                text = answer.read().decode()
                connection.close()
                assert answer.status == 401, (method, path)
                assert text in ("", "Access denied"), (method, path)


def pattern_of(handler: Any) -> str:
    """An address that fits the pattern of one of Flower's handlers."""
    pattern = handler[0] if isinstance(handler, tuple) else handler.regex.pattern
    return re.sub(r"\(?\.[*+]\)?", "x", pattern.rstrip("$").removesuffix("/?")).replace("^", "")


@ON_SQLITE
def test_flower_shows_each_task_in_the_state_of_its_step(patient: Stack) -> None:
    flower = Flower(patient)
    fine = patient.apply_many(3, at_once=3)
    patient.wait_for_end(fine)
    ends: dict[str, Receipt] = {}
    for mode in ("rcpt_550", "rcpt_450", "close_after_dot"):
        patient.smtp.mode = mode
        receipt = ends[mode] = patient.apply()
        until(lambda receipt=receipt: settled(patient, receipt), 30, f"{mode} did not show")
    patient.smtp.mode = "ok"
    rows = [row for one in (*fine, *ends.values()) for row in patient.steps(one)]
    assert {row["state"] for row in rows} >= {"succeeded", "failed", "retrying", "uncertain"}

    for row in rows:
        known: dict[str, Any] = {}

        def told(row: Any = row, known: dict[str, Any] = known) -> bool:
            known.update(flower.ask(f"task/info/{row['celery_task_id']}") or {})
            return known.get("state") == CELERY_WORDS[State(row["state"])]

        until(told, 15, f"{row['kind']} is {row['state']}")
        assert known["name"] == f"careers.{row['kind']}"
        assert known["kwargs"] == f"{{'step_id': {row['id']}}}"
        assert abs(known["started"] - seconds(row["started_at"])) < TOLERANCE
        ended = row["ended_at"] or row["state_since"]
        assert abs(known["timestamp"] - seconds(ended)) < TOLERANCE
    listed = flower.ask("tasks?limit=1000")
    assert {row["celery_task_id"] for row in rows} <= listed.keys()


def settled(site: Stack, receipt: Receipt) -> bool:
    """Whether every mail has failed in some way, and every other step has succeeded."""
    return all(
        row["error_class"] if row["kind"].startswith("mail_") else row["state"] == "succeeded"
        for row in site.steps(receipt)
    )


def seconds(moment: Any) -> float:
    if isinstance(moment, str):
        moment = dt.datetime.fromisoformat(moment)
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()


# ── Revoking ────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def powerful(site: Stack, tmp_path: Path) -> Iterator[Flower]:
    """A Flower without our restrictions."""
    site.start("cpu")
    port = reserve_port()
    conf = tmp_path / "flowerconfig.py"
    conf.write_text(f"from careersite.flowerconfig import address, url_prefix\nport = {port}\n")
    process = Process(
        "powerful-flower",
        ["celery", "-A", "careersite", "flower", f"--conf={conf}"],
        environ=site.environ,
        log=site.var / "log" / "powerful-flower.log",
        cwd=ROOT,
    )
    process.start()
    flower = Flower(site, port)

    def sees_the_workers() -> bool:
        try:
            return len(flower.ask("workers?refresh=1") or {}) >= 2
        except OSError:
            return False

    process.until(sees_the_workers, 30, "Flower does not see the workers")
    yield flower
    process.kill()


def dispatches(site: Stack, receipt: Receipt) -> list[dict[str, Any]]:
    return site.query(
        "SELECT e.* FROM careers_stepevent e JOIN careers_step s ON s.id = e.step_id"
        " JOIN careers_application a ON a.id = s.application_id"
        " WHERE a.receipt_secret = %s AND s.kind = 'render_pdf' AND e.to_state = 'sent'"
        " ORDER BY e.id",
        receipt.secret,
    )


@ON_SQLITE
def test_revoke_in_flower_does_not_cancel_the_step(site: Stack, powerful: Flower) -> None:
    (child,) = site["cpu"].children()
    (worker,) = [name for name in powerful.ask("workers") if name.startswith("cpu@")]
    # The main process of the worker listens while its only child is idle.
    os.kill(child, signal.SIGSTOP)
    try:
        first = site.apply()
        until(lambda: site.step(first, "render_pdf")["celery_task_id"], 10, "it was not dispatched")
        second = site.apply()
        task_id = site.step(second, "render_pdf")["celery_task_id"]
        assert site.step(second, "render_pdf")["state"] == "sent"
        assert powerful.ask(f"task/revoke/{task_id}", "POST")

        def heard() -> bool:
            told = powerful.ask(f"workers?refresh=1&workername={worker}") or {}
            return task_id in told.get(worker, {}).get("revoked", [])

        until(heard, 15, "no worker heard of it")
    finally:
        os.kill(child, signal.SIGCONT)
    until(lambda: powerful.state(task_id) == "REVOKED", 20, "Celery did not revoke the task")
    site.wait_for_end([first, second])
    for receipt in (first, second):
        assert set(site.states(receipt).values()) == {"succeeded"}
    step = site.step(second, "render_pdf")
    assert step["celery_task_id"] != task_id
    assert powerful.state(step["celery_task_id"]) == "SUCCESS"
    by_whom = [event["actor"] for event in dispatches(site, second)]
    assert (by_whom[0], set(by_whom[1:])) == ("intake", {"sweeper"})
