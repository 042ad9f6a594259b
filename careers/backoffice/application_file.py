"""A file of an application, for users who may read it. It has no public address."""

from __future__ import annotations

import logging
from typing import TypeVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views import View
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from careers.applications.errors import EffectError, Permanent
from careers.applications.models import ApplicationFile, FileKind
from careers.backoffice import audit, task_acts
from careers.backoffice.application_detail import find_application
from careers.backoffice.file_content import Locked, read
from careers.backoffice.permissions import READ
from careers.backoffice.tasks import Task
from careers.backoffice.views import AdminPage, Crumb
from careers.pipeline.unscanned import open_unscanned

log = logging.getLogger(__name__)

Response = TypeVar("Response", bound=HttpResponseBase)

#: Whatever the bytes are, a browser must not run them in the name of this site.
SANDBOXED = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox"
#: A browser's PDF viewer does not work inside a sandbox.
OUR_PDF = "default-src 'none'; object-src 'self'; base-uri 'none'; frame-ancestors 'self'"


class ApplicationFileView(AdminPage, WagtailAdminTemplateMixin, View):
    """Stream one file: from the database while it has the bytes, then from the archive.

    A file that can't be streamed is answered with a page that says why.
    """

    right = READ
    template_name = "careers/backoffice/file_refused.html"
    header_icon = "warning"

    def get(self, request: HttpRequest, reference: str, public_id: str) -> HttpResponse:
        application = find_application(request.user, reference)
        file = get_object_or_404(ApplicationFile, application=application, public_id=public_id)
        try:
            content = read(file)
        except Locked as locked:
            return self._refusal(locked.reason, 403)
        except EffectError as error:
            log.warning("file %s can't be read: %s", file.public_id, error.code)
            return self._refusal(error.public, 404 if isinstance(error, Permanent) else 503)
        audit.note_file(file, request.user)
        ours = file.kind == FileKind.PDF
        response = HttpResponse(content, content_type=file.content_type)
        disposition = content_disposition_header(
            as_attachment=not ours or "download" in request.GET,
            filename=safe_name(file.filename),
        )
        response["Content-Disposition"] = disposition or "attachment"
        return private(response, policy=OUR_PDF if ours else SANDBOXED)

    def trail(self) -> list[Crumb]:
        return [
            {"url": reverse("careers_applications:index"), "label": _("Applications")},
            {"url": self._back(), "label": self.kwargs["reference"]},
        ]

    def get_page_title(self) -> str:
        return _("The file can’t be shown")

    def _back(self) -> str:
        return reverse("careers_applications:detail", args=[self.kwargs["reference"]])

    def _refusal(self, reason: str, status: int) -> HttpResponse:
        context = self.get_context_data(reason=reason, back=self._back())
        return self.render_to_response(context, status=status)


class OpenUnscanned(task_acts.ActPage):
    """Open a file whose virus scan failed; the person has to give a reason."""

    right = READ
    act = open_unscanned
    reason_required = True

    def find(self) -> ApplicationFile:
        application = find_application(self.request.user, self.kwargs["reference"])
        return get_object_or_404(
            ApplicationFile.objects.select_related("application"),
            application=application,
            public_id=self.kwargs["public_id"],
        )

    def task(self) -> Task:
        application: Task = self.subject.application
        return application

    def names(self) -> dict[str, str]:
        file = self.subject
        return {
            "file": str(FileKind(file.kind).label),
            "reference": file.application.reference,
        }

    def trail(self) -> list[Crumb]:
        return [
            {"url": reverse("careers_applications:index"), "label": _("Applications")},
            {"url": self.back(), "label": self.kwargs["reference"]},
        ]

    def back(self) -> str:
        return reverse("careers_applications:detail", args=[self.kwargs["reference"]])


def private(response: Response, *, policy: str = SANDBOXED) -> Response:
    """Keep a response with an applicant's content out of caches, other sites and scripts."""
    response["Content-Security-Policy"] = policy
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def safe_name(filename: str) -> str:
    """A file name that no browser takes for a path or a header (RFC 6266, 4.3)."""
    kept = "".join(c for c in filename if c.isprintable() and c not in '/\\"').strip(" .")
    return kept[:150] or "file"
