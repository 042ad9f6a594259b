"""What a step is about."""

from __future__ import annotations

from wagtail.models import Site

from careers.applications.models import Application
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
