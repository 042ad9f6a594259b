"""Download everything that the site holds about an applicant."""

from __future__ import annotations

import logging
import tempfile

from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views import View
from wagtail.admin import messages

from careers.applications.errors import EffectError
from careers.backoffice import audit
from careers.backoffice.application_detail import find_application, of_the_same_person
from careers.backoffice.application_file import private
from careers.backoffice.file_content import read
from careers.backoffice.permissions import READ, Requires
from careers.retention import export

log = logging.getLogger(__name__)

#: Bytes that stay in memory; a larger export is on the disk while it is sent.
IN_MEMORY = 2**20


class Export(Requires, View):
    """All data and files of a person as one ZIP file. Each application logs it."""

    right = READ

    def post(self, request: HttpRequest, reference: str) -> HttpResponseBase:
        application = find_application(request.user, reference)
        same = of_the_same_person(application, request.user)
        applications = list(same.prefetch_related("files").order_by("pk"))
        # Logged first: the export then tells about itself.
        audit.note_all([one.pk for one in applications], request.user, audit.EXPORTED)
        file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 -- the response closes it
        try:
            export.write(applications, file, read)
        except EffectError as error:
            file.close()
            log.warning("export of application %s ended: %s", application.pk, error.code)
            words = _("The export was not made, because a file could not be read. %(cause)s")
            messages.error(request, words % {"cause": error.public})
            return redirect("careers_applications:detail", reference)
        file.seek(0)
        name = f"{application.reference}.zip"
        return private(FileResponse(file, as_attachment=True, filename=name))
