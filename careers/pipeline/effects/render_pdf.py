"""Make the PDF of an application."""

from __future__ import annotations

import errno
import logging

from careers import documents
from careers.applications.files import store_file
from careers.applications.models import Application, FileKind
from careers.notifications import BeforeSend
from careers.pipeline.effects.subject import application_of, site_settings_of
from careers.pipeline.models import Step
from careers.pipeline.registry import Outcome
from home import pictures

log = logging.getLogger(__name__)

#: The machine lacks disk, memory or file handles for the moment.
SHORT_OF_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM)


def render_pdf(step: Step, before_send: BeforeSend) -> Outcome:
    """Make the one document that shows the whole application."""
    application = application_of(step)
    content = documents.render_pdf(documents.document_for(application, branding(application)))

    def record() -> None:
        store_file(
            application,
            kind=FileKind.PDF,
            content=content,
            filename=f"{application.reference}.pdf",
            content_type="application/pdf",
        )

    return Outcome({"size": len(content)}, record=record)


def branding(application: Application) -> documents.Branding:
    """The company's name, colour and logo for the head of the document.

    Raises:
        Transient: the machine has no room to make the logo's rendition.
    """
    settings_of_site = site_settings_of(application)
    image = b""
    if settings_of_site.logo is not None:
        try:
            image = pictures.content(settings_of_site.logo, "max-480x160|format-png")
        except Exception as error:  # a decoder fails in any way on a file that is no picture
            if getattr(error, "errno", None) in SHORT_OF_ROOM:
                raise documents.short_of_room() from None
            # The document shows the company's name instead.
            log.warning("the logo can't be read: %s", type(error).__name__)
    return documents.Branding(
        company=application.frozen_form.company,
        colour=settings_of_site.accent,
        logo=image or None,
        logo_type="image/png",
    )
