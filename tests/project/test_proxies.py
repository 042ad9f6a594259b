"""The visitor's address behind proxies, and the reports about a proxy that hides it."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from careers.operations.models import Finding
from careersite import proxies
from careersite.proxies import (
    came_through_our_proxy,
    is_from_this_machine,
    only_our_proxies_are_believed,
)

REPORT = proxies._report


@pytest.fixture
def ours(settings: Any) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/30"), ip_network("2001:db8::/64")]


@pytest.fixture(autouse=True)
def reported(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What the middleware reports."""
    found: list[tuple[str, str]] = []
    monkeypatch.setattr(proxies, "_report", lambda *what: found.append(what))
    return found


def received(remote: str, **headers: str) -> HttpRequest:
    """A request as the views see it."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    sent.setdefault("host", "localhost:8000")
    request: HttpRequest = RequestFactory().post("/", REMOTE_ADDR=remote, headers=sent)
    only_our_proxies_are_believed(lambda _request: HttpResponse())(request)
    return request


@pytest.mark.parametrize(
    ("remote", "forwarded", "expected"),
    [
        ("192.0.2.9", "", "192.0.2.9"),
        ("192.0.2.9", "198.51.100.7", "192.0.2.9"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "127.0.0.1, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", " , ", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
        ("10.0.0.4", "198.51.100.7", "10.0.0.4"),
        ("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("2001:db8::5", "2001:db8:1::7", "2001:db8:1::7"),
        ("10.0.0.1", "not an address", "not an address"),
        ("", "198.51.100.7", ""),
    ],
)
def test_visitor_is_the_last_hop_that_is_not_ours(
    ours: None, remote: str, forwarded: str, expected: str
) -> None:
    headers = {"x_forwarded_for": forwarded} if forwarded else {}
    assert received(remote, **headers).META["REMOTE_ADDR"] == expected


@pytest.mark.parametrize(
    ("remote", "proto", "secure"),
    [
        ("10.0.0.1", "https", True),
        ("10.0.0.1", "http", False),
        ("192.0.2.9", "https", False),
        ("127.0.0.1", "https", False),
    ],
)
def test_only_our_proxy_says_that_tls_was_spoken(
    ours: None, remote: str, proto: str, secure: bool
) -> None:
    assert received(remote, x_forwarded_proto=proto).is_secure() is secure


def test_request_through_our_proxy_is_recognised(ours: None) -> None:
    assert came_through_our_proxy(received("10.0.0.1", x_forwarded_for="192.0.2.1"))
    assert not came_through_our_proxy(received("192.0.2.9", x_forwarded_for="10.0.0.1"))


@pytest.mark.parametrize("remote", ["127.0.0.1", "::1"])
def test_program_on_this_machine_is_recognised(remote: str) -> None:
    assert is_from_this_machine(received(remote))


@pytest.mark.parametrize(
    ("remote", "headers"),
    [
        ("192.0.2.1", {}),
        ("127.0.0.1", {"x_forwarded_for": "192.0.2.1"}),
        ("127.0.0.1", {"x_forwarded_proto": "https"}),
        ("127.0.0.1", {"forwarded": "for=192.0.2.1"}),
        ("127.0.0.1", {"via": "1.1 Caddy"}),
        ("127.0.0.1", {"host": "testserver"}),
        ("192.0.2.1", {"x_forwarded_for": "127.0.0.1"}),
        ("10.0.0.1", {"x_forwarded_for": "127.0.0.1"}),
    ],
)
def test_visitor_is_never_taken_for_this_machine(
    ours: None, remote: str, headers: dict[str, str]
) -> None:
    assert not is_from_this_machine(received(remote, **headers))


def test_program_beside_our_proxy_is_recognised(settings: Any) -> None:
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1")]
    assert is_from_this_machine(received("127.0.0.1"))
    assert not is_from_this_machine(received("127.0.0.1", host="testserver"))


# ── Reports about a proxy ──────────────────────────────────────────────────────────


BOTH = {"x_forwarded_for": "192.0.2.1", "x_forwarded_proto": "https"}


@pytest.mark.parametrize(
    ("remote", "headers", "expected"),
    [
        ("10.0.0.1", BOTH, []),
        ("10.0.0.1", {"x_forwarded_for": "192.0.2.1"}, ["no-scheme"]),
        ("10.0.0.1", {"x_forwarded_proto": "https"}, ["no-address"]),
        ("10.0.0.1", {}, ["no-address"]),
        ("10.0.0.9", BOTH, ["unknown"]),
        ("10.0.0.9", {}, ["unknown"]),
        ("127.0.0.1", BOTH, ["unknown"]),
        ("127.0.0.1", {}, []),
    ],
)
def test_proxy_that_is_not_trusted_or_not_complete_is_reported(
    ours: None,
    reported: list[tuple[str, str]],
    remote: str,
    headers: dict[str, str],
    expected: list[str],
    settings: Any,
) -> None:
    settings.SECURE = True
    received(remote, **headers)
    assert reported == [(fault, remote) for fault in expected]


def test_without_tls_only_a_proxy_of_a_private_network_is_reported(
    ours: None, reported: list[tuple[str, str]], settings: Any
) -> None:
    assert settings.SECURE is False
    received("10.0.0.1", x_forwarded_for="192.0.2.1")
    received("8.8.8.8", **BOTH)
    received("10.0.0.9", host="testserver")
    assert reported == []
    received("10.0.0.9", **BOTH)
    assert reported == [("unknown", "10.0.0.9")]


def test_proxy_without_headers_is_not_taken_for_this_machine(
    ours: None, reported: list[tuple[str, str]], settings: Any
) -> None:
    """As nginx does with a bare ``proxy_pass``."""
    settings.SECURE = True
    settings.SITE_URL = "https://careers.example.com"
    received("127.0.0.1", host="127.0.0.1:8000")
    assert reported == [("unknown", "127.0.0.1")]


def test_monitor_is_not_reported_as_a_proxy(
    ours: None, reported: list[tuple[str, str]], settings: Any
) -> None:
    settings.SECURE = True
    for path in ("/health/live", "/health/ready", "/metrics"):
        request = RequestFactory().get(path, REMOTE_ADDR="10.0.0.9")
        only_our_proxies_are_believed(lambda _request: HttpResponse())(request)
    assert reported == []


@pytest.mark.django_db
def test_report_is_written_once_a_minute_and_names_no_visitor(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(proxies, "_silent_until", {})
    for address in ("8.8.8.8", "10.0.0.9"):
        REPORT("unknown", address)
    REPORT("no-scheme", "10.0.0.1")
    rows = {row.code: row.facts["address"] for row in Finding.objects.all()}
    assert rows == {"proxy-unknown": "", "proxy-no-scheme": "10.0.0.1"}
    assert "8.8.8.8" not in caplog.text


def test_proxy_middleware_comes_first() -> None:
    first = settings.MIDDLEWARE[0]
    assert first == "careersite.proxies.only_our_proxies_are_believed"


@pytest.mark.django_db(transaction=True)
def test_report_without_database_does_not_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(execute: Any, sql: str, *args: Any) -> Any:
        raise OperationalError("gone")

    monkeypatch.setattr(proxies, "_silent_until", {})
    with connection.execute_wrapper(broken):
        REPORT("unknown", "10.0.0.9")
    assert Finding.objects.count() == 0
