"""Who receives the applications for a job: its own recipients, else those of the pages above.

A recipient learns who applies, so a person who edits a page may not choose any address (see
``home.recipients``). The editor's form says so. Copies, reverted revisions and everything else
that a person does in the admin lose such an address when they are saved.
"""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext as _
from wagtail.log_actions import get_active_log_context
from wagtail.models import Page, Revision, Site

from careers.jobs.pay import decimals_errors
from home.content_cache import cached
from home.models import SiteSettings, split_addresses
from home.recipients import refusal, refused, tidy
from home.schedule import ScheduleForm

log = logging.getLogger(__name__)


def settings_of(page: Page) -> SiteSettings:
    """The company settings of the site that a page belongs to."""
    parts = page.get_url_parts()
    if parts is None:
        return SiteSettings.for_site(Site.objects.get(is_default_site=True))
    site_id = parts[0]
    return cached(
        (SiteSettings, site_id), lambda: SiteSettings.for_site(Site.objects.get(pk=site_id))
    )


def inherited_recipients(parent: Page) -> list[str]:
    """The recipients for a job below ``parent`` that names none itself.

    Args:
        parent: the specific page above the job.

    Returns:
        The addresses of the page, else those of the company settings; [] if both name none.
    """
    own = split_addresses(getattr(parent, "hr_recipients", ""))
    return own or settings_of(parent).recipients()


# ── Who may choose which address ────────────────────────────────────────────────────────


def refused_for(
    page: Page, addresses: list[str], user: Any, *, above: Page | None = None
) -> list[str]:
    """The addresses that ``user`` may not choose as recipients of a page.

    Args:
        page: the list of jobs or the job; it need not be stored yet.
        above: the page above, if ``page`` has no place in the tree yet.
    """
    if not addresses:
        return []
    place = above or page
    company = settings_of(place)
    return refused(
        addresses,
        user,
        place.path,
        domains=company.domains(),
        known=[*_known(page), *company.recipients()],
    )


def _known(page: Page) -> list[str]:
    """The recipients that a page has, in any language, and those of its drafts."""
    rows = type(page)._default_manager.filter(translation_key=page.translation_key)
    texts = list(rows.values_list("hr_recipients", flat=True))
    if page.pk:
        drafts = [key for key in (page.latest_revision_id, page.live_revision_id) if key]
        # A new page may still name the revisions of the page that it is a copy of.
        found = Revision.objects.for_instance(page).filter(pk__in=drafts)
        texts += [draft.content.get("hr_recipients") or "" for draft in found]
    return [address for text in texts for address in split_addresses(text)]


def keep_allowed(page: Page, text: str) -> str:
    """``text`` without the addresses that the person who acts in the admin may not choose.

    Everything is kept where nobody acts in the admin, such as in a command or a worker.
    """
    user = get_active_log_context().user
    if user is None:
        return text
    foreign = refused_for(page, split_addresses(text), user)
    if not foreign:
        return text
    log.warning("user %s may not choose %d recipients of a page", user.pk, len(foreign))
    return "\n".join(word for word in split_addresses(text) if word not in foreign)


def guard_page(instance: Page, update_fields: Any = None, **_kwargs: Any) -> None:
    """Before a page is stored (signal ``pre_save``)."""
    if instance.hr_recipients and (update_fields is None or "hr_recipients" in update_fields):
        instance.hr_recipients = keep_allowed(instance, instance.hr_recipients)


def guard_revision(instance: Revision, update_fields: Any = None, **_kwargs: Any) -> None:
    """Before a draft is stored (signal ``pre_save``), however it was made."""
    text = instance.content.get("hr_recipients")
    if not text or (update_fields is not None and "content" not in update_fields):
        return
    model: type[Model] | None = instance.content_type.model_class()
    page = model and model._default_manager.filter(pk=instance.object_id).first()
    if isinstance(page, Page):
        instance.content["hr_recipients"] = keep_allowed(page, text)


class RecipientsForm(ScheduleForm):
    """An editor's form that refuses recipients whom the user may not choose."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        tidy(self, cleaned, "hr_recipients")
        if self.for_user is not None:
            own = split_addresses(cleaned.get("hr_recipients") or "")
            page = self.instance
            above = None if page.pk else self.parent_page
            foreign = refused_for(page, own, self.for_user, above=above)
            if foreign:
                self.add_error("hr_recipients", refusal(foreign))
        return cleaned


class JobPageForm(RecipientsForm):
    """The editor's form of a job; it also refuses to publish a job without recipients."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for name, message in decimals_errors(cleaned).items():
            self.add_error(name, message)
        if "action-publish" in self.data and "hr_recipients" not in self.errors:
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
