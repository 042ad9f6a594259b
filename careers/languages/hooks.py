"""What editors are told about the translations of a page that they publish or take down."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _
from wagtail import hooks
from wagtail.models import Page

from careers.languages.sharing import translations_of


@hooks.register("after_publish_page")
def name_translations_that_are_not_public(request: HttpRequest, page: Page) -> None:
    """Publishing the original never publishes a translation: that takes a translator's look."""
    waiting = [other for other in translations_of(page.specific)[1] if not other.live]
    if waiting:
        messages.info(
            request,
            _("Not public yet: %(pages)s. Publish a translation when it is complete.")
            % {"pages": _titles(waiting)},
        )


@hooks.register("after_unpublish_page")
def name_translations_that_were_taken_down(request: HttpRequest, page: Page) -> None:
    """They went with the original (see ``sharing.take_down``)."""
    translations = translations_of(page.specific)[1]
    if translations:
        messages.info(
            request,
            _("Its translations are not public either: %(pages)s.")
            % {"pages": _titles(translations)},
        )


def _titles(pages: list[Page]) -> str:
    return ", ".join(f"{page.title} ({page.locale.get_display_name()})" for page in pages)
