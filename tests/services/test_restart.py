"""Processes that are told to stop: each finishes or hands back what it holds, in time."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.processes import until
from tests.servers import free_port
from tests.services.test_proxy import Deployment
from tests.stack import Stack


class Posting:
    """Applicants who apply without a pause, one behind the other, through the proxy."""

    def __init__(self, site: Deployment, applicants: int) -> None:
        self.site = site
        self.answers: list[tuple[str, int]] = []
        self._done = threading.Event()
        self._pool = ThreadPoolExecutor(applicants)
        self._applicants = [self._pool.submit(self._apply, n) for n in range(applicants)]

    def _apply(self, applicant: int) -> None:
        number = 0
        while not self._done.is_set():
            number += 1
            email = f"applicant-{applicant}-{number}@example.org"
            try:
                status, _location = self.site.post_form({"name": "Ada", "email": email})
            except OSError as error:
                self.answers.append((f"{email}: {error!r}", 0))
            else:
                self.answers.append((email, status))

    def end(self) -> list[tuple[str, int]]:
        self._done.set()
        for applicant in self._applicants:
            applicant.result(120)
        return self.answers


@pytest.fixture
def two_webs(tmp_path: Path) -> Iterator[Deployment]:
    """Two web processes behind Caddy."""
    with Deployment(tmp_path) as site:
        port = free_port()
        site.add("web-second", PORT=str(port))
        site.environ["DRAIN_SECONDS"] = "1"
        site.start("web", "web-second")
        site.start_proxy(port)
        yield site


@pytest.mark.timeout(600)
def test_rolling_restart_fails_no_request(two_webs: Deployment) -> None:
    """One web process after the other is restarted while people apply: each gets a receipt."""
    site = two_webs
    site.form_address()
    posting = Posting(site, 3)
    try:
        for name in ("web", "web-second"):
            before = len(posting.answers)
            site[name].signal(signal.SIGTERM)
            until(lambda name=name: not site[name].running, 60, f"{name} did not end")
            assert site[name].returncode == 0
            site.start(name)
            assert site.get("/health/ready", port=int(site[name].environ["PORT"]))[0] == 200
            until(lambda before=before: len(posting.answers) > before + 3, 60, "nobody applied")
    finally:
        answers = posting.end()

    assert {status for _email, status in answers} == {303}, answers
    rows = site.query("SELECT email FROM careers_application WHERE email LIKE 'applicant-%%'")
    assert sorted(row["email"] for row in rows) == sorted(email for email, _status in answers)


def test_readiness_is_red_before_the_door_is_shut(one_site: Stack) -> None:
    """A load balancer hears of it in time, and nobody whom it sends meanwhile is refused."""
    one_site.environ["DRAIN_SECONDS"] = "300"
    one_site.start("web")
    one_site.form_address()
    assert one_site.get("/health/ready")[0] == 200
    one_site["web"].signal(signal.SIGTERM)
    # Two workers answer; both have heard.
    for _times in range(4):
        until(lambda: one_site.get("/health/ready")[0] == 503, 60, "it never turned red")
    assert json.loads(one_site.get("/health/ready")[2]) == {"stopping": True}
    assert one_site.get("/health/live")[0] == 200
    assert one_site.apply().status == 303
    # Somebody is in a hurry.
    one_site["web"].signal(signal.SIGINT)
    until(lambda: not one_site["web"].running, 60, "it did not end")
