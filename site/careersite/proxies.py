"""Who sent a request, when proxies stand between us and the visitor.

A header is worth what its sender is worth: anybody can write ``X-Forwarded-For``. So only what
our own proxies (``TRUSTED_PROXIES``) say is believed, at one place, and everything behind it
reads ``REMOTE_ADDR`` and ``request.is_secure()``.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.http.response import HttpResponseBase

from careers.operations.heartbeat import beat
from careers.pipeline.models import Heartbeat

log = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]

#: In ``request.META``: the address of our proxy that a request came through.
PROXY = "careersite.proxy"

_silent_until: dict[str, float] = {}


def only_our_proxies_are_believed(get_response: GetResponse) -> GetResponse:
    """Middleware: ``REMOTE_ADDR`` becomes the visitor's, as far as our own proxies vouch for it.

    The visitor is the last hop that is no proxy of ours. From anybody else
    ``X-Forwarded-Proto`` counts for nothing.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        meta = request.META
        address = meta.get("REMOTE_ADDR", "")
        if fault := _fault(request):
            _report(fault, address)
        if _is_ours(address):
            meta[PROXY] = address
            named = meta.get("HTTP_X_FORWARDED_FOR", "").split(",")
            hops = [hop.strip() for hop in named if hop.strip()]
            while _is_ours(address) and hops:
                address = hops.pop()
            meta["REMOTE_ADDR"] = address
        elif "HTTP_X_FORWARDED_PROTO" in meta:
            meta["HTTP_X_FORWARDED_PROTO"] = ""
        return get_response(request)

    return middleware


def came_through_our_proxy(request: HttpRequest) -> bool:
    """Whether one of ``TRUSTED_PROXIES`` handed the request to us."""
    return PROXY in request.META


def is_from_this_machine(request: HttpRequest) -> bool:
    """Whether a program on this machine asks for itself, not for a visitor.

    A proxy here has the same address, but it names a visitor, itself, or the site's public host.
    """
    headers = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "Via")
    return (
        request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1")
        and split_domain_port(request.META.get("HTTP_HOST", ""))[0] in ("127.0.0.1", "localhost")
        and not any(name in request.headers for name in headers)
    )


def _fault(request: HttpRequest) -> str:
    """What is wrong between visitors and us, before anything of it is put right; "" if nothing."""
    names = request.META.keys()
    speaks = "HTTP_X_FORWARDED_FOR" in names, "HTTP_X_FORWARDED_PROTO" in names
    if request.path.startswith(("/health/", "/metrics")):
        # Whoever watches us asks for itself.
        return ""
    if is_from_this_machine(request) and _is_local(settings.SITE_URL):
        return ""
    address = request.META.get("REMOTE_ADDR", "")
    if not _is_ours(address):
        # We speak no TLS ourselves. Without it, anybody may claim to be a proxy; one of our own
        # has an address of our own network.
        claims = any(speaks) and _is_private(address)
        return "unknown" if settings.SECURE or claims else ""
    if not speaks[0]:
        return "no-address"
    return "no-scheme" if settings.SECURE and not speaks[1] else ""


def _report(fault: str, address: str) -> None:
    """Leave word for health, at most once a minute from each process."""
    now = time.monotonic()
    if now < _silent_until.get(fault, 0):
        return
    _silent_until[fault] = now + 60
    # A public address may be a visitor's own.
    known = address if _is_ours(address) or _is_private(address) else ""
    log.warning("proxy-%s: %s; see “Deploy” in docs/operations.md", fault, known or "a public one")
    facts = {"proxy": fault, "address": known}
    beat(Heartbeat.Kind.WEB, f"{socket.gethostname()}:{fault}"[:120], facts=facts)


def _is_local(url: str) -> bool:
    """Whether visitors are on this machine themselves: else a proxy has hidden where they are."""
    return urlsplit(url).hostname in ("127.0.0.1", "localhost")


def _is_private(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_private
    except ValueError:
        return False


def _is_ours(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    # A server that listens on IPv6 sees IPv4 addresses inside ::ffff:0:0/96.
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return any(ip in network for network in settings.TRUSTED_PROXIES)
