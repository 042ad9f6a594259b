"""What a step is about."""

from __future__ import annotations

from django.utils.translation import gettext as _
from wagtail.models import Site

from careers import archive
from careers.applications.errors import Permanent
from careers.applications.files import stored_bytes
from careers.applications.models import Application, ApplicationFile
from careers.pipeline.models import Alert, Step
from home.models import SiteSettings


def application_of(step: Step) -> Application:
    """The application.

    Raises:
        TypeError: the step is about an alert.
    """
    about = step.about
    if not isinstance(about, Application):
        raise TypeError(f"step {step.pk} is about no application")
    return about


def alert_of(step: Step) -> Alert:
    """The alert.

    Raises:
        TypeError: the step is about an application.
    """
    about = step.about
    if not isinstance(about, Alert):
        raise TypeError(f"step {step.pk} is about no alert")
    return about


def site_settings_of(application: Application) -> SiteSettings:
    """The settings of the site on which the job was published."""
    site = application.page.get_site() or Site.objects.get(is_default_site=True)
    found: SiteSettings = SiteSettings.for_site(site)
    return found


def content_of(file: ApplicationFile) -> bytes:
    """A file's bytes, from the database while it has them, then from the archive.

    Raises:
        EffectError: the archive does not answer or has lost the file; its words say which.
    """
    content = stored_bytes(file)
    if content is not None:
        return content
    # The archive step may have moved the bytes after this file was read.
    file.refresh_from_db(fields=["object_key"])
    if not file.object_key:
        raise Permanent(
            "file-missing", _("The file’s content is neither in the database nor in the archive.")
        )
    return archive.fetch(file.object_key, sha256=file.sha256)
