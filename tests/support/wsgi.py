"""Requests to a WSGI application, without a server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.test import RequestFactory


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
