"""The buttons for translations in Wagtail's lists of pages, without queries for each page.

wagtail-localize asks twice for each page whether it can be translated and whether it is a source.
Here the list of a page's children asks for all of them (``annotated``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from wagtail import hooks
from wagtail.admin.widgets.button import ListingButton
from wagtail.models import Locale, Page
from wagtail_localize import wagtail_hooks as localize
from wagtail_localize.models import TranslationSource

HOOK = "register_page_listing_more_buttons"
TRANSLATE = "wagtail_localize.submit_translation"


def annotated(parent: Page, pages: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
    """Wagtail's hook ``construct_explorer_page_queryset``: what ``buttons`` needs of each page."""
    same = Page.objects.filter(translation_key=OuterRef(OuterRef("translation_key")), alias_of=None)
    sources = TranslationSource.objects.filter(
        object_id=OuterRef("translation_key"),
        locale=OuterRef("locale_id"),
        translations__enabled=True,
    )
    return pages.annotate(
        _can_be_translated=Exists(Locale.objects.exclude(pk__in=same.values("locale_id"))),
        _source_of_translations=Subquery(sources.values("pk")[:1]),
    )


def buttons(
    page: Any, user: Any, view_name: str = "", next_url: str | None = None
) -> Iterator[ListingButton]:
    """What wagtail-localize shows for a page, in its words."""
    if not hasattr(page, "_can_be_translated"):
        yield from localize.page_listing_more_buttons(page, user, view_name, next_url)
        return
    if page.is_root() or not user.has_perm(TRANSLATE):
        return
    if page._can_be_translated:
        key = page.alias_of_id or page.pk
        yield ListingButton(
            _("Translate this page"),
            reverse("wagtail_localize:submit_page_translation", args=[key]),
            priority=60,
            icon_name="wagtail-localize-language",
        )
    if source := page._source_of_translations:
        url = reverse("wagtail_localize:update_translations", args=[source])
        if next_url is not None:
            url += f"?{urlencode({'next': next_url})}"
        yield ListingButton(_("Sync translated pages"), url, priority=60, icon_name="resubmit")


def register() -> None:
    """Put ``buttons`` in the place of wagtail-localize's own function."""
    # Wagtail has no other way to remove a hook of another app.
    hooks._hooks[HOOK].remove((localize.page_listing_more_buttons, 0))
    hooks.register(HOOK, buttons)
    hooks.register("construct_explorer_page_queryset", annotated)
