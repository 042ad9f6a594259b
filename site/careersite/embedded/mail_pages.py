"""Pages with the mails of the embedded mail catcher.

Only for superusers, and only while the catcher is the mail server.
"""

import datetime as dt
import mailbox
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from functools import wraps
from pathlib import Path
from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from wagtail.admin.auth import require_admin_access

#: The most mails on the page; the newest are shown.
SHOWN = 200


@dataclass(frozen=True)
class Envelope:
    """One mail in the list."""

    key: str
    subject: str
    sender: str
    recipients: str
    at: dt.datetime


@dataclass(frozen=True)
class Letter:
    """The parts of one mail."""

    envelope: Envelope
    text: str
    html: str
    headers: list[tuple[str, str]]
    attachments: list[tuple[str, str, int]]


def kept_in() -> Path:
    """The Maildir of the embedded catcher."""
    directory: Path = settings.VAR_DIR / "mail"
    return directory


def listing(directory: Path, newest: int = SHOWN) -> tuple[list[Envelope], int]:
    """The newest mails of a Maildir, and how many there are."""
    if not directory.is_dir():
        return [], 0
    box = mailbox.Maildir(directory, create=False)
    # A key begins with the second of arrival, then microseconds.
    keys = sorted(box.keys(), key=_arrival, reverse=True)
    return [_envelope(key, _read(box, key)) for key in keys[:newest]], len(keys)


def letter(directory: Path, key: str) -> Letter:
    """One mail; raises KeyError if the Maildir does not have the key."""
    message = _read(mailbox.Maildir(directory, create=False), key)
    text, html = (message.get_body([kind]) for kind in ("plain", "html"))
    return Letter(
        _envelope(key, message),
        text=_content(text),
        html=_content(html),
        headers=[(name, str(value)) for name, value in message.items()],
        attachments=[
            (
                part.get_filename() or part.get_content_type(),
                part.get_content_type(),
                len(part.get_payload(decode=True) or b""),
            )
            for part in message.iter_attachments()
        ],
    )


def _arrival(key: str) -> tuple[int, int]:
    seconds, _, rest = key.partition(".")
    return int(seconds), int(rest.partition("P")[0].lstrip("M") or 0)


def _read(box: mailbox.Maildir, key: str) -> EmailMessage:
    return message_from_bytes(box.get_bytes(key), policy=policy.default)


def _envelope(key: str, message: EmailMessage) -> Envelope:
    try:
        at = parsedate_to_datetime(str(message["Date"]))
    except (TypeError, ValueError):
        at = dt.datetime.fromtimestamp(_arrival(key)[0], dt.UTC)
    return Envelope(
        key,
        subject=str(message["Subject"] or ""),
        sender=str(message["From"] or ""),
        recipients=str(message["X-Rcpt-To"] or message["To"] or ""),
        at=at if at.tzinfo else at.replace(tzinfo=dt.UTC),
    )


def _content(part: Any) -> str:
    return part.get_content() if part is not None else ""


def _private(view: Any) -> Any:
    """For superusers, never cached, and with inline styles allowed for a mail's HTML.

    The mails hold names and receipt links of all jobs, which no narrower permission covers.
    """

    @never_cache
    @require_admin_access
    # The policy of the page also applies to a frame with srcdoc.
    @csp_update({"style-src": [SELF, UNSAFE_INLINE], "img-src": [SELF, "data:"]})  # type: ignore[misc]
    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: str) -> HttpResponse:
        if not request.user.is_superuser:
            # A redirect to the login would only lead back here.
            raise PermissionDenied
        response: HttpResponse = view(request, **kwargs)
        return response

    return guarded


@_private
def show_list(request: HttpRequest) -> HttpResponse:
    """All caught mails, newest first."""
    mails, total = listing(kept_in())
    context = {"mails": mails, "total": total}
    return render(request, "careersite/mail/list.html", context)


@_private
def show_mail(request: HttpRequest, *, key: str) -> HttpResponse:
    """One mail: its text, its HTML in a sandboxed frame, its headers."""
    try:
        found = letter(kept_in(), key)
    except KeyError:
        raise Http404 from None
    return render(request, "careersite/mail/mail.html", {"letter": found, "mail": found.envelope})


@_private
def source(request: HttpRequest, *, key: str) -> HttpResponse:
    """The original of one mail, to open in a mail program."""
    try:
        content = mailbox.Maildir(kept_in(), create=False).get_bytes(key)
    except KeyError:
        raise Http404 from None
    response = HttpResponse(content, content_type="message/rfc822")
    response["Content-Disposition"] = 'attachment; filename="mail.eml"'
    return response
