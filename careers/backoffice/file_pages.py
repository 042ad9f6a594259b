"""The pages of a file, so that nobody has to open the file itself to read it.

``…/files/<id>/pages/`` is a fragment of HTML with a place for each page, or the words of an office
file. ``…/pages/<n>.png`` is one page. ``static/js/backoffice/reader.js`` puts both into the page of
the application.
"""

from __future__ import annotations

import logging
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import View

from careers import inspection
from careers.applications.errors import EffectError, Permanent
from careers.applications.models import UPLOADS, ApplicationFile
from careers.backoffice import audit
from careers.backoffice.application_detail import find_application
from careers.backoffice.application_file import private
from careers.backoffice.file_content import Locked, read
from careers.backoffice.permissions import READ, Requires
from careers.inspection import Busy, Pages, Refused, Verdict

log = logging.getLogger(__name__)

#: Pages that have a place. Nobody reads more on the screen, and all of them can be downloaded.
MOST = 100
#: The types of which there are pages or words.
SHOWN = tuple(inspection.ACCEPTED)


class NotShown(Exception):
    """There is nothing to show.

    Args:
        reason: why, in words for the reader.
    """

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.reason, self.status = reason, status


class FilePages(Requires, View):
    """The places of the pages, or the words."""

    right = READ

    def get(self, request: HttpRequest, reference: str, public_id: str) -> HttpResponse:
        file = find_upload(request.user, reference, public_id)
        try:
            shown = pages_of(file, request.user, first=0, count=0)
        except NotShown as why:
            context: dict[str, Any] = {"reason": why.reason, "may_retry": why.status == 503}
            response = render(request, TEMPLATE, context, status=why.status)
        else:
            audit.note_file(file, request.user, audit.SHOWN)
            numbers = range(1, min(shown.total, MOST) + 1)
            pages = [(number, page_url(file, number)) for number in numbers]
            context = {"pages": pages, "total": shown.total, "text": shown.text, "most": MOST}
            response = render(request, TEMPLATE, context)
        response["Cache-Control"] = "private, no-store"
        return response


class FilePage(Requires, View):
    """One page as a picture."""

    right = READ

    def get(
        self, request: HttpRequest, reference: str, public_id: str, number: int
    ) -> HttpResponse:
        file = find_upload(request.user, reference, public_id)
        if not 1 <= number <= MOST:
            raise Http404
        try:
            shown = pages_of(file, request.user, first=number - 1, count=1)
        except NotShown as why:
            return private(HttpResponse(why.reason, content_type="text/plain", status=why.status))
        if not shown.images or number > shown.total:
            raise Http404
        audit.note_file(file, request.user, audit.SHOWN)
        return private(HttpResponse(shown.images[0], content_type="image/png"))


TEMPLATE = "careers/backoffice/file_pages.html"


def find_upload(user: Any, reference: str, public_id: str) -> ApplicationFile:
    """An upload of an application that this user may read; raises Http404 for any other file."""
    application = find_application(user, reference)
    files = ApplicationFile.objects.select_related("application")
    return get_object_or_404(files, application=application, public_id=public_id, kind__in=UPLOADS)


def page_url(file: ApplicationFile, number: int) -> str:
    address = [file.application.reference, file.public_id, number]
    return reverse("careers_applications:page", args=address)


def pages_of(file: ApplicationFile, user: Any, *, first: int, count: int) -> Pages:
    """Some pages of a file.

    Raises:
        NotShown: the file is locked, can't be read, or can't be shown.
    """
    try:
        content = read(file)
        return inspection.pages(
            content, file.content_type, first=first, count=count, reader=str(user.pk)
        )
    except Locked as locked:
        raise NotShown(locked.reason, 403) from None
    except EffectError as error:
        log.warning("file %s can't be read: %s", file.public_id, error.code)
        raise NotShown(error.public, 404 if isinstance(error, Permanent) else 503) from None
    except Busy:
        raise NotShown(
            _("The server is busy with other files. Try again in a minute."), 503
        ) from None
    except Refused as refused:
        raise NotShown(_why_not_shown(refused.verdict), 422) from None


def _why_not_shown(verdict: Verdict) -> str:
    match verdict:
        case Verdict.LOCKED | Verdict.LOCKED_PDF:
            why = _("The file is password-protected, so it can’t be shown here.")
        case Verdict.DAMAGED | Verdict.DAMAGED_PDF | Verdict.DAMAGED_PICTURE | Verdict.NO_PAGES:
            why = _("The file is damaged, so it can’t be shown here.")
        case Verdict.TOO_COMPLEX | Verdict.TOO_MANY_PIXELS | Verdict.TOO_MANY_PAGES:
            why = _("The file is too complex to be shown here.")
        case _:
            why = _("A file of this type can’t be shown here.")
    return why + " " + _("Download it to read it.")
