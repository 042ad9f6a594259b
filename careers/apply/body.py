"""Read the body of a form that was sent, within limits."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import (
    RequestDataTooBig,
    SuspiciousMultipartForm,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.utils.translation import gettext as _

from careers.apply.origin import CONFIRM
from careers.apply.sender import SENDER
from careers.forms.builder import EDITION, HONEYPOT
from careers.forms.uploads import BoundedUploadHandler

#: How browsers send a form; a request without a body needs no type.
FORM_TYPES = ("multipart/form-data", "application/x-www-form-urlencoded", "")


class BadBody(Exception):
    """The body of a request can't be read.

    Attributes:
        status: the HTTP status of the answer.
        title: what happened, in the applicant's words.
        advice: what to do about it, in the applicant's words.
    """

    def __init__(self, status: int, title: str, advice: str) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.advice = advice


class _CountedBody:
    """Counts the bytes of a request that Django's parser reads.

    If the connection breaks, the server passes on what has arrived, and Django's parser accepts
    a body that ends in the middle of a CV as complete.
    """

    def __init__(self, request: HttpRequest) -> None:
        self._announced = request.META.get("CONTENT_LENGTH", "")
        self._seen = 0
        self._read = request.read
        request.read = self._count  # type: ignore[method-assign]

    def _count(self, *args: Any, **kwargs: Any) -> bytes:
        part: bytes = self._read(*args, **kwargs)
        self._seen += len(part)
        return part

    @property
    def is_whole(self) -> bool:
        """Whether all announced bytes arrived, or none were announced or read."""
        return not self._seen or self._announced in ("", str(self._seen))


def read_body(request: HttpRequest) -> None:
    """Parse the body, so that ``request.POST`` and ``request.FILES`` hold all of it.

    Raises:
        BadBody: it has no length, is compressed, is no form, or is too large, malformed or
            incomplete.
    """
    if not request.META.get("CONTENT_LENGTH") and request.META.get("HTTP_TRANSFER_ENCODING"):
        # Django reads no body without an announced length: all fields would look empty.
        raise BadBody(
            411,
            _("The form arrived without its length"),
            _(
                "Nothing was received. The program or proxy that sent it must say how long it is "
                "(Content-Length). Try another browser or another network."
            ),
        )
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding != "identity" or request.content_type not in FORM_TYPES:
        # Read as a form, it would look as if every field were empty.
        raise BadBody(
            415,
            _("The form cannot be read"),
            _(
                "Nothing was received. Send the form with a web browser. If you did, a program or "
                "proxy on the way has changed it: try another browser or another network."
            ),
        )
    # Other charsets can smuggle in what no database stores, such as half a surrogate pair.
    request.encoding = "utf-8"
    request.upload_handlers = [BoundedUploadHandler(request)]
    body = _CountedBody(request)
    try:
        request.POST  # noqa: B018 -- parses the body
        if not body.is_whole:
            raise UnreadablePostError
    except (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent):
        raise BadBody(
            413,
            _("The form is too large"),
            _(
                "Go back: what you entered is still in the form. Shorten the longest answers or "
                "attach them as a file, then send it again."
            ),
        ) from None
    except (MultiPartParserError, SuspiciousMultipartForm, UnreadablePostError):
        raise BadBody(
            400,
            _("The form did not arrive completely"),
            _("The connection broke while it was sent. Go back and send it again."),
        ) from None


def texts_of(request: HttpRequest) -> list[tuple[str, str]]:
    """The texts of a form without the labels of their questions, for a form whose job is unknown.

    Returns:
        Pairs of an empty label and a text, as ``careers/apply/kept.html`` takes them.
    """
    hidden = ("csrfmiddlewaretoken", CONFIRM, EDITION, HONEYPOT, SENDER)
    return [
        ("", text)
        for name, values in request.POST.lists()
        if name not in hidden and not name.startswith(("kept-", "drop-", "meant-"))
        for text in values
        if text.strip()
    ]
