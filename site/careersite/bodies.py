"""Bound what a request's body costs, and read it in one encoding, before any view sees it.

Django reads a form in the charset that its sender names. Some of Python's codecs take quadratic
time (``punycode``), are no text (``zlib``) or return half of a surrogate pair, which no database
stores. Django also counts only those parts of a form that have a name; each other part costs as
much time.

Django has one limit of fields for all addresses. It is the editors' limit here, because one
question of a job takes five fields for each of its options. Everybody else gets the tight limit,
which is checked here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParser
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import parse_header_parameters
from django.utils.translation import gettext as _
from django.views import defaults

GetResponse = Callable[[HttpRequest], HttpResponseBase]

#: The most bytes of a body, as in the proxy (Caddyfile). Without a proxy, Django would write a
#: file of any size to the disk.
MAX_BYTES = 40 * 1024 * 1024
#: The form of a job counts and drops what is too large itself, and keeps what was entered.
HAS_OWN_LIMIT = re.compile(r"/([a-z-]+/)?apply/")
#: Where editors send the form of a page, which grows with its content.
EDITORS = "/admin/pages/"
URLENCODED = "application/x-www-form-urlencoded"
TOO_LARGE = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)


class CountedParts:
    """Counts the parts of a form while they are read.

    Args:
        source: has the method ``read``.
        boundary: what separates the parts.
        fields: the most fields; each file is one more part.

    Raises:
        TooManyFieldsSent: on reading more parts than the limits of fields and files allow.
    """

    def __init__(self, source: Any, boundary: str, fields: int) -> None:
        self._source = source
        self._mark = b"--" + boundary.encode("ascii", "replace")
        self._left = fields + settings.DATA_UPLOAD_MAX_NUMBER_FILES + 2
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


class FormParser(MultiPartParser):
    """Django's parser, but a file with an unusual name arrives.

    Django drops a file that is named ``.`` or ``CV/`` or with invisible characters only, as if
    nobody had chosen one.
    """

    def sanitize_file_name(self, file_name: str) -> str:
        return super().sanitize_file_name(file_name.rstrip("/\\")) or "file"


def bodies_are_bounded(get_response: GetResponse) -> GetResponse:
    """Middleware: read forms as UTF-8, and refuse bodies that are too large or have too many parts.

    HTML forms are sent in the encoding of their page, and our pages are UTF-8.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        request.encoding = "utf-8"
        load = request._load_post_and_files  # type: ignore[attr-defined]

        def load_bounded() -> None:
            # Both run when a view asks for the form, and then the person is known.
            is_urlencoded = request.method == "POST" and request.content_type == URLENCODED
            if is_urlencoded and request.body.count(b"&") >= most_fields(request):
                raise TooManyFieldsSent("The form has too many fields.")
            load()

        def parse_bounded(meta: Any, data: Any) -> Any:
            boundary = (request.content_params or {}).get("boundary", "")
            counted = CountedParts(data, boundary, most_fields(request))
            handlers = request.upload_handlers
            return FormParser(meta, counted, handlers, request.encoding).parse()  # type: ignore[arg-type]

        request._load_post_and_files = load_bounded  # type: ignore[attr-defined, method-assign]
        request.parse_file_upload = parse_bounded  # type: ignore[method-assign, assignment]
        if announced_length(request) > MAX_BYTES and not HAS_OWN_LIMIT.match(request.path):
            return HttpResponse(status=413)
        return get_response(request)

    return middleware


def is_editor(request: HttpRequest) -> bool:
    """Whether a signed-in person sends the form of a page."""
    user = getattr(request, "user", None)
    return (
        request.path.startswith(EDITORS)
        and user is not None
        and user.has_perm("wagtailadmin.access_admin")
    )


def most_fields(request: HttpRequest) -> int:
    """The most fields of a form: many for an editor's page, few for everybody else."""
    if is_editor(request):
        return int(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS)
    return int(settings.PUBLIC_FORM_MAX_FIELDS)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """The answer to a bad request (``handler400``); an editor learns that their page is too large.

    Autosave gets the JSON that Wagtail's editor shows (``wagtail.admin.views.generic.mixins``).
    """
    if not isinstance(exception, TOO_LARGE) or not is_editor(request):
        return defaults.bad_request(request, exception)
    if request.accepts("text/html"):
        return render(request, "careersite/page_too_large.html", status=413)
    words = _("Not saved: the page is too large. Remove questions or options, or shorten texts.")
    answer = {"success": False, "error_code": "validation_error", "error_message": words}
    return JsonResponse(answer, status=400)


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
