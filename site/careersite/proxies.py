"""Find the visitor's address and scheme behind proxies, and report a proxy that hides them.

Anybody can send ``X-Forwarded-For``. Only ``TRUSTED_PROXIES`` are believed, in this one place;
all other code reads ``REMOTE_ADDR`` and ``request.is_secure()``.

The reports are for the operator who deploys behind a proxy that is not trusted or not complete:
without them all visitors share one upload limit and one rate of applications, and real applicants
are quarantined with no hint why.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.http.response import HttpResponseBase

from careers.operations import findings
from careers.operations.models import Finding, Severity

log = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]

#: In ``request.META``: the address of our proxy that a request came through.
PROXY = "careersite.proxy"

_silent_until: dict[str, float] = {}


def only_our_proxies_are_believed(get_response: GetResponse) -> GetResponse:
    """Middleware: set ``REMOTE_ADDR`` to the visitor's address, as our own proxies report it.

    The visitor is the last hop that is not one of our proxies. ``X-Forwarded-Proto`` is ignored
    unless one of our proxies sent it.
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


def scheme_of(environ: Mapping[str, Any]) -> str:
    """The scheme that a visitor used: what ``request.scheme`` is once the middleware has run."""
    named = environ.get("HTTP_X_FORWARDED_PROTO")
    if named is None:
        return str(environ.get("wsgi.url_scheme", "http"))
    is_secure = _is_ours(environ.get("REMOTE_ADDR", "")) and named.split(",")[0].strip() == "https"
    return "https" if is_secure else "http"


def came_through_our_proxy(request: HttpRequest) -> bool:
    """Whether the request came to us from one of ``TRUSTED_PROXIES``."""
    return PROXY in request.META


def is_from_this_machine(request: HttpRequest) -> bool:
    """Whether a program on this machine sent the request itself, and not on behalf of a visitor.

    A proxy on this machine has the same address, but it sends a visitor's address, its own name, or
    the site's public host.
    """
    headers = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "Via")
    return (
        request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1")
        and split_domain_port(request.META.get("HTTP_HOST", ""))[0] in ("127.0.0.1", "localhost")
        and not any(name in request.headers for name in headers)
    )


def _fault(request: HttpRequest) -> str:
    """What is wrong with the proxy that sent this request; "" if nothing.

    To be called while the request still has the headers that were sent.
    """
    names = request.META.keys()
    sends = "HTTP_X_FORWARDED_FOR" in names, "HTTP_X_FORWARDED_PROTO" in names
    if request.path.startswith(("/health/", "/metrics")):
        # Monitors send these requests themselves.
        return ""
    if is_from_this_machine(request) and _is_local(settings.SITE_URL):
        return ""
    address = request.META.get("REMOTE_ADDR", "")
    if not _is_ours(address):
        # The site itself serves no TLS, so with TLS there is always a proxy. Without TLS, anybody
        # can send these headers; a proxy of ours has an address of a private network.
        claims = any(sends) and _is_private(address)
        return "unknown" if settings.SECURE or claims else ""
    if not sends[0]:
        return "no-address"
    return "no-scheme" if settings.SECURE and not sends[1] else ""


def _report(fault: str, address: str) -> None:
    """Report it as a finding, at most once a minute from each process."""
    now = time.monotonic()
    if now < _silent_until.get(fault, 0):
        return
    _silent_until[fault] = now + 60
    # A public address may be a visitor's own.
    known = address if _is_ours(address) or _is_private(address) else ""
    log.warning("proxy-%s: %s; see “Deploy” in docs/operations.md", fault, known or "a public one")
    finding = Finding(code=f"proxy-{fault}", severity=Severity.WARNING, facts={"address": known})
    # One source for each fault, for one process may see only one of them.
    source = f"web:{socket.gethostname()}:{fault}"
    findings.report(source[:160], [finding], lasts=findings.VISITS)


def _is_local(url: str) -> bool:
    """Whether visitors are on this machine. If not, a proxy hides their address."""
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
