"""The site behind its proxy, as visitors meet it: Caddy with our Caddyfile, TLS, Flower."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import shutil
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import requests
from django.utils.crypto import salted_hmac

from tests.support.deployment import Deployment
from tests.support.processes import until
from tests.support.servers import HOST
from tests.support.speed import patient
from tests.support.stack import PLAIN_JOB, a_cv, multipart

CLAIMS = {
    "X-Forwarded-For": "127.0.0.1",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": "localhost",
    "X-Real-IP": "127.0.0.1",
    "Forwarded": "for=127.0.0.1",
}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    assert shutil.which("caddy", path=str(Path(sys.executable).parent))
    with Deployment(tmp_path_factory.mktemp("deployed")) as site:
        site.start("web", "cpu", "io", "sweeper", "flower")
        site.start_proxy()
        yield site


@pytest.fixture
def admin(deployed: Deployment) -> requests.Session:
    return deployed.logged_in("admin", "admin-of-tests")


def test_http_redirects_to_https_and_cookies_are_secure(deployed: Deployment) -> None:
    visitor = deployed.visitor()
    page = visitor.get(f"{deployed.address}/careers/")
    assert page.status_code == 200
    assert page.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    login = visitor.get(f"{deployed.address}/admin/login/")
    assert "; Secure" in login.headers["Set-Cookie"]
    # The browser refuses such a cookie from another host or without TLS.
    names = {cookie.name for cookie in visitor.cookies}
    assert names
    assert all(name.startswith("__Host-") for name in names)
    assert {(cookie.path, cookie.domain_specified) for cookie in visitor.cookies} == {("/", False)}
    plain = visitor.get(f"http://localhost:{deployed.http_port}/careers/", allow_redirects=False)
    assert plain.status_code == 308
    assert plain.headers["Location"].startswith("https://localhost")


def test_application_through_the_proxy_ends_with_all_steps_done(deployed: Deployment) -> None:
    status, location = deployed.post_form({"name": "Ada", "email": "ada@example.org"})
    assert status == 303
    receipt = deployed.visitor().get(f"{deployed.address}{location}")
    assert receipt.status_code == 200
    secret = location.rstrip("/").rpartition("/")[2]

    def done() -> bool:
        rows = deployed.query(
            "SELECT s.state FROM careers_step s JOIN careers_application a"
            " ON a.id = s.application_id WHERE a.receipt_secret = %s",
            secret,
        )
        return len(rows) == 4 and all(row["state"] == "succeeded" for row in rows)

    until(done, 60, "the application did not go through")
    (mail,) = deployed.smtp.mails(to="ada@example.org")
    assert f"{deployed.address}/received/{secret}/".encode() in mail.content.replace(b"=\r\n", b"")


def test_rate_limit_with_forged_headers_uses_the_real_address(deployed: Deployment) -> None:
    for sender in ("127.0.0.2", "127.0.0.3"):
        status, _ = deployed.post_form(
            {"name": "", "email": "x@example.org"}, sender=sender, X_Forwarded_For="198.51.100.9"
        )
        assert status == 422
    rows = deployed.query("SELECT network FROM careers_pendingupload ORDER BY id")
    expected = [
        salted_hmac(
            "careers.forms.network",
            f"{sender}/32",
            secret=deployed.environ["SECRET_KEY"],
            algorithm="sha256",
        ).hexdigest()
        for sender in ("127.0.0.2", "127.0.0.3")
    ]
    assert [row["network"] for row in rows] == expected


def test_every_answer_has_the_security_headers(
    deployed: Deployment, admin: requests.Session
) -> None:
    for path in ("/careers/", "/flower/", "/static/never.css", "/never-there/", "/flower"):
        answer = admin.get(f"{deployed.address}{path}", allow_redirects=False)
        for name in (
            "Cross-Origin-Opener-Policy",
            "Cross-Origin-Resource-Policy",
            "Permissions-Policy",
            "Referrer-Policy",
            "Strict-Transport-Security",
            "X-Content-Type-Options",
            "X-Frame-Options",
        ):
            assert name in answer.headers, (path, name)
            # A header that both the site and the proxy send would be joined.
            assert answer.headers[name].count("same-origin") <= 1, (path, name)
    assert (
        "frame-ancestors 'none'"
        in admin.get(f"{deployed.address}/flower/").headers["Content-Security-Policy"]
    )


@pytest.mark.parametrize("claims", [{}, CLAIMS])
def test_health_and_metrics_hide_details_from_visitors(
    deployed: Deployment, claims: dict[str, str]
) -> None:
    visitor = deployed.visitor()
    ready = visitor.get(f"{deployed.address}/health/ready", headers=claims)
    assert ready.json() == {"database": True}
    metrics = visitor.get(f"{deployed.address}/metrics", headers=claims)
    assert metrics.status_code == 404
    assert "careers_" not in metrics.text
    token = {"Authorization": "Bearer scraper"}
    metrics = visitor.get(f"{deployed.address}/metrics", headers={**claims, **token})
    assert "careers_applications" in metrics.text
    assert json.loads(deployed.get("/health/ready")[2])["applications"] >= 0


# ── Flower ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/flower/", "/flower/tasks", "/flower/api/workers"])
def test_flower_asks_for_the_wagtail_login(deployed: Deployment, path: str) -> None:
    for headers in ({}, {"Authorization": "Basic YWRtaW46YWRtaW4="}, CLAIMS):
        answer = deployed.visitor().get(
            f"{deployed.address}{path}", headers=headers, allow_redirects=False
        )
        assert answer.status_code == 302
        assert answer.headers["Location"] == f"/admin/login/?next={path}"
        assert "WWW-Authenticate" not in answer.headers


def test_admin_opens_flower_with_the_wagtail_login_alone(
    deployed: Deployment, admin: requests.Session
) -> None:
    page = admin.get(f"{deployed.address}/flower/")
    assert (page.status_code, page.url) == (200, f"{deployed.address}/flower/")
    assert "Flower" in page.text
    styles = re.search(r'href="(/flower/static/[^"]+\.css[^"]*)"', page.text)
    assert styles
    assert admin.get(f"{deployed.address}{styles[1]}").status_code == 200

    def sees_workers() -> bool:
        found = admin.get(f"{deployed.address}/flower/api/workers", params={"refresh": "1"}).json()
        return {name.partition("@")[0] for name in found} == {"cpu", "io"}

    until(sees_workers, 20, "Flower does not see the workers")
    assert admin.get(f"{deployed.address}/flower", allow_redirects=False).headers["Location"] == (
        "/flower/"
    )
    password = deployed.environ["FLOWER_PASSWORD"]
    assert "Authorization" not in page.headers
    assert password not in str(page.headers) + page.text


def test_proxy_passes_no_password_to_flower(deployed: Deployment, admin: requests.Session) -> None:
    """Everything below /flower/ goes to Flower, including the address of the login check."""
    answer = admin.get(f"{deployed.address}/flower/pass", headers=CLAIMS)
    assert answer.status_code == 404
    assert "Authorization" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/flower/metrics",
        "/flower/healthcheck",
        "/flower/metrics/",
        "/flower//metrics",
        "/flower/./healthcheck",
        "/flower/%6detrics",
        "/flower/METRICS",
        "/FLOWER/metrics",
    ],
)
def test_flower_page_without_login_shows_nothing(deployed: Deployment, path: str) -> None:
    context = ssl.create_default_context(cafile=str(deployed.certificate))
    connection = http.client.HTTPSConnection(
        "localhost", deployed.https_port, timeout=patient(30), context=context
    )
    with contextlib.closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
    assert answer.status in (301, 302, 404)
    assert "flower_" not in text
    assert "OK" not in text


def test_flower_behind_the_proxy_cannot_stop_tasks(
    deployed: Deployment, admin: requests.Session
) -> None:
    worker = next(iter(admin.get(f"{deployed.address}/flower/api/workers?refresh=1").json()))
    for act in (f"worker/shutdown/{worker}", "task/revoke/0123?terminate=true"):
        answer = admin.post(
            f"{deployed.address}/flower/api/{act}", headers={"Origin": deployed.address}
        )
        assert answer.status_code == 403, act


# ── Slow visitors ───────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def slow_visitors(site: Deployment, number: int) -> Iterator[Callable[[], None]]:
    """So many clients that have sent half of a large form; yields a function that sends a byte
    more.
    """
    fields = {"name": "Ada Slow", "email": "slow@example.org"}
    files = {"cv": ("CV.pdf", a_cv("Slow", size=36_000_000))}
    body, content_type = multipart(fields, files)
    head = (
        f"POST {site.form_address(PLAIN_JOB)} HTTP/1.1\r\nHost: localhost:{site.https_port}\r\n"
        f"Origin: {site.address}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    context = ssl.create_default_context(cafile=str(site.certificate))
    with contextlib.ExitStack() as all_of_them:
        telephones = []
        for _ in range(number):
            plain = all_of_them.enter_context(
                socket.create_connection(("localhost", site.https_port), 60)
            )
            line = all_of_them.enter_context(
                context.wrap_socket(plain, server_hostname="localhost")
            )
            line.sendall(head.encode() + body[: len(body) // 2])
            telephones.append(line)

        def send_a_byte() -> None:
            for telephone in telephones:
                telephone.sendall(b"0")

        yield send_a_byte


def test_slow_clients_do_not_block_other_visitors(deployed: Deployment) -> None:
    """More clients than the site has threads send the largest allowed form, byte by byte.

    The proxy buffers what they sent. Others apply at the same time, and an unfinished form leaves
    nothing behind.
    """
    with slow_visitors(deployed, 2 * 16 + 1) as send_a_byte:
        for number in range(2):
            send_a_byte()
            status, _location = deployed.post_form(
                {"name": "Ada Quick", "email": f"quick-{number}@example.org"}
            )
            assert status == 303
    assert deployed.visitor().get(f"{deployed.address}/careers/").status_code == 200
    rows = deployed.query("SELECT id FROM careers_application WHERE email = 'slow@example.org'")
    assert rows == []


# ── While the site does not run ───────────────────────────────────────────────────────────


class Back(BaseHTTPRequestHandler):
    """Answers at the site's port as soon as it listens again."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"back again")

    def log_message(self, *args: object) -> None:
        """Write no log."""


def test_request_during_a_restart_waits_and_succeeds(deployed: Deployment) -> None:
    deployed["web"].stop()
    try:
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(deployed.visitor().get, f"{deployed.address}/careers/")
            until(asked.running, 10, "no request was sent")
            with HTTPServer((HOST, deployed.port), Back) as server:
                server.timeout = 30
                server.handle_request()
            assert (asked.result(10).status_code, asked.result(10).text) == (200, "back again")
    finally:
        deployed.start("web")


def test_proxy_log_contains_no_page_address(deployed: Deployment, admin: requests.Session) -> None:
    """The proxy logs every failure to reach a server behind it."""
    deployed["flower"].kill()
    canary = "canary-of-a-receipt"
    try:
        answer = admin.get(f"{deployed.address}/flower/{canary}", params={"also": canary})
        assert answer.status_code == 502
    finally:
        deployed.start("flower")
    log = (deployed.var / "log" / "proxy.log").read_text()
    assert '"status":502' in log
    assert canary not in log
    assert "remote_ip" not in log
