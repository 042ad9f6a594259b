"""Bound what a request's body costs, and read it in one encoding, before any view sees it.

Django reads a form in the charset that its sender names. Some of Python's codecs take quadratic
time (``punycode``), are no text (``zlib``) or return half of a surrogate pair, which no database
stores. Django also counts only those parts of a form that have a name; each other part costs as
much time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import TooManyFieldsSent
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_header_parameters

GetResponse = Callable[[HttpRequest], HttpResponseBase]

#: The most bytes of a body, as in the proxy (Caddyfile). Without a proxy, Django would write a
#: file of any size to the disk.
MAX_BYTES = 40 * 1024 * 1024
#: The form of a job counts and drops what is too large itself, and keeps what was entered.
HAS_OWN_LIMIT = re.compile(r"/([a-z-]+/)?apply/")


class CountedParts:
    """Counts the parts of a form while they are read.

    Args:
        source: has the method ``read``.
        boundary: what separates the parts.

    Raises:
        TooManyFieldsSent: on reading more parts than the limits of fields and files allow.
    """

    def __init__(self, source: Any, boundary: str) -> None:
        self._source = source
        self._mark = b"--" + boundary.encode("ascii", "replace")
        self._left = (
            settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + settings.DATA_UPLOAD_MAX_NUMBER_FILES + 2
        )
        self._end = b""

    def read(self, *args: Any) -> bytes:
        """Read as ``source`` does."""
        piece: bytes = self._source.read(*args)
        seen = self._end + piece
        self._left -= seen.count(self._mark)
        if self._left < 0:
            raise TooManyFieldsSent("The form has too many parts.")
        # A mark may begin in one piece and end in the next one.
        self._end = seen[max(0, len(seen) - len(self._mark) + 1) :]
        return piece


def bodies_are_bounded(get_response: GetResponse) -> GetResponse:
    """Middleware: read forms as UTF-8, and refuse bodies that are too large or have too many parts.

    HTML forms are sent in the encoding of their page, and our pages are UTF-8.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        request.encoding = "utf-8"
        parse = request.parse_file_upload

        def parse_bounded(meta: Any, data: Any) -> Any:
            boundary = (request.content_params or {}).get("boundary", "")
            return parse(meta, CountedParts(data, boundary))  # type: ignore[arg-type]

        request.parse_file_upload = parse_bounded  # type: ignore[method-assign, assignment]
        if announced_length(request) > MAX_BYTES and not HAS_OWN_LIMIT.match(request.path):
            return HttpResponse(status=413)
        return get_response(request)

    return middleware


def announced_length(request: HttpRequest) -> int:
    """The announced bytes of the body; 0 without the header, and then none are read."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


class Request(WSGIRequest):
    """A request whose ``Content-Type`` may be any text.

    Django's own reads the query in the charset that it names, before any middleware runs.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            found = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except ValueError:
            # Such as an unknown encoding of a parameter (RFC 2231).
            found = "", {}
        self.content_type, self.content_params = found


class Handler(WSGIHandler):
    """Django's handler, for which a malformed header is no error of the server."""

    request_class = Request
