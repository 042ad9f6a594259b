"""Messages to editors about the translations of a page that they publish or unpublish."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _
from wagtail import hooks
from wagtail.models import Page

from careers.languages import listing_buttons
from careers.languages.sharing import translations_of
from careers.languages.views import admin_urls
from home.bidi import isolated, joined

# Before wagtail-localize, whose views take any page.
hooks.register("register_admin_urls", admin_urls, order=-1)
listing_buttons.register()


@hooks.register("after_publish_page")
def list_unpublished_translations(request: HttpRequest, page: Page) -> None:
    """Say which translations are still drafts: publishing the original does not publish them."""
    waiting = [other for other in translations_of(page.specific)[1] if not other.live]
    if waiting:
        messages.info(
            request,
            _("Not published yet: %(pages)s. Publish each translation when it is complete.")
            % {"pages": _titles(waiting)},
        )


@hooks.register("after_unpublish_page")
def list_translations_unpublished_too(request: HttpRequest, page: Page) -> None:
    """Say which translations were unpublished with the original (``sharing.take_down``)."""
    translations = translations_of(page.specific)[1]
    if translations:
        messages.info(
            request,
            _("Its translations were unpublished too: %(pages)s.")
            % {"pages": _titles(translations)},
        )


def _titles(pages: list[Page]) -> str:
    return joined(f"{isolated(page.title)} ({page.locale.get_display_name()})" for page in pages)
