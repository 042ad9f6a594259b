"""Who receives the applications for a job: its own recipients, else those of the pages above."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from wagtail.admin.forms import WagtailAdminPageForm
from wagtail.models import Page, Site

from home.models import SiteSettings, split_addresses


def settings_of(page: Page) -> SiteSettings:
    """The company settings of the site that a page belongs to."""
    return SiteSettings.for_site(page.get_site() or Site.objects.get(is_default_site=True))


def inherited_recipients(parent: Page) -> list[str]:
    """The recipients for a job below ``parent`` that names none itself.

    Args:
        parent: the specific page above the job.

    Returns:
        The addresses of the page, else those of the company settings; [] if both name none.
    """
    own = split_addresses(getattr(parent, "hr_recipients", ""))
    return own or settings_of(parent).recipients()


class JobPageForm(WagtailAdminPageForm):
    """The editor's form of a job; it refuses to publish a job without recipients."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        if "action-publish" in self.data:
            own = split_addresses(cleaned.get("hr_recipients") or "")
            if not own and not self._inherited():
                self.add_error(
                    "hr_recipients",
                    ValidationError(
                        _(
                            "No recipient would be notified of applications. Enter an e-mail "
                            "address here, or for all jobs in the list of jobs or the company "
                            "settings."
                        )
                    ),
                )
        return cleaned

    def _inherited(self) -> list[str]:
        parent = self.parent_page or self.instance.get_parent()
        return inherited_recipients(parent.specific)
