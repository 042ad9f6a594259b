"""Processes that get SIGTERM finish or return their work in time."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.deployment import Deployment
from tests.support.processes import until
from tests.support.servers import HOST, reserve_port
from tests.support.speed import patient
from tests.support.stack import Stack, a_cv, multipart, sha256


class Posting:
    """Applicants who apply one after the other without a pause, through the proxy."""

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
        port = reserve_port()
        site.add("web-second", PORT=str(port))
        site.environ["DRAIN_SECONDS"] = "1"
        site.start("web", "web-second")
        site.start_proxy(port)
        yield site


@pytest.mark.timeout(600)
def test_rolling_restart_fails_no_request(two_webs: Deployment) -> None:
    """Each web process is restarted in turn while people apply: every applicant gets a receipt."""
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
            until(
                lambda before=before: len(posting.answers) > before + 3,
                60,
                "no application was sent",
            )
    finally:
        answers = posting.end()

    assert {status for _email, status in answers} == {303}, answers
    rows = site.query("SELECT email FROM careers_application WHERE email LIKE 'applicant-%%'")
    assert sorted(row["email"] for row in rows) == sorted(email for email, _status in answers)


def test_readiness_fails_before_the_listener_closes(one_site: Stack) -> None:
    """A load balancer learns of it in time, and no request that it still sends is refused."""
    one_site.environ["DRAIN_SECONDS"] = "300"
    one_site.start("web")
    one_site.form_address()
    assert one_site.get("/health/ready")[0] == 200
    one_site["web"].signal(signal.SIGTERM)
    # Two workers answer; both must have received the signal.
    for _times in range(4):
        until(lambda: one_site.get("/health/ready")[0] == 503, 60, "it never turned red")
    assert json.loads(one_site.get("/health/ready")[2]) == {"stopping": True}
    assert one_site.get("/health/live")[0] == 200
    assert one_site.apply().status == 303
    # An operator does not want to wait.
    one_site["web"].signal(signal.SIGINT)
    until(lambda: not one_site["web"].running, 60, "it did not end")


class SlowPost:
    """A client that has sent half of a form with a CV of ten megabytes."""

    def __init__(self, site: Stack, email: str) -> None:
        self.cv = a_cv("Ten megabytes", size=10_000_000)
        body, content_type = multipart({"name": "Ada", "email": email}, {"cv": ("CV.pdf", self.cv)})
        self._rest = body[len(body) // 2 :]
        self._connection = http.client.HTTPConnection(HOST, site.port, timeout=patient(120))
        self._connection.putrequest("POST", site.form_address())
        for name, value in {
            "Content-Type": content_type,
            "Content-Length": str(len(body)),
            "Origin": site.url,
        }.items():
            self._connection.putheader(name, value)
        self._connection.endheaders(body[: len(body) // 2])

    def finish(self) -> int:
        """Send the rest; returns the status of the answer."""
        with contextlib.closing(self._connection):
            self._connection.send(self._rest)
            answer = self._connection.getresponse()
            answer.read()
            return answer.status


def door_is_shut(site: Stack) -> bool:
    try:
        site.get("/health/live")
    except OSError:
        return True
    return False


def test_upload_during_a_restart_is_accepted_or_leaves_nothing(one_site: Stack) -> None:
    """The web process gets SIGTERM during an upload of ten megabytes."""
    one_site.start("web")
    arrives = SlowPost(one_site, "arrives@example.org")
    one_site["web"].signal(signal.SIGTERM)
    until(lambda: door_is_shut(one_site), 60, "new visitors are let in")
    assert arrives.finish() == 303
    until(lambda: not one_site["web"].running, 60, "it did not end")
    assert one_site["web"].returncode == 0
    (file,) = one_site.query(
        "SELECT f.size, f.sha256 FROM careers_applicationfile f"
        " JOIN careers_application a ON a.id = f.application_id WHERE a.email = %s",
        "arrives@example.org",
    )
    assert file == {"size": len(arrives.cv), "sha256": sha256(arrives.cv)}

    # A client that does not finish in time is disconnected.
    one_site.environ["GUNICORN_CMD_ARGS"] = "--graceful-timeout 1"
    one_site.start("web")
    before = one_site.query("SELECT count(*) AS n FROM careers_application")
    stalls = SlowPost(one_site, "stalls@example.org")
    one_site["web"].signal(signal.SIGTERM)
    until(lambda: not one_site["web"].running, 60, "it waits for a client that sends nothing")
    with pytest.raises(ConnectionError):
        stalls.finish()
    one_site.start("web")
    assert one_site.query("SELECT count(*) AS n FROM careers_application") == before
    assert one_site.query("SELECT id FROM careers_pendingupload") == []
