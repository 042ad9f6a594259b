"""Kept pages on the wire: sent in one piece, with the bytes that gunicorn itself would send."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.wsgi import Response

from careersite import at_once
from careersite.page_cache import PageCache
from home.content_state import State
from tests.support.wsgi import Small, environ


class Socket:
    """Collects what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def sendall(self, content: bytes) -> None:
        self.sent.append(content)


class Known:
    def state(self, since: float | None = None) -> State:
        return State("1", time.time() + 3600, time.monotonic())


def serve(application: Any, *, version: tuple[int, int], close: bool, **request: Any) -> Socket:
    """Answer a request as gunicorn's worker does; returns the socket."""
    asked = environ("/careers/", **request)
    channel = Socket()
    message = SimpleNamespace(
        method=asked["REQUEST_METHOD"], version=version, should_close=lambda: close
    )
    response = Response(message, channel, Config())
    for part in application(asked, response.start_response):
        response.write(part)
    response.close()
    return channel


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"method": "HEAD"},
        {"HTTP_ACCEPT_ENCODING": "gzip, br"},
        {"HTTP_IF_NONE_MATCH": "*"},
        {"version": (1, 0), "close": True},
    ],
    ids=["plain", "head", "brotli", "known", "old"],
)
def test_hit_is_sent_at_once_and_equals_what_gunicorn_sends(
    monkeypatch: pytest.MonkeyPatch, request_: dict[str, Any]
) -> None:
    asked = {"version": (1, 1), "close": False} | request_
    cache = PageCache(Small(), 1_000_000, Known())  # type: ignore[arg-type]
    serve(cache, version=(1, 1), close=False)
    ours = serve(cache, **asked)
    monkeypatch.setattr(at_once, "send", lambda *_arguments: False)
    theirs = serve(cache, **asked)
    assert len(ours.sent) == 1
    without_time = [re.sub(rb"\r\nDate: [^\r]+", b"", b"".join(one.sent)) for one in (ours, theirs)]
    assert without_time[0] == without_time[1]


def test_other_server_gets_the_response_as_wsgi_says() -> None:
    assert not at_once.send(lambda *_: None, "200 OK", "", b"", 0)


def test_connection_that_ends_gets_no_second_response() -> None:
    class Ended(Socket):
        def sendall(self, content: bytes) -> None:
            raise BrokenPipeError

    message = SimpleNamespace(method="GET", version=(1, 1), should_close=lambda: False)
    response = Response(message, Ended(), Config())
    with pytest.raises(BrokenPipeError):
        at_once.send(response.start_response, "200 OK", "Content-Length: 1\r\n", b"x", 1)
    assert response.headers_sent
