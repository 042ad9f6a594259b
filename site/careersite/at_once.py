"""Send a finished response in one piece, past what gunicorn does with each of its headers.

Gunicorn checks every header of every response, joins them, and sends head and body apart. For a
page that is kept in memory this takes longer than everything else, and the headers were checked
when Django made them.
"""

from __future__ import annotations

from typing import Any

from gunicorn.http.wsgi import Response


def send(start_response: Any, status: str, headers: str, body: bytes, length: int | None) -> bool:
    """Send a response, if gunicorn serves the request over HTTP/1.

    Args:
        start_response: what the server gave to the application.
        status: such as ``200 OK``.
        headers: as they are sent, each with the end of its line. They need no more checks.
        body: empty for a response without one.
        length: the value of ``Content-Length`` among the headers; None without it.

    Returns:
        False for another server; nothing was sent then.

    Raises:
        OSError: the connection has ended.
    """
    response: Any = getattr(start_response, "__self__", None)
    if type(response) is not Response or response.status is not None:
        return False
    response.status, response.status_code = status, int(status[:3])
    response.response_length = length
    head = "".join([*response.default_headers(), headers, "\r\n"])
    # Before the first byte: after an error in between, gunicorn must not send another response.
    response.headers_sent = True
    response.sock.sendall(head.encode("latin-1") + body)
    response.sent = len(body)
    return True
