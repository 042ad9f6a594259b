"""Requests to a WSGI application, without a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.test import RequestFactory

from home.caching import SAME_FOR_ALL

PAGE = b"<p>A gauge keeper keeps gauges.</p>" * 20
CONTROL = ("Cache-Control", "public, max-age=0, must-revalidate")
HTML = ("Content-Type", "text/html; charset=utf-8")


@dataclass(frozen=True)
class Answer:
    """Attributes: ``headers`` by their names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def environ(address: str, method: str = "GET", **more: Any) -> dict[str, Any]:
    """What a server gives to the application."""
    request = RequestFactory().generic(method, address, **more)
    return {**request.META, "HTTP_HOST": more.get("HTTP_HOST", "localhost"), "CONTENT_LENGTH": ""}


def ask(application: Any, address: str, method: str = "GET", **more: Any) -> Answer:
    """Send one request; names of headers as ``HTTP_ACCEPT_ENCODING``."""
    started: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> None:
        started[:] = [status, headers]

    parts = application(environ(address, method, **more), start)
    try:
        body = b"".join(parts)
    finally:
        if hasattr(parts, "close"):
            parts.close()
    status, headers = started
    return Answer(int(status[:3]), {name.lower(): text for name, text in headers}, body)


class Small:
    """A small application that counts its requests."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.status, self.headers, self.body = "200 OK", [HTML, CONTROL], PAGE
        self.is_same_for_all = True
        self.during: Callable[[], None] = lambda: None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.seen.append(environ)
        self.during()
        if self.is_same_for_all:
            environ[SAME_FOR_ALL] = True
        if "HTTP_IF_NONE_MATCH" in environ:
            start_response("304 Not Modified", [CONTROL])
            return [b""]
        start_response(self.status, list(self.headers))
        return [self.body[:100], self.body[100:]]

    @property
    def count(self) -> int:
        return len(self.seen)
