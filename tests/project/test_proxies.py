"""Who sent a request, and whose word counts for it."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from careersite.proxies import (
    came_through_our_proxy,
    is_from_this_machine,
    only_our_proxies_are_believed,
)


@pytest.fixture
def ours(settings: Any) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/30"), ip_network("2001:db8::/64")]


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


def test_proxy_of_ours_is_known_by_its_address(ours: None) -> None:
    assert came_through_our_proxy(received("10.0.0.1", x_forwarded_for="192.0.2.1"))
    assert not came_through_our_proxy(received("192.0.2.9", x_forwarded_for="10.0.0.1"))


@pytest.mark.parametrize("remote", ["127.0.0.1", "::1"])
def test_program_on_this_machine_is_known(remote: str) -> None:
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


def test_program_beside_our_proxy_is_still_known(settings: Any) -> None:
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1")]
    assert is_from_this_machine(received("127.0.0.1"))
    assert not is_from_this_machine(received("127.0.0.1", host="testserver"))


def test_it_comes_before_everything_that_asks() -> None:
    first = settings.MIDDLEWARE[0]
    assert first == "careersite.proxies.only_our_proxies_are_believed"
